"""Makes the pipe tables of markdown even, which its reader takes for text otherwise.

Short rows are filled up, long ones widen the table, and a bar in code or in a formula does not end a cell.
"""

import re

from .prose import Lines, code_spans

BAR = "\ue000"  # stands for a bar while a table is read; a private character that no text has
PREFIX = re.compile(r"[ \t>]*")
MARKED_PREFIX = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?")  # of a header that opens a list's item
DELIMITER = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
CODE = re.compile(r"<code>[^<]*</code>", re.I)
MATHS = re.compile(r"(?<![\\$])\$(?!\$)[^$\n]+\$")
CLOSED = re.compile(r"(?<!\\)\|[ \t]*$")
ENDS = re.compile(r"(?<!\\)\|")


def _shielded(row: str) -> str:
    """The row with the bars of code and formulas hidden."""
    parts, last = [], 0
    for start, end in code_spans(row):
        code = row[start:end].replace("\\|", BAR).replace("|", BAR)
        parts += [row[last:start], code]
        last = end
    row = CODE.sub(lambda code: code[0].replace("|", BAR), "".join([*parts, row[last:]]))
    return MATHS.sub(lambda maths: maths[0].replace("|", BAR), row)


def _cells(row: str) -> list:
    """What stands between a row's bars."""
    row = row.strip()
    row = row.removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    return [cell.strip() for cell in ENDS.split(row)]


def _read(row: str, columns: int) -> tuple:
    """(the row, shielded where that fits the columns or is no worse, its cells)."""
    plain, shielded = _cells(row), _shielded(row)
    cells = _cells(shielded)
    if len(cells) != columns and len(plain) == columns:
        return row, plain
    return shielded, cells


def _is_row(line: str) -> bool:
    return "|" in line and bool(line.strip())


def _table(lines: list, start: int) -> int:
    """How many lines the table takes whose header is at `start`; 0 where there is none."""
    if start + 1 >= len(lines) or not _is_row(lines[start]):
        return 0
    delimiter = lines[start + 1][PREFIX.match(lines[start + 1]).end() :]
    if "|" not in delimiter or not DELIMITER.fullmatch(delimiter):
        return 0
    end = start + 2
    while end < len(lines) and _is_row(lines[end]):
        end += 1
    return end - start


def _closed_alike(rows: list) -> bool:
    """Whether all rows open and close with a bar, or none does either."""
    ends = {end for row in rows for end in (row.lstrip().startswith("|"), bool(CLOSED.search(row)))}
    return len(ends) == 1


def _evened(lines: list) -> list:
    """The lines of a table, all of as many cells."""
    prefixes = [MARKED_PREFIX.match(lines[0])[0], *(PREFIX.match(line)[0] for line in lines[1:])]
    bodies = [line[len(prefix) :] for line, prefix in zip(lines, prefixes)]
    columns = len(_cells(bodies[1]))
    read = [_read(body, columns) for body in bodies]
    widest = max(len(cells) for _, cells in read)
    if all(len(cells) == widest for _, cells in read) and _closed_alike(bodies):
        return [prefix + body for prefix, (body, _) in zip(prefixes, read)]
    rows = []
    for number, (prefix, (_, cells)) in enumerate(zip(prefixes, read)):
        cells += ["---" if number == 1 else ""] * (widest - len(cells))
        rows.append(f"{prefix}| {' | '.join(cells)} |")
    return rows


def even_tables(source: str) -> str:
    """`source` with its tables even, and `BAR` for the bars that are no ends of cells."""
    if "|" not in source:
        return source
    lines, known, made, place = source.split("\n"), Lines(), [], 0
    while place < len(lines):
        length = 0 if known.is_code(lines[place]) else _table(lines, place)
        made += _evened(lines[place : place + length]) if length else [lines[place]]
        place += length or 1
    return "\n".join(made)
