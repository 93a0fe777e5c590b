"""Reads what a Python module offers from its source, without importing it: names, signatures, comments, docstrings.

A parameter is described as fastcore has it: one a line, with a comment behind. What comes back is described by the
comment behind the signature's last line.
"""

import ast
import io
import re
import tokenize
from dataclasses import dataclass, field
from pathlib import Path

CELL = re.compile(r"# %% (?:\.\./)*(\S+\.ipynb) #\S+")  # nbdev's line above what came from a cell
LONGEST_VALUE = 100  # characters of a constant that are shown


@dataclass(frozen=True)
class Parameter:
    name: str
    comment: str
    annotation: str = ""
    default: str | None = None


@dataclass(frozen=True)
class Symbol:
    """A public name of a module, or of a class in it."""

    name: str
    kind: str  # function, class, constant, or module: where it is imported from
    line: int = 0
    signature: str = ""
    doc: str = ""
    parameters: tuple = ()
    returns: str = ""  # what the comment says of the value that comes back
    members: tuple = ()  # a class's public methods
    notebook: str = ""  # the path in the repository of the one that it comes from


@dataclass(frozen=True)
class Module:
    name: str
    doc: str
    path: Path
    symbols: list = field(default_factory=list)


def _comments(source: str) -> dict:
    """{line: the comment at its end, or the whole of it}"""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("#| ") for token in tokens if token.type == tokenize.COMMENT}


def _unparsed(node) -> str:
    return ast.unparse(node) if node is not None else ""


def _doc(node) -> str:
    return ast.get_docstring(node) or ""


def _public(name: str) -> bool:
    return not name.startswith("_")


class Reader:
    """Reads the symbols of one module."""

    def __init__(self, source: str):
        self.source = source
        self.comments = _comments(source)
        self.tree = ast.parse(source)
        found = CELL.search(source)  # one notebook makes one module
        self.notebook = found[1] if found else ""

    def parameters(self, function) -> tuple:
        """The parameters of a function, `self` and `cls` left out."""
        arguments = function.args
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults = dict(zip(reversed(plain), reversed(arguments.defaults), strict=False))
        defaults |= dict(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
        every = [*plain, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
        stars = {arguments.vararg: "*", arguments.kwarg: "**"}
        found = []
        for argument in every:
            if argument is None or argument.arg in {"self", "cls"}:
                continue
            default = defaults.get(argument)
            end = (default or argument).end_lineno
            comment = self.comments.get(end, "") if end > function.lineno else ""
            name = stars.get(argument, "") + argument.arg
            shown = None if default is None else _unparsed(default)
            found.append(Parameter(name, comment, _unparsed(argument.annotation), shown))
        return tuple(found)

    def returns(self, function) -> str:
        """What the comment behind the signature says."""
        first = function.body[0].lineno
        last = max([function.lineno, *self._signature_lines(function)])
        return self.comments.get(last, "") if last < first else ""

    def _signature_lines(self, function):
        """The line that a signature ends in, where it is not the one that its last parameter stands in."""
        arguments = [node.end_lineno for node in ast.walk(function.args) if hasattr(node, "end_lineno")]
        if function.returns is not None:
            yield function.returns.end_lineno
        elif arguments:
            yield max(arguments) + (max(arguments) > function.lineno)

    def function(self, node, name: str = "") -> Symbol:
        back = f" -> {_unparsed(node.returns)}" if node.returns is not None else ""
        return Symbol(
            name=name or node.name,
            kind="function",
            line=node.lineno,
            signature=f"{node.name}({_shown_arguments(node.args)}){back}",
            doc=_doc(node),
            parameters=self.parameters(node),
            returns=self.returns(node),
            notebook=self.notebook,
        )

    def fields(self, node) -> tuple:
        """The fields of a dataclass."""
        return tuple(
            Parameter(
                line.target.id,
                self.comments.get(line.end_lineno, ""),
                _unparsed(line.annotation),
                None if line.value is None else _unparsed(line.value),
            )
            for line in node.body
            if isinstance(line, ast.AnnAssign)
        )

    def class_(self, node) -> Symbol:
        functions = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        init = next((item for item in functions if item.name == "__init__"), None)
        is_data = any("dataclass" in _unparsed(decorator) for decorator in node.decorator_list)
        parameters = self.parameters(init) if init else self.fields(node) if is_data else ()
        arguments = _shown_arguments(init.args) if init else ", ".join(each.name for each in parameters)
        bases = ", ".join(map(_unparsed, node.bases))
        return Symbol(
            name=node.name,
            kind="class",
            line=node.lineno,
            signature=f"{node.name}({arguments})" + (f", a {bases}" if bases else ""),
            doc=_doc(node),
            parameters=parameters,
            members=tuple(self.function(item) for item in functions if _public(item.name)),
            notebook=self.notebook,
        )

    def constant(self, name: str, node) -> Symbol:
        value = " ".join(ast.get_source_segment(self.source, node.value).split())
        shown = value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
        comment = self.comments.get(node.end_lineno, "") or self.comments.get(node.lineno, "")
        return Symbol(name, "constant", node.lineno, f"{name} = {shown}", comment, notebook=self.notebook)

    def symbols(self) -> dict:
        """{name: Symbol} of all that the module's top level defines or imports from its neighbours."""
        found = {}
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = self.function(node)
            elif isinstance(node, ast.ClassDef):
                found[node.name] = self.class_(node)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                for name in _assigned(node):
                    found[name] = self.constant(name, node)
            elif isinstance(node, ast.ImportFrom) and node.level:
                found |= {item.name: Symbol(item.name, "module", signature=node.module or "") for item in node.names}
        return found


def _shown_arguments(arguments) -> str:
    """The parameters as a signature shows them, without annotations, which stand in the table."""
    bare = ast.parse(f"def f({ast.unparse(arguments)}): pass").body[0].args
    for argument in ast.walk(bare):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    bare.args = [argument for argument in bare.args if argument.arg not in {"self", "cls"}]
    return ast.unparse(bare)


def _assigned(node) -> list:
    """The names that an assignment gives a value."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def _offered(tree) -> list:
    """What `__all__` lists."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and _assigned(node) == ["__all__"]:
            return ast.literal_eval(node.value)
    return []


def read_module(path: Path) -> Module:
    """What the module in a file offers: the names in its `__all__`, in the order of its source, imported ones last."""
    reader = Reader(path.read_text(encoding="utf-8"))
    defined = reader.symbols()
    offered = [defined[name] for name in _offered(reader.tree) if name in defined]
    offered.sort(key=lambda symbol: (symbol.kind == "module", symbol.line))
    return Module(path.stem, _doc(reader.tree), path, offered)
