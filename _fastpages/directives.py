"""Reads the comments that open a code cell and say how to show it: `#hide`, `#| hide_input`, `#| alt: ...`."""

import re

from nbconvert.preprocessors import Preprocessor

# What a directive asks of the page. Both spellings of the last column's words mean the same.
EFFECTS = {
    "hide": "hide",
    "include: false": "hide",
    "hide_input": "hide_input",
    "hide-input": "hide_input",
    "echo: false": "hide_input",
    "hide_output": "hide_output",
    "hide-output": "hide_output",
    "output: false": "hide_output",
    "collapse": "collapse",
    "collapse_hide": "collapse",
    "collapse-hide": "collapse",
    "collapse_input": "collapse",
    "code-fold: true": "collapse",
    "collapse_show": "collapse_show",
    "collapse-show": "collapse_show",
    "code-fold: show": "collapse_show",
    "collapse_output": "collapse_output",
    "collapse-output": "collapse_output",
}
# The old spelling (`#hide`, no bar) is an ordinary comment unless it is exactly one of these words.
OLD_WORDS = {word for word in EFFECTS if ":" not in word}
OLD_WORDS |= {"export", "exporti", "exports", "default_exp", "notest", "skip"}
OLD_TARGET = re.compile(r"#(exports?|exporti|default_exp)[ \t]+[\w.]+\s*$")  # with a module's name, close to the mark

OLD_ALT = re.compile(r"#\s?((?:fig-)?alt:.+)")

NEW = re.compile(r"#\s*\|")
OLD = re.compile(r"#\s*([\w-]+)")


def _old_directive(line: str):
    match = OLD.fullmatch(line.strip())
    if match and match[1] in OLD_WORDS:
        return match[1]
    if match := OLD_ALT.match(line):
        return match[1]
    return "export" if OLD_TARGET.match(line) else None


def _directive(line: str):
    """What a line asks for, in either spelling; None where it is an ordinary one."""
    line = line.rstrip()
    if new := NEW.match(line.lstrip()):
        return line.lstrip()[new.end() :].strip()
    return _old_directive(line)


def read_directives(source: str):
    """(what the cell's directives ask for, its source without them).

    The first is a dict: each effect of `EFFECTS` that was asked for is True, and `alt` holds a picture's description.
    """
    wishes, kept, in_head = {}, [], True
    for line in source.split("\n"):
        words = _directive(line) if in_head else None
        if words is not None:
            key, colon, value = (part.strip() for part in words.partition(":"))
            if key in {"alt", "fig-alt"} and colon:
                wishes["alt"] = value.strip("\"'")
            elif effect := EFFECTS.get(f"{key}: {value.lower()}" if colon else key):
                wishes[effect] = True
            continue
        if line.strip() and not line.lstrip().startswith("%%"):
            in_head = False
        kept.append(line)
    return wishes, "\n".join(kept).strip("\n")


class Directives(Preprocessor):
    """Drops hidden and emptied cells; leaves each code cell's wishes in its metadata under `post`."""

    def preprocess(self, nb, resources):
        cells = []
        for cell in nb.cells:
            if cell.cell_type == "code":
                wishes, cell.source = read_directives(cell.source)
                if wishes.get("hide"):
                    continue
                if wishes.get("hide_output"):
                    cell.outputs = []
                cell.metadata["post"] = wishes
                if not cell.source.strip() and not cell.outputs:
                    continue
            elif cell.cell_type != "markdown" or not cell.source.strip():
                continue  # a raw cell is meant for another format
            elif _old_directive(cell.source.strip().split("\n")[0]) == "hide":
                continue
            cells.append(cell)
        nb.cells = cells
        return nb, resources
