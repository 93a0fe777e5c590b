"""What a lesson's opening says of itself: how long it takes to read, and to run."""

import re
from dataclasses import dataclass

REST = r'([^\n\\"]{0,300})'  # of the line


@dataclass(frozen=True)
class Stated:
    """Minutes, as a lesson states them."""

    read: int
    run: int | None


def stated_minutes(text: str, word: str) -> Stated | None:
    """The minutes of the line `**Time** 10 minutes to read, 4 to run …`, where `word` is "Time"; None without one.

    `text` is a document's file as it is, so that a line may end as JSON has it.
    """
    line = re.search(rf"\*\*{re.escape(word)}[.:]?\*\*{REST}", text)
    numbers = [int(number) for number in re.findall(r"\d{1,4}", line[1])] if line else []
    return Stated(numbers[0], numbers[1] if len(numbers) > 1 else None) if numbers else None


def run_minutes(text: str, word: str) -> int | None:
    """The minutes that running a lesson takes; None where it does not say."""
    stated = stated_minutes(text, word)
    return stated and stated.run
