"""The shelves, the modules on them and what imports what, read from the sources and drawn for the README.

    python benchmarks/architecture.py

Writes images/architecture.svg. An arrow leads from a module to one that it imports; one that another import implies is
left out, and so is the module of a command, which `cli` imports by its name when the command is called. Runs on
Python's standard library alone.
"""
import argparse
import ast
import html
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIGURE = ROOT / "images" / "architecture.svg"
NOTEBOOK = re.compile(r"File to edit: \.\./_notebooks/(\S+)\.ipynb")
TOOLKIT = "toolkit/"


@dataclass(frozen=True)
class Module:
    """A module of the package."""

    name: str
    notebook: str  # the path in `_notebooks/` of the one that makes it, without its ending
    imports: frozenset  # names of the package's modules, wherever in it they are imported

    @property
    def lesson(self) -> str:
        """Where it stands in the reading order; empty for the toolkit, which is before all lessons."""
        return "" if self.notebook.startswith(TOOLKIT) else self.notebook


def imported(tree: ast.AST):
    """Names of what a module imports from the package: `files` for `from .files import written`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("recaptcha."))
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "recaptcha"):
            module = (node.module or "").removeprefix("recaptcha").lstrip(".")
            yield from [module.split(".")[0]] if module else [alias.name for alias in node.names]


def read_modules(package: Path = ROOT / "recaptcha") -> dict:
    """{name: Module} of those that notebooks make."""
    found = {}
    for path in sorted(package.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if notebook := NOTEBOOK.search(text):
            found[path.stem] = Module(path.stem, notebook[1], frozenset(imported(ast.parse(text))))
    return {name: Module(name, m.notebook, m.imports & found.keys()) for name, m in found.items()}


def reached(modules: dict, name: str) -> set:
    """All that a module imports, itself or through others."""
    found, todo = set(), set(modules[name].imports)
    while todo:
        found |= todo
        todo = {further for module in todo for further in modules[module].imports} - found
    return found


def runs_back(modules: dict) -> list:
    """The arrows `importer -> imported` that run against the reading order.

    A lesson imports no module that a later lesson makes, neither itself nor through the toolkit; and no two modules
    import each other, directly or in a circle.
    """
    def needs(name):
        """The last lesson that has to be read before a module."""
        through = {name} | (reached(modules, name) if not modules[name].lesson else set())
        return max(modules[other].lesson for other in through)

    found = set()
    for module in modules.values():
        for name in module.imports:
            later = module.lesson and needs(name) > module.lesson
            if later or module.name in reached(modules, name):
                found.add(f"{module.name} -> {name}")
    return sorted(found)


def levels(modules: dict) -> list:
    """Rows of modules, each of which imports only from rows above; what is in a circle stands in the last."""
    rows, placed = [], set()
    while left := [module for module in modules.values() if module.name not in placed]:
        free = [module for module in left if module.imports <= placed] or left
        rows.append(sorted(module.name for module in free))
        placed |= set(rows[-1])
    return rows


def drawn_arrows(modules: dict):
    """(importer, imported) of each import that no other import of the importer brings along, or that runs back."""
    back = set(runs_back(modules))
    for module in modules.values():
        for name in sorted(module.imports):
            others = {further for other in module.imports - {name} for further in reached(modules, other)}
            if name not in others or f"{module.name} -> {name}" in back:
                yield module.name, name


WIDTH, ROW, BOX, HIGH, MARGIN = 900, 74, 120, 38, 12  # CSS pixels
LEGEND = "An arrow leads to what is imported. Yellow: of a lesson, blue: of the toolkit. Red: imports a later lesson's."
STYLE = """
text { font: 600 13px system-ui, sans-serif; text-anchor: middle; fill: #1f2933; }
text.from { font-weight: 400; font-size: 9px; fill: #52606d; }
.lesson { fill: #fde7c4; stroke: #b7791f; }
.toolkit { fill: #d6e8f7; stroke: #2b6cb0; }
path { fill: none; stroke: #7b8794; stroke-width: 1.2; }
.back { stroke: #c53030; stroke-width: 2; }
"""


def places(modules: dict) -> dict:
    """{name: (x, y)} of the middle of each module's box, fundamentals at the top."""
    found = {}
    for number, row in enumerate(levels(modules)):
        step = WIDTH / len(row)
        for place, name in enumerate(row):
            found[name] = ((place + 0.5) * step, MARGIN + 30 + number * ROW + HIGH / 2)
    return found


def box(module: Module, x: float, y: float) -> str:
    kind = "lesson" if module.lesson else "toolkit"
    shape = f'<rect class="{kind}" x="{x - BOX / 2:.0f}" y="{y - HIGH / 2:.0f}" width="{BOX}" height="{HIGH}" rx="6"/>'
    name = f'<text x="{x:.0f}" y="{y - 1:.0f}">{html.escape(module.name)}</text>'
    notebook = html.escape(module.lesson or "toolkit")
    return f'{shape}{name}<text class="from" x="{x:.0f}" y="{y + 12:.0f}">{notebook}</text>'


def arrow(start: tuple, end: tuple, is_back: bool) -> str:
    (x, y), (to_x, to_y) = start, end
    bend = (y - HIGH / 2 + to_y + HIGH / 2) / 2
    kind = ' class="back"' if is_back else ""
    curve = f"M{x:.0f} {y - HIGH / 2:.0f}C{x:.0f} {bend:.0f} {to_x:.0f} {bend:.0f} {to_x:.0f} {to_y + HIGH / 2 + 3:.0f}"
    return f'<path{kind} marker-end="url(#head)" d="{curve}"/>'


def draw(modules: dict) -> str:
    """The figure as SVG."""
    where, back = places(modules), set(runs_back(modules))
    height = MARGIN * 2 + 30 + len(levels(modules)) * ROW
    label = f"The modules of recaptcha. {LEGEND}"
    head = '<path d="M0 0 6 3 0 6z" style="fill:#7b8794;stroke:none"/>'
    marker = f'<marker id="head" markerWidth="6" markerHeight="6" refX="5" refY="3" orient="auto">{head}</marker>'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">',
        f"<style>{STYLE}</style>",
        f"<defs>{marker}</defs>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{WIDTH / 2:.0f}" y="{MARGIN + 10}">{html.escape(LEGEND)}</text>',
    ]
    lines += [arrow(where[a], where[b], f"{a} -> {b}" in back) for a, b in drawn_arrows(modules)]
    lines += [box(module, *where[module.name]) for module in modules.values()]
    return "\n".join([*lines, "</svg>"]) + "\n"


def main(argv=None):
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(argv)
    FIGURE.write_text(draw(read_modules()), encoding="utf-8")


if __name__ == "__main__":
    main()
