"""Drops the cells that are not to be on the page, and leaves what the others ask for in their metadata."""

from nbconvert.preprocessors import Preprocessor

from .directives import is_hidden_markdown, read_directives, read_metadata
from .kinds import kind_of_code
from .symbols import places


class Directives(Preprocessor):
    """Drops hidden and emptied cells; leaves each code cell's wishes in its metadata under `post`.

    What an exported cell defines is left there under `places`; of a dropped cell the next code cell has it. On a page
    of the series, code that a reader need not see at first is folded: `folded` says what it is.
    """

    def __init__(self, is_lesson: bool, words: dict, **kwargs):
        super().__init__(**kwargs)
        self.is_lesson, self.words = is_lesson, words

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
                self._fold(cell)
            cells.append(cell)
        nb.cells = cells
        return nb, resources

    def _fold(self, cell) -> None:
        """Folds a lesson's cell of code, command or test, unless its author says otherwise."""
        wishes = cell.metadata["post"]
        kind = kind_of_code(cell.source, bool(wishes.get("export")), bool(cell.outputs))
        if not self.is_lesson or kind is None or wishes.keys() & {"collapse", "collapse_show", "unfolded"}:
            return
        wishes["collapse"] = True
        wishes.setdefault("summary", ": ".join(filter(None, (self.words[f"code_{kind.word}"], kind.names))))


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
