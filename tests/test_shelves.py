"""The order of the shelves: no lesson needs a later one, and the README's figure shows the modules as they are."""

import importlib.util
import re

import nbformat
import pytest
from notebook_kit import ROOT

SPEC = importlib.util.spec_from_file_location("architecture", ROOT / "benchmarks" / "architecture.py")
architecture = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(architecture)
MODULES = architecture.read_modules()
# Arrows that run back today. This list only gets shorter: whoever turns one round takes it away here.
RUNS_BACK = []


def modules(**lines):
    """Modules by name, each from its notebook and what it imports: `losses="05_losses learner"`."""
    split = {name: line.split() for name, line in lines.items()}
    return {name: architecture.Module(name, words[0], frozenset(words[1:])) for name, words in split.items()}


def test_no_module_imports_one_that_a_later_lesson_makes():
    found = architecture.runs_back(MODULES)
    assert [arrow for arrow in found if arrow not in RUNS_BACK] == [], "an import runs against the reading order"
    assert [arrow for arrow in RUNS_BACK if arrow not in found] == [], "runs back no longer: take it off the list"


def test_every_module_of_a_notebook_is_in_the_graph():
    made = {path.stem for path in (ROOT / "recaptcha").glob("*.py") if not path.name.startswith("_")}
    assert MODULES.keys() == made
    assert "files" in MODULES["pictures"].imports and not MODULES["files"].imports


@pytest.mark.parametrize(
    ("lines", "back"),
    [
        ({"losses": "05_losses learner", "learner": "02_baseline"}, []),
        ({"losses": "05_losses", "learner": "02_baseline losses"}, ["learner -> losses"]),
        (
            {"train": "toolkit/train methods", "methods": "08_recipe", "learner": "02_baseline train"},
            ["learner -> train"],
        ),
        ({"train": "toolkit/train tiles", "tiles": "01_data", "learner": "02_baseline train"}, []),
        ({"a": "toolkit/a b", "b": "toolkit/b a", "tiles": "01_data"}, ["a -> b", "b -> a"]),
        ({"tiles": "01_data", "release": "toolkit/release results", "results": "09_results tiles"}, []),
    ],
)
def test_which_arrows_run_back(lines, back):
    assert architecture.runs_back(modules(**lines)) == back


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("from .files import written", {"files"}),
        ("from recaptcha.files import written", {"files"}),
        ("from . import files, grid", {"files", "grid"}),
        ("def f():\n    import recaptcha.grid as grid", {"grid"}),
        ("import recaptcha\nimport os.path", set()),
        ("from pathlib import Path", set()),
    ],
)
def test_what_a_module_imports(line, names):
    assert set(architecture.imported(architecture.ast.parse(line))) == names


def test_the_figure_is_up_to_date():
    drawn = architecture.draw(MODULES)
    assert architecture.FIGURE.read_text(encoding="utf-8") == drawn, "run `python benchmarks/architecture.py`"
    assert all(f">{name}</text>" in drawn for name in MODULES)
    assert drawn.count('class="back"') == len(RUNS_BACK)
    assert "(images/architecture.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")


def defined(name):
    """Whether a module defines it: a function, a class, a method or a constant."""
    pattern = re.compile(rf"^\s*(?:def|class) {name}\b|^{name}\b[^(\n]*=", re.M)
    return any(pattern.search(path.read_text(encoding="utf-8")) for path in (ROOT / "recaptcha").glob("*.py"))


def test_where_is_what_names_what_there_is():
    """The README answers a stranger with files, functions and tests; all of them exist."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Where is what\n")[1].split("\n## ")[0]
    paths = re.findall(r"(?:_notebooks|tests|demo|recaptcha|_fastpages)/[\w./*]*", section)
    names = re.findall(r"`(?:\w+\.)?([A-Za-z]\w+)`", section)
    assert len(paths) > 15 and {"cut_evenly", "LOSSES", "click_thresholds"} <= set(names)
    assert [path for path in paths if not list(ROOT.glob(path.rstrip("/.")))] == []
    assert [name for name in names if not defined(name)] == []


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_a_notebook_s_opening_names_its_module(module):
    cells = nbformat.read(ROOT / "_notebooks" / f"{module.notebook}.ipynb", as_version=4).cells
    opening = [cell.source for cell in cells if cell.cell_type == "markdown"][:3]
    assert f"recaptcha.{module.name}" in "\n".join(opening)
