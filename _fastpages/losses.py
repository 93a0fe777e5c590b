"""What a page leaves out of its document: a line each, which names the document, the cell, and what was left out."""

from .errors import one_line


class Losses:
    """Collects the lines while a page is made; `cell` is the number of the cell that is looked at."""

    def __init__(self, name: str):
        self.name, self.lines, self.cell = name, [], None

    @property
    def place(self) -> str:
        """The document and, of a notebook, the cell, as a line opens with them."""
        has_cells = self.name.endswith(".ipynb") and self.cell is not None
        return f"{self.name}: cell {self.cell}" if has_cells else self.name

    def tell(self, what: str) -> None:
        line = f"{self.place}: {one_line(what)}"
        if line not in self.lines:
            self.lines.append(line)
