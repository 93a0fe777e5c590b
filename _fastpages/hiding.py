"""Drops the cells that are not to be on the page, and leaves what the others ask for in their metadata."""

from nbconvert.preprocessors import Preprocessor

from .directives import is_hidden_markdown, read_directives, read_metadata
from .symbols import places


class Directives(Preprocessor):
    """Drops hidden and emptied cells; leaves each code cell's wishes in its metadata under `post`.

    What an exported cell defines is left there under `places`; of a dropped cell the next code cell has it.
    """

    def preprocess(self, nb, resources):
        cells, defined = [], []
        for cell in nb.cells:
            if cell.cell_type == "code":
                wishes, cell.source = read_directives(cell.source)
                defined += places(cell.source) if wishes.get("export") else []
                cell.metadata["post"] = read_metadata(cell.metadata) | wishes
            if not _is_shown(cell):
                continue
            if cell.cell_type == "code":
                cell.metadata["post"]["places"], defined = defined, []
            cells.append(cell)
        nb.cells = cells
        return nb, resources


def _is_shown_output(output, wishes: dict) -> bool:
    return not (output.output_type == "stream" and wishes.get(f"hide_{output.name}"))


def _is_shown(cell) -> bool:
    """Whether anything of a cell is on the page; takes away the output that is not to be."""
    if cell.cell_type == "code":
        wishes = cell.metadata["post"]
        shown = [output for output in cell.outputs if _is_shown_output(output, wishes)]
        cell.outputs = [] if wishes.get("hide_output") else shown
        return not wishes.get("hide") and bool(cell.source.strip() or cell.outputs)
    if cell.cell_type != "markdown" or not cell.source.strip():
        return False  # a raw cell is meant for another format
    return not is_hidden_markdown(cell.source) and not read_metadata(cell.metadata).get("hide")
