"""Numbers in texts are those of the cells that they come from, and a number with a digit off is noticed."""
import pytest
from claims_kit import (ROOT, Claim, agrees, cell_value, document_text, find, html_rows, neighbours, numbers_in, phrase, read_claims,
                        unclaimed)

CLAIMS = read_claims()
# Of these every decimal number, percentage and number of thousands is claimed; of the other written posts those in tables.
WHOLE = ["README.md", "index.html", "_pages/about.md", "recaptcha/labels/README.md", "_posts/2026-11-23-breaking-recaptcha-v2.md",
         *(f"_notebooks/{name}.ipynb" for name in (
             "01_collect_data", "01b_metrics", "02_baseline", "02b_runs", "03_mixup", "04_label_smoothing_v1", "05_label_smoothing_v2",
             "06_label_correction", "06a_recipe", "07_prediction", "08_results", "09_release"))]
TABLES = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "_posts").glob("*.md"))]


def written(claim: Claim) -> tuple:
    """The numbers that the phrase of a claim states."""
    return find(claim.text, document_text(claim.document), claim.document).groups()


def values(claim: Claim) -> list:
    """What the cells of a claim hold."""
    return [cell_value(claim.source, name) for name in claim.cells]


@pytest.mark.parametrize("name", sorted({claim.document for claim in CLAIMS}))
def test_numbers_are_those_of_their_cells(name):
    wrong = []
    for claim in CLAIMS:
        if claim.document == name and claim.is_measured:
            stated, held = written(claim), values(claim)
            assert len(stated) == len(held), claim
            wrong += [f"{number}, not {value:.6g} ({cell})" for number, value, cell in zip(stated, held, claim.cells) if not agrees(number, value)]
    assert wrong == []


@pytest.mark.parametrize("name", WHOLE)
def test_every_number_of_a_text_is_claimed(name):
    assert unclaimed(name, CLAIMS) == [], "not in tests/claims.csv"


@pytest.mark.parametrize("name", TABLES)
def test_every_number_of_a_post_s_tables_is_claimed(name):
    assert unclaimed(name, CLAIMS, tables_alone=True) == [], "not in tests/claims.csv"


def test_a_last_digit_off_is_noticed():
    """A change of one in the last digit must not pass, whatever the number; where a value lies half way, one of its neighbours may."""
    tried = [(other, value) for claim in CLAIMS if claim.is_measured for number, value in zip(written(claim), values(claim))
             for other in neighbours(number)]
    passed = [pair for pair in tried if agrees(*pair)]
    assert len(tried) > 800
    assert len(passed) <= len(tried) / 100, passed


def test_a_changed_number_in_a_text_is_found_out():
    """The same through the whole of it, for a text as it stands: the phrase is found, and its number disagrees with its cell."""
    claim = next(claim for claim in CLAIMS if claim.document == "README.md" and claim.text.startswith("| baseline"))
    match = find(claim.text, document_text("README.md"), "README.md")
    spoilt = match[0].replace("0.769", "0.768")
    assert [agrees(number, value) for number, value in zip(phrase(claim.text).fullmatch(spoilt).groups(), values(claim))] == [True, False, *[True] * 4]


def test_a_phrase_stands_in_one_place():
    assert find("solves {} of # tiles", "it solves 0.50 of 441 tiles", "a text").groups() == ("0.50",)
    for text in ("solves 1 of 2", "solves 1 of 2 tiles, and solves 3 of 4 tiles", "solves none of 4 tiles"):
        with pytest.raises(LookupError, match="a text"):
            find("solves {} of # tiles", text, "a text")


@pytest.mark.parametrize("name", ["mean: baseline > mobilenet_v2 > 128 > 6 > * > full > no such column", "baseline > mobilenet_v2 > 128 > 6 > * > full > mAP",
                                  "baseline > mobilenet_v2 > 128 > mAP"])
def test_a_cell_that_is_not_one_is_refused(name):
    with pytest.raises(LookupError, match="runs.csv"):
        cell_value("results/runs.csv", name)


def test_rounding():
    assert agrees("0.84", 0.8375) and agrees("84", 83.75) and agrees("4,851", 4851) and agrees("−0.5", -0.52)
    assert not agrees("0.83", 0.8375) and not agrees("0.838", 0.8369) and not agrees("4,850", 4851)
    assert neighbours("0.50") == ["0.51", "0.49"] and neighbours("4,851") == ["4852", "4850"]
    assert numbers_in("0.769 ± 0.004") == [0.769, 0.004] and numbers_in("3.3e-05") == [3.3e-05]


def test_tables_that_a_notebook_shows():
    head = "<tr><th></th><th></th><th>mAP</th></tr><tr><th>method</th><th>epochs</th><th></th></tr>"
    body = "<tr><th rowspan=2>a</th><th>4</th><td>0.1</td></tr><tr><th>6</th><td>0.2</td></tr><tr><th>b</th><th>6</th><td>0.3</td></tr>"
    rows = html_rows(f"<table><thead>{head}</thead><tbody>{body}</tbody></table>")
    assert [(row.key, row.cells) for row in rows] == [(("a", "4"), {"mAP": "0.1"}), (("a", "6"), {"mAP": "0.2"}), (("b", "6"), {"mAP": "0.3"})]
