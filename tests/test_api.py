"""The page /api/ of the blog: what is read from the module's sources, and whether that is enough."""

import json
import re

import pytest
import yaml
from notebook_kit import ROOT

from _fastpages import api, sources
from _fastpages.site import read_settings

MODULES = sorted((ROOT / "recaptcha").glob("[!_]*.py"))
COMMON = yaml.safe_load((ROOT / "_data" / "parameters.yml").read_text(encoding="utf-8"))
SMALL = '''\
"A module of two names."
__all__ = ['LIMIT', 'Pair', 'fetch', 'DataError']
from .files import DataError

# %% ../_notebooks/01_one.ipynb #aa11
LIMIT = 25_000 # tiles

def fetch(
    url:str, # where it is
    *parts, # of its path
    tries=3, # before it gives up
    plain=None,
) -> bytes: # what was there
    """Fetch `plain` things (Doe et al., CVPR 2021). `DataError` where nothing is.
    It asks `tries` times."""
    return b''

# %% ../_notebooks/01_one.ipynb #bb22
@dataclass
class Pair:
    "Two tiles"
    left: int # the first
    right: int = 0
    def both(self): # no signature ends here
        "Both, as `fetch` does"
    def _own(self): pass
'''


@pytest.fixture
def small(tmp_path):
    """The small module, as it is read."""
    path = tmp_path / "recaptcha" / "small.py"
    path.parent.mkdir()
    path.write_text(SMALL, encoding="utf-8")
    return sources.read_module(path)


@pytest.fixture
def published(small, tmp_path):
    """What the page shows of the small module, on a site where one of its two cells has places for names."""
    for folder in ("_pages", "_data", "_posts"):
        (tmp_path / folder).mkdir()
    (tmp_path / "_pages" / "api.html").write_text("")
    (tmp_path / "_data" / "parameters.yml").write_text("plain: without colours\n")
    head = '---\ngenerated_from: "01_one.ipynb"\npermalink: "/one.html"\n---\n'
    places = '<div class="cell"><span id="pair"></span><span id="pair.both"></span>'
    (tmp_path / "_posts" / "2026-01-01-one.html").write_text(head + places)
    api.publish_api(small.path.parent, tmp_path, read_settings(ROOT / "settings.ini", baseurl="/base"))
    (module,) = json.loads((tmp_path / "_data" / "api.json").read_text(encoding="utf-8"))
    return {symbol["name"]: symbol for symbol in module["symbols"]} | {"": module}


def undocumented(symbol) -> list:
    """What a public name leaves unsaid: its docstring (`name`), or what a parameter is (`name.parameter`)."""
    if symbol.kind not in {"function", "class"}:
        return []
    if not symbol.doc:
        return [symbol.name]
    bare = [parameter.name.lstrip("*") for parameter in symbol.parameters if not parameter.comment]
    told = [name for name in bare if name in COMMON or re.search(rf"`[^`]*\b{name}\b[^`]*`", symbol.doc)]
    return [f"{symbol.name}.{name}" for name in bare if name not in told]


def test_signature_comments_and_value(small):
    fetch = next(symbol for symbol in small.symbols if symbol.name == "fetch")
    assert fetch.signature == "fetch(url, *parts, tries=3, plain=None) -> bytes"
    said = [(each.name, each.comment, each.annotation, each.default) for each in fetch.parameters]
    assert said == [
        ("url", "where it is", "str", None),
        ("*parts", "of its path", "", None),
        ("tries", "before it gives up", "", "3"),
        ("plain", "", "", "None"),
    ]
    assert fetch.returns == "what was there"
    assert fetch.notebook == "_notebooks/01_one.ipynb"
    assert SMALL.split("\n")[fetch.line - 1].startswith("def fetch")


def test_fields_methods_and_constants(small):
    assert [symbol.name for symbol in small.symbols] == ["LIMIT", "fetch", "Pair", "DataError"]
    limit, _, pair, error = small.symbols
    assert (limit.signature, limit.doc) == ("LIMIT = 25_000", "tiles")
    assert [(each.name, each.comment, each.default) for each in pair.parameters] == [
        ("left", "the first", None),
        ("right", "", "0"),
    ]
    assert [member.name for member in pair.members] == ["both"]
    assert (error.kind, error.signature) == ("module", "files")


def test_the_page_tells_errors_and_papers_apart(published):
    fetch = published["fetch"]
    assert (
        fetch["doc"]
        == "<p>Fetch <code>plain</code> things (Doe et al., CVPR 2021). It asks <code>tries</code> times.</p>"
    )
    assert fetch["errors"] == "<code>DataError</code> where nothing is."
    assert fetch["papers"] == ["Doe et al., CVPR 2021"]
    assert fetch["parameters"][3]["says"] == "without colours", "a name that is explained once for all"


def test_the_page_links_to_cell_source_and_names(published):
    assert published["fetch"]["source"].endswith(
        f"/recaptcha/small.py#L{SMALL[: SMALL.index('def fetch')].count(chr(10)) + 1}"
    )
    assert published["fetch"]["cell"]["address"] == "/base/one.html"
    assert published["Pair"]["cell"]["address"] == "/base/one.html#pair"
    (both,) = published["Pair"]["members"]
    assert both["cell"]["address"] == "/base/one.html#pair.both"
    assert both["id"] == "small.Pair.both" and '<a href="#small.fetch"><code>fetch</code></a>' in both["doc"]
    assert published[""]["imported"] == [{"name": "DataError", "address": None}]


def test_modules_stand_in_the_order_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    read = [sources.read_module(path) for path in MODULES]
    order = [module.name for module in api.in_order([module for module in read if module.symbols], readme)]
    assert order == [name for name in api.NAMED.findall(readme) if name in order], (
        "a module that the README does not list"
    )


def test_every_public_name_is_documented():
    """What still falls short is listed, by module, in undocumented.yml: what is mended leaves the list, nothing comes
    in.
    """
    listed = yaml.safe_load((ROOT / "tests" / "undocumented.yml").read_text(encoding="utf-8"))
    read = [sources.read_module(path) for path in MODULES]
    found = {module.name: [name for symbol in module.symbols for name in undocumented(symbol)] for module in read}
    assert {module: names for module, names in found.items() if names} == listed
