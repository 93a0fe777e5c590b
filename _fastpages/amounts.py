"""Tells amounts of money from formulas: "from $1,000 to $2,000" has no formula between its dollars."""

import re

TEX = re.compile(r"[\\{}^=]")
NUMBER = re.compile(r"\s*\d")
# Words that stand between two amounts, and never in a formula without a backslash.
WORDS = re.compile(
    r"\s(?:and|are|as|at|but|by|each|for|from|in|is|more|of|off|on|or|out|per|plus|than|that|the|then|to|up|versus|vs|"
    r"was|were|when|which|while|with|worth|und|bis|oder|et|ou|og|eller|til)(?=\s|$|[,.;:])",
    re.I,
)
BREAK = re.compile(r"[.,;:!?)]\s+[a-z]{2,}", re.I)
CURRENCY = re.compile(r"(?:^|\W)(?:US|AU|CA|NZ|HK|NT|[ACRS])$")  # before the second dollar
WORD = re.compile(r"(?:^|\s)[a-z]{2,}(?=\s|$|[,.;:])", re.I)


def is_money(body: str, after: str, before: str = "") -> bool:
    """Whether what stands between two dollars is prose; `before` and `after` are the characters around them."""
    if TEX.search(body):
        return False
    if before.isdigit() and body[0].isspace():  # 5$ to 10$
        return True
    if NUMBER.match(body):
        prose = WORDS.search(body) or BREAK.search(body) or CURRENCY.search(body)
        return after.isdigit() or body[-1].isspace() or bool(prose)
    if body[-1].isspace() and not body[0].isspace() and WORDS.search(body):  # $HOME and $PATH
        return True
    return after.isdigit() and bool(WORD.search(body))
