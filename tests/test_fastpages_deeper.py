"""Sections that a page folds: where a fold begins and ends, what is said on it, and the comments that fold nothing."""

import re

import pytest
from lxml import html
from nbformat.v4 import new_markdown_cell
from notebook_kit import HEAD, ROOT, code, picture_output, stream

from _fastpages.site import read_words

COMMENT = "<!-- deeper -->"


def page_of(blog, *cells, head=HEAD):
    """The page of a notebook with these cells, text ones given as their text, as a tree."""
    cells = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return html.fragment_fromstring(blog.body(*cells, head=head), create_parent="div")


def folded(page) -> list:
    """[(id of the heading above a fold, its words without what is said on it)]."""
    found = []
    for fold in page.iter("details"):
        words = " ".join(fold.text_content().split()).removeprefix(fold.find("summary").text_content()).strip()
        found.append((fold.get("aria-labelledby"), words))
    return found


def shown(page) -> str:
    """The words that stand outside of folds."""
    for fold in page.xpath(".//details"):
        fold.drop_tree()
    return " ".join(page.text_content().split())


def test_a_section_is_folded_up_to_the_next_heading_of_its_level(blog):
    page = page_of(blog, f"## One\n{COMMENT}\n\nInside.\n\n### Under one\n\nMore.\n\n## Two\n\nOutside.")
    assert folded(page) == [("One", "Inside. Under one # More.")]
    assert shown(page) == "One # Two # Outside."


def test_a_section_ends_at_a_heading_of_a_higher_level(blog):
    page = page_of(blog, f"## One\n\nBefore.\n\n### Under one\n{COMMENT}\nInside.\n\n## Two\n\nOutside.")
    assert folded(page) == [("Under-one", "Inside.")]
    assert shown(page) == "One # Before. Under one # Two # Outside."


def test_a_section_of_several_cells_is_folded_with_their_code_and_outputs(blog):
    cells = [f"Text.\n\n## One\n\n{COMMENT}", code("first()", stream("said")), "Middle.", code("last()")]
    page = page_of(blog, *cells, "Still.\n\n## Two", code("outside()"))
    assert folded(page) == [("One", "first() said Middle. last() Still.")]
    assert shown(page) == "Text. One # Two # outside()"


def test_the_last_section_leaves_the_footnotes_outside(blog):
    page = page_of(blog, f"## One\n{COMMENT}\n\nInside.[^1]\n\n[^1]: A note.")
    assert page.xpath("boolean(.//details//a[@class='fnref'])")
    assert not page.xpath("boolean(.//details//section)") and page.xpath("boolean(./section[@class='footnotes'])")


def test_sections_next_to_and_within_each_other_are_folded(blog):
    page = page_of(blog, f"## A\n{COMMENT}\n\na\n\n### B\n{COMMENT}\n\nb\n\n## C\n{COMMENT}\n\nc\n\n## D\n\nd")
    assert [name for name, _ in folded(page)] == ["A", "B", "C"]
    assert page.xpath("string(.//details//details/@aria-labelledby)") == "B"
    assert shown(page) == "A # C # D # d"


def test_contents_and_numbers_are_those_of_a_page_without_folds(blog):
    def cells(comment):
        figure = code("#| label: fig-in\n#| fig-cap: Inside.\nplot()", picture_output())
        after = code("#| label: fig-out\n#| fig-cap: Outside.\nplot()", picture_output())
        return [f"# One\n{comment}\n\nText.", figure, "## Two\n\n# Three\n\n[Figure 2](#fig-out)", after]

    def told(post):
        return re.findall(r'<span class="number">.*?</span>|\[\{"level".*|<h2.*?</h2>', post)

    with_folds, name = page_of(blog, *cells(COMMENT)), "2026-03-04-01_one.html"
    post = blog.posts()[name]
    without = page_of(blog, *cells(""))
    assert len(folded(with_folds)) == 1 and folded(without) == []
    assert told(post) == told(blog.posts()[name]) and len(told(post)) >= 5


def test_a_fold_says_how_long_it_takes_and_the_page_does_not_count_it(blog):
    page = page_of(blog, f"{'word ' * 440}\n\n## One\n{COMMENT}\n\n{'word ' * 660}\n\n## Two")
    assert page.findtext(".//summary") == "Going deeper: 3 min to read"
    assert "\nminutes: 2\n" in blog.posts()["2026-03-04-01_one.html"]


def test_the_words_are_those_of_the_pages_language(blog):
    (blog.root / "_data/languages").mkdir()
    danish = ROOT / "_data/languages/da.yml"
    (blog.root / "_data/languages/da.yml").write_bytes(danish.read_bytes())
    page = page_of(blog, f"## One\n{COMMENT}\n\nText.", head=f"{HEAD}- lang: da\n")
    assert page.findtext(".//summary") == read_words(danish)["deeper"].format(1) == "Gå i dybden: 1 min. at læse"


@pytest.mark.parametrize(
    "source",
    [
        f"Text.\n\n{COMMENT}\n\nMore.",
        f"## One\n\nText.\n\n{COMMENT}\n\nMore.",
        f"## One\n{COMMENT} Text.",
        f"A {COMMENT} within a line.",
        f"> ## One\n> {COMMENT}\n>\n> Text.",
        f"<h2>One</h2>\n\n{COMMENT}\n\nText.",
        COMMENT,
    ],
)
def test_a_comment_that_is_not_below_a_heading_is_told_and_folds_nothing(blog, capsys, source):
    page = page_of(blog, "## Before", source)
    told = "01_one.ipynb: cell 3: <!-- deeper -->: no heading stands directly above it; nothing is folded"
    assert told in capsys.readouterr().err
    assert folded(page) == [] and "deeper" not in html.tostring(page, encoding="unicode")


def test_the_comment_in_code_stays_code(blog, capsys):
    page = page_of(blog, f"## One\n\n```\n{COMMENT}\n```\n\n`{COMMENT}`")
    assert folded(page) == [] and page.text_content().count(COMMENT) == 2
    assert "nothing is folded" not in capsys.readouterr().err
