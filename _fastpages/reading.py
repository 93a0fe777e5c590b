"""How long a reader takes for a page."""

from .tree import parse

WORDS_A_MINUTE, LINES_A_MINUTE = 220, 40
ELSEWHERE = ".//table | .//svg | .//pre[not(contains(@class, 'highlight'))]"  # looked at rather than read


def minutes_to_read(body: str) -> int:
    """Minutes for what a page shows at first: its prose by the words, its code by the lines. What is folded, such as
    solutions and the module's code, is left out.
    """
    root = parse(body)
    for fold in root.xpath(".//details[not(@open)]"):
        fold.drop_tree()
    code = root.xpath(".//pre[contains(@class, 'highlight')]")
    lines = sum(block.text_content().rstrip().count("\n") + 1 for block in code)
    for part in [*code, *root.xpath(ELSEWHERE)]:
        part.drop_tree()
    words = len(root.text_content().split())
    return max(1, round(words / WORDS_A_MINUTE + lines / LINES_A_MINUTE))
