"""Writes what the page /api/ shows of the module's public names, from its source files: nothing of them is run."""

import html
import json
import re
from functools import cache
from pathlib import Path

import yaml

from .errors import NotebookError, one_line
from .files import read_text, write
from .site import Site
from .sources import Module, Parameter, Symbol, read_module
from .standing import read_standing

NAMED = re.compile(r"\| `\w+\.(\w+)` \|")  # a module in the README's table of notebooks
SENTENCE = re.compile(r"(?<=[.;])\s+(?=[`A-Z(])")
ERROR = re.compile(r"`\w+(Error|Exception|Exit)`|Raises? ")  # how a sentence on errors opens
PAPER = re.compile(
    r"(?:[A-Z][\w’'-]+(?:, | and ))*[A-Z][\w’'-]+(?: et al\.)?,? [A-Z][A-Za-z ]+ (?:19|20)\d\d|arXiv:[\d.]+"
)
CODE = re.compile(r"<code>([\w.]+)(\(\))?</code>")
PLACE = re.compile(r'<span id="([^"]+)"></span>')  # what the code cell that defines a name begins with


@cache
def _markdown():
    import mistune  # takes a moment to load, and a site without the page does without

    return mistune.create_markdown(escape=True)


def _block(text: str) -> str:
    return _markdown()(text).strip()


def _inline(text: str) -> str:
    return _block(text).removeprefix("<p>").removesuffix("</p>")


def split_doc(doc: str) -> tuple:
    """(what a docstring says, its sentences on errors, the papers that it names)."""
    sentences = SENTENCE.split(" ".join(doc.split())) if "\n\n" not in doc else [doc]
    errors = [sentence for sentence in sentences if ERROR.match(sentence)]
    says = [sentence for sentence in sentences if not ERROR.match(sentence)]
    return " ".join(says).rstrip(";"), " ".join(errors), list(dict.fromkeys(PAPER.findall(doc)))


def in_order(modules: list, readme: str) -> list:
    """The modules as the README's table of notebooks lists them, others behind."""
    order = NAMED.findall(readme)
    place = {name: number for number, name in enumerate(order)}
    return sorted(modules, key=lambda module: (place.get(module.name, len(order)), module.name))


class Linker:
    """Makes links of the names in code that are public, of the same module first."""

    def __init__(self, modules: list):
        homes = [
            (symbol.name, module.name) for module in modules for symbol in module.symbols if symbol.kind != "module"
        ]
        self.own = set(homes)
        names = [name for name, _ in homes]
        self.homes = {name: home for name, home in homes if names.count(name) == 1}

    def address(self, name: str, module: str):
        """The anchor of a public name; None where it is none, or another module's as well."""
        home = module if (name, module) in self.own else self.homes.get(name)
        return f"#{home}.{name}" if home else None

    def linked(self, text: str, module: str) -> str:
        def link(match):
            address = self.address(match[1].rpartition(".")[2], module)
            return f'<a href="{address}">{match[0]}</a>' if address else match[0]

        return CODE.sub(link, text)


class Described:
    """The modules as the page's template takes them."""

    def __init__(self, modules: list, common: dict, folder: str, posts: dict, site: Site):
        self.linker = Linker(modules)
        self.common = common  # what a parameter's name means wherever it has no comment
        self.folder, self.posts, self.site = folder, posts, site

    def module(self, module: Module) -> dict:
        symbols = [self.symbol(symbol, module.name) for symbol in module.symbols if symbol.kind != "module"]
        others = [symbol for symbol in module.symbols if symbol.kind == "module"]
        imported = [self.imported(symbol) for symbol in others]
        return {"name": module.name, "doc": _inline(module.doc), "symbols": symbols, "imported": imported}

    def imported(self, symbol: Symbol) -> dict:
        """A name that a module passes on from another one."""
        return {"name": symbol.name, "address": self.linker.address(symbol.name, symbol.signature)}

    def parameter(self, parameter: Parameter, module: str) -> dict:
        says = _inline(parameter.comment or self.common.get(parameter.name.lstrip("*"), ""))
        about = {"name": parameter.name, "type": parameter.annotation, "default": parameter.default}
        return about | {"says": self.linker.linked(says, module)}

    def symbol(self, symbol: Symbol, module: str, owner: str = "") -> dict:
        says, errors, papers = split_doc(symbol.doc)
        texts = {"doc": _block(says), "returns": _inline(symbol.returns), "errors": _inline(errors)}
        own = f"{owner}.{symbol.name}" if owner else symbol.name
        return {
            "id": f"{module}.{own}",
            "name": own,
            "kind": symbol.kind,
            "signature": symbol.signature,
            **{key: self.linker.linked(text, module) for key, text in texts.items()},
            "papers": papers,
            "parameters": [self.parameter(each, module) for each in symbol.parameters],
            "has_table": any(self.explained(each) for each in symbol.parameters),
            "members": [self.symbol(each, module, symbol.name) for each in symbol.members if each.doc],
            "source": f"{self.site.source_url}{self.folder}/{module}.py#L{symbol.line}",
            "cell": self.cell(symbol, own),
        }

    def explained(self, parameter: Parameter) -> bool:
        """Whether there is more to say of a parameter than its signature shows."""
        return bool(parameter.comment or parameter.annotation or parameter.name.lstrip("*") in self.common)

    def cell(self, symbol: Symbol, name: str) -> dict | None:
        """Where on the blog the cell of a name stands: its page where it has no place there; None without a page."""
        notebook = Path(symbol.notebook).name
        if notebook not in self.posts:
            return None
        address, places = self.posts[notebook]
        place = name.lower()  # as nbdev's index has it
        return {"notebook": notebook, "address": f"{address}#{place}" if place in places else address}


def read_common(path: Path) -> dict:
    """{parameter's name: what it means wherever it has no comment}"""
    try:
        return yaml.safe_load(read_text(path))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise NotebookError(f"{path}: {one_line(error)}") from None


def read_places(posts: Path, baseurl: str) -> dict:
    """{notebook: (address of its page, ids of the places in it that names of the module lead to)}"""
    found = {}
    for page in read_standing(posts):
        if page.source:
            places = PLACE.findall(html.unescape(read_text(posts / page.name)))
            found[Path(page.source).name] = (baseurl + page.addresses[0], set(places))
    return found


def publish_api(sources: Path, out: Path, site: Site) -> None:
    """Writes `out/_data/api.json`, what the page of the public names shows of the modules in the folder `sources`.

    It comes after the posts, whose cells the page links to. A site without the page needs none of it.
    """
    if not (out / "_pages" / "api.html").is_file():
        return
    read = [read_module(path) for path in sorted(sources.glob("[!_]*.py"))]
    readme = sources.parent / "README.md"
    modules = in_order([module for module in read if module.symbols], read_text(readme) if readme.is_file() else "")
    common = read_common(out / "_data" / "parameters.yml")
    described = Described(modules, common, sources.name, read_places(out / "_posts", site.baseurl), site)
    data = [described.module(module) for module in modules]
    write(out / "_data" / "api.json", (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())
