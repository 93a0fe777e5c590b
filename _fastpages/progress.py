"""Knows the lines that a progress bar left in an output, which mean nothing once the work is done."""

import re

from .scan import cut, strip_tags

# Every repetition is bounded, or ends at a mark that no match begins within: no line is read over and over.
BLOCKS = "█▉▊▋▌▍▎▏░▒▓"
DONE = r"\s{0,4}\d[\d.]{0,8}\s?"  # how far it is, to be followed by its unit
BAR = re.compile(
    rf"\d%\|[ #{BLOCKS}\d]*\|"  # tqdm: " 37%|███▋      | 3/8"
    r"|\[(?:\d{1,9}/\d{1,9} )?\d{1,9}:\d\d(?::\d\d)?<"  # tqdm's "[00:01<00:02", fastprogress's "[2/5 00:12<00:18"
    r"|\[\d{1,9}:\d\d(?::\d\d)?, {1,4}[\d.?]{1,12}\s?\w{1,20}/\w"  # tqdm without a total: "[00:00, 9.1it/s"
    r"|\d(?:it|B) \[\d{1,9}:\d\d"
    rf"|[━╸╺]{{4}}{DONE}[%/:]|\d/\d{{1,9}} [━╸╺]{{4}}"  # rich and pip: "━━━━ 100% 0:00:01"; Keras: "3/8 ━━━━"
    rf"|\|[{BLOCKS}][{BLOCKS} .-]{{3,}}\|{DONE}[%/]"  # "|████    | 40%"
    rf"|\[[=#>.\-{BLOCKS} ]{{6,}}\]{DONE}%"  # "[=====>    ] 62%"; but "[########] 8 tests" is a result
    rf"|\d(?:\s?%\s{{0,4}}|/\d{{1,9}} )\[[=#>.\-{BLOCKS} ]{{6,}}\]"
)  # "62% [=====>    ]", "5/8 [=====>....]"
COUNTED = re.compile(r"\[\d+/\d+")  # fastprogress in HTML: " 40.00% [2/5 00:12<00:18]"


def is_progress(line: str) -> bool:
    """Whether a progress bar left this line of text."""
    return bool(BAR.search(line))


def _without_counts(text: str) -> str:
    """What stands beside a bar of fastprogress, without what it counted."""
    counted = COUNTED.search(text)
    end = text.rfind("]")
    return text[end + 1 :] if counted and end > counted.end() - 1 else text


def without_bars(html: str) -> str:
    """An HTML output without its progress bars, their styles, and the lines under or around them."""
    had_bar = shows_bar(html)
    html = cut(cut(html, "<style>", "</style>"), r"<progress\b", "</progress>")
    html = cut(html, r"<progress\b", ">")
    if had_bar:
        return "".join(_without_counts(part) for part in re.split("([<>])", html))
    if html.lstrip().startswith("<pre"):
        return "\n".join(line for line in html.split("\n") if not is_progress(strip_tags(line)))
    return html


def shows_bar(html: str) -> bool:
    return bool(re.search(r"<progress\b", html, re.I))
