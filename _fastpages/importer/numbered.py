"""A text whose lines keep the numbers that they had in their file, however often it is rewritten."""

import re
from bisect import bisect_left

# Code, in which nothing is rewritten: a fenced block, and a span within a line.
FENCE = r"(?P<fence>^[ \t]*(?P<marks>`{3,}|~{3,})[\s\S]*?(?:^[ \t]*(?P=marks)[`~]*[ \t]*$|\Z))"
CODE = r"(?P<code>(?<!`)(?P<ticks>`+)(?!`)[^\n]{1,2000}?(?<!`)(?P=ticks)(?!`))"


def _ends(text: str) -> list:
    """Where the lines of a text end, the last one left out."""
    return [end.start() for end in re.finditer("\n", text)]


class Numbered:
    """`text`, whose first line has the number `first`."""

    def __init__(self, text: str, first: int = 1):
        self.text = text
        self.lines = list(range(first, first + text.count("\n") + 1))
        self.ends = _ends(text)

    def line(self, match) -> int:
        """The number of the line in the file at which a match begins."""
        return self.lines[bisect_left(self.ends, match.start())]

    def sub(self, pattern: re.Pattern, write) -> None:
        """Puts `write(match)` in place of each match, as `re.sub` does."""
        parts, lines, last, place = [], self.lines[:1], 0, 0
        for match in pattern.finditer(self.text):
            kept, new = self.text[last : match.start()], write(match)
            count = kept.count("\n")
            lines += self.lines[place + 1 : place + count + 1]
            place += count
            lines += [self.lines[place]] * new.count("\n")
            place += match[0].count("\n")
            parts += [kept, new]
            last = match.end()
        self.text, self.lines = "".join([*parts, self.text[last:]]), lines + self.lines[place + 1 :]
        self.ends = _ends(self.text)
