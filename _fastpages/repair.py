"""Fills in what a notebook has to have and another program or a hand left out, so that no page is lost over it."""

import re

ID = re.compile(r"[\w-]{1,64}", re.A)
# What an output of each kind has to have, and what stands there where it has not.
NEEDED = {
    "stream": {"name": "stdout", "text": ""},
    "display_data": {"data": {}, "metadata": {}},
    "execute_result": {"data": {}, "metadata": {}, "execution_count": None},
    "error": {"ename": "", "evalue": "", "traceback": []},
}
OLD_KINDS = {"pyout": "execute_result", "pyerr": "error"}


def _repair_output(output: dict) -> None:
    output["output_type"] = OLD_KINDS.get(output.get("output_type"), output.get("output_type"))
    for key, value in NEEDED.get(output["output_type"], {}).items():
        if output.get(key) is None:
            output[key] = value.copy() if isinstance(value, (dict, list)) else value
    if output["output_type"] == "execute_result" and not isinstance(output["execution_count"], int):
        output["execution_count"] = None


def _repair_code(cell: dict) -> None:
    if not isinstance(cell.get("execution_count"), int):
        cell["execution_count"] = None
    cell["outputs"] = [output for output in cell.get("outputs") or [] if isinstance(output, dict)]
    for output in cell["outputs"]:
        _repair_output(output)


def _repair_kind(cell: dict) -> None:
    """A heading is markdown; what no program knows is as raw as anything."""
    if cell["cell_type"] == "heading":
        text = "".join(cell["source"])
        cell["cell_type"], cell["source"] = "markdown", f"{'#' * int(cell.get('level') or 1)} {text}"
    elif cell["cell_type"] not in {"code", "markdown", "raw"}:
        cell["cell_type"] = "raw"


def _repair_cell(cell: dict, name: str, taken: set) -> None:
    _repair_kind(cell)
    for key in ("metadata", "attachments"):
        if not isinstance(cell.get(key), dict):
            cell.pop(key, None)
    cell.setdefault("metadata", {})
    if cell["cell_type"] == "code":
        _repair_code(cell)
    else:
        cell.pop("outputs", None)
    if not isinstance(cell.get("id"), str) or not ID.fullmatch(cell["id"]) or cell["id"] in taken:
        cell["id"] = name
    taken.add(cell["id"])


def repaired(notebook: dict) -> dict:
    """The notebook (nbformat 4, as JSON has it), with all that a valid one has; it is changed in place."""
    taken = set()
    for number, cell in enumerate(notebook["cells"], 1):
        _repair_cell(cell, f"cell-{number}", taken)
    if not isinstance(notebook.get("metadata"), dict):
        notebook["metadata"] = {}
    return notebook | {"nbformat": 4, "nbformat_minor": 5}
