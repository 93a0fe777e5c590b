"""What a page leaves out of its document: a line each, which names the document, the cell, and what was left out."""

from .errors import one_line


class Losses:
    """Collects the lines while a page is made; `cell` is the number of the cell that is looked at."""

    def __init__(self, name: str):
        self.name, self.cell = name, None
        self.found = {}  # line -> the number of its cell

    def tell(self, what: str) -> None:
        has_cells = self.name.endswith(".ipynb") and self.cell is not None
        place = f"{self.name}: cell {self.cell}" if has_cells else self.name
        self.found.setdefault(f"{place}: {one_line(what)}", self.cell or 0)

    @property
    def lines(self) -> list:
        """The lines in the order of their cells."""
        return sorted(self.found, key=self.found.get)
