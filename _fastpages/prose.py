"""Tells the prose of a markdown text from the code in it, so that what is meant as an example stays as it is."""

import re

from .scan import spans

FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})")
ITEM = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
INDENTED = re.compile(r"(?: {4}|\t)")
TICKS = re.compile(r"`+")


def _closes(line: str, fence: str) -> bool:
    marks = line.strip(" \t>\n")
    return len(marks) >= len(fence) and not marks.strip(fence[0])


class Lines:
    """Goes through the lines of a text and knows which of them are code."""

    def __init__(self):
        self.fence, self.in_list, self.blank, self.in_code = "", False, True, False

    def is_code(self, line: str) -> bool:
        if self.fence:
            self.fence = "" if _closes(line, self.fence) else self.fence
            return True
        if opening := FENCE.match(line):
            self.fence = opening[1]
            return True
        return self._is_indented_code(line)

    def _is_indented_code(self, line: str) -> bool:
        if not line.strip():
            self.blank = True
            return False
        indented = bool(INDENTED.match(line))
        if not indented:
            self.in_list = bool(ITEM.match(line)) or (self.in_list and line[0] in " \t")
        self.in_code = indented and not self.in_list and (self.blank or self.in_code)
        self.blank = False
        return self.in_code


def _lines(source: str):
    """(whether it is code, the text) of each run of lines of a kind."""
    run, kind, lines = [], False, Lines()
    for line in source.splitlines(keepends=True):
        if lines.is_code(line) != kind:
            yield kind, "".join(run)
            run, kind = [], not kind
        run.append(line)
    yield kind, "".join(run)


def code_spans(paragraph: str):
    """(start, end) of each piece of code between backticks: it ends at the next run of as many."""
    runs = [run.span() for run in TICKS.finditer(paragraph)]
    places = {}  # how many backticks -> the runs of so many, the last one first
    for place in reversed(range(len(runs))):
        places.setdefault(runs[place][1] - runs[place][0], []).append(place)
    place = 0
    while place < len(runs):
        same = places[runs[place][1] - runs[place][0]]
        while same and same[-1] <= place:
            same.pop()
        if same:
            yield runs[place][0], runs[same[-1]][1]
            place = same[-1]
        place += 1


def marked_code(text: str):
    """(start, end) of each piece of code in lines of prose: between backticks in a paragraph, or between tags."""
    start = 0
    for paragraph in re.split(r"(\n[ \t]*\n)", text):
        yield from ((start + first, start + last) for first, last in code_spans(paragraph))
        start += len(paragraph)
    yield from spans(text, r"<(?:pre|code)\b", r"</(?:pre|code)>")


def outside_fences(source: str, change) -> str:
    """`source` with `change(text)` in place of each piece of prose in it; code within a line is part of the prose."""
    return "".join(text if is_code else change(text) for is_code, text in _lines(source))


def outside_code(source: str, change) -> str:
    """`source` with `change(text)` in place of each piece of prose in it."""

    def change_between(text):
        parts, last = [], 0
        for start, end in sorted(marked_code(text)):
            if start >= last:
                parts += [change(text[last:start]), text[start:end]]
                last = end
        return "".join([*parts, change(text[last:])])

    return outside_fences(source, change_between)
