"""Numbers in texts are those of the cells that they come from, and a number with a digit off is noticed."""
import pytest
from claims_kit import (
    ROOT,
    Claim,
    agrees,
    cell_value,
    document_text,
    find,
    html_rows,
    neighbours,
    numbers_in,
    phrase,
    read_claims,
    unclaimed,
)

CLAIMS = read_claims()
MEASURED = [claim for claim in CLAIMS if claim.is_measured]
REPORT = "_posts/2026-11-23-breaking-recaptcha-v2.md"
# Of these every decimal number, percentage and number of thousands is claimed; of all written posts those in tables.
NOTEBOOKS = ["toolkit/toy", "01_collect_data", "toolkit/metrics", "02_baseline", "toolkit/train",
             "03_mixup", "04_label_smoothing_v1", "05_label_smoothing_v2", "06_label_correction", "08_recipe",
             "toolkit/grid", "07_prediction", "09_results", "toolkit/batches",
             "toolkit/calibration", "toolkit/cpu", "toolkit/release"]
WHOLE = ["README.md", "index.html", "_pages/about.md", "recaptcha/labels/README.md", REPORT,
         *(f"_notebooks/{name}.ipynb" for name in NOTEBOOKS)]
TABLES = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "_posts").glob("*.md"))]
TABLES = [name for name in TABLES if "\ntranslation_of:" not in (ROOT / name).read_text(encoding="utf-8")]
BASELINE = "baseline > mobilenet_v2 > 128"


def written(claim: Claim) -> tuple:
    """The numbers that the phrase of a claim states."""
    return find(claim.text, document_text(claim.document), claim.document).groups()


def values(claim: Claim) -> list:
    """What the cells of a claim hold."""
    return [cell_value(claim.source, name) for name in claim.cells]


def pairs(claim: Claim) -> list:
    """(a number, what its cell holds) for each number of a claim."""
    return list(zip(written(claim), values(claim), strict=True))


@pytest.mark.parametrize("name", sorted({claim.document for claim in MEASURED}))
def test_numbers_are_those_of_their_cells(name):
    stated = [(claim.text, *pair) for claim in MEASURED if claim.document == name for pair in pairs(claim)]
    wrong = [f"{text}: {number} is {value:.6g}" for text, number, value in stated if not agrees(number, value)]
    assert wrong == []


@pytest.mark.parametrize("name", WHOLE)
def test_every_number_of_a_text_is_claimed(name):
    assert unclaimed(name, CLAIMS) == [], "not in tests/claims.csv"


@pytest.mark.parametrize("name", TABLES)
def test_every_number_of_a_post_s_tables_is_claimed(name):
    assert unclaimed(name, CLAIMS, tables_alone=True) == [], "not in tests/claims.csv"


def test_a_last_digit_off_is_noticed():
    """One more or less in the last digit fails; where a value lies half way between two numbers, either may stand."""
    stated = [pair for claim in MEASURED for pair in pairs(claim)]
    tried = [(other, value) for number, value in stated for other in neighbours(number)]
    passed = [pair for pair in tried if agrees(*pair)]
    assert len(tried) > 800
    assert len(passed) <= len(tried) / 100, passed


def test_a_changed_number_in_a_text_is_found_out():
    """From the text to the verdict: the phrase is found with its numbers, and the spoilt one disagrees."""
    claim = next(claim for claim in MEASURED if claim.text.startswith("| baseline: MobileNetV2"))
    match = find(claim.text, document_text(claim.document), claim.document)
    spoilt = phrase(claim.text).fullmatch(match[0].replace("0.769", "0.768")).groups()
    verdicts = [agrees(number, value) for number, value in zip(spoilt, values(claim))]
    assert verdicts == [True, False, True, True, True, True]


def test_a_number_that_is_not_claimed_is_found_out():
    claims = [claim for claim in CLAIMS if not claim.text.startswith("| baseline: MobileNetV2")]
    assert [text[-5:] for text in unclaimed("README.md", claims)] == ["0.769", "0.699", " 0.33", " 0.64", "0.933"]


def test_a_phrase_stands_in_one_place():
    assert find("solves {} of # tiles", "it solves 0.50 of 441 tiles", "a text").groups() == ("0.50",)
    for text in ("solves 1 of 2", "solves 1 of 2 tiles, and solves 3 of 4 tiles", "solves none of 4 tiles"):
        with pytest.raises(LookupError, match="a text"):
            find("solves {} of # tiles", text, "a text")


NO_CELLS = [f"mean: {BASELINE} > 6 > * > full > no such column", f"{BASELINE} > 6 > * > full > mAP",
            f"{BASELINE} > mAP"]


@pytest.mark.parametrize("name", NO_CELLS)
def test_a_name_that_fits_no_cell_or_several_is_refused(name):
    with pytest.raises(LookupError, match="runs.csv"):
        cell_value("results/runs.csv", name)


def test_rounding():
    assert agrees("0.84", 0.8375) and agrees("84", 83.75) and agrees("4,851", 4851) and agrees("−0.5", -0.52)
    assert not agrees("0.83", 0.8375) and not agrees("0.838", 0.8369) and not agrees("4,850", 4851)
    assert neighbours("0.50") == ["0.51", "0.49"] and neighbours("4,851") == ["4852", "4850"]
    assert numbers_in("0.769 ± 0.004") == [0.769, 0.004] and numbers_in("3.3e-05") == [3.3e-05]


def test_tables_that_a_notebook_shows():
    head = "<tr><th></th><th></th><th>mAP</th></tr><tr><th>method</th><th>epochs</th><th></th></tr>"
    lines = ["<th rowspan=2>a</th><th>4</th><td>0.1</td>", "<th>6</th><td>0.2</td>", "<th>b</th><th>6</th><td>0.3</td>"]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    rows = html_rows(f"<table><thead>{head}</thead><tbody>{body}</tbody></table>")
    assert [row.key for row in rows] == [("a", "4"), ("a", "6"), ("b", "6")]
    assert [row.cells for row in rows] == [{"mAP": "0.1"}, {"mAP": "0.2"}, {"mAP": "0.3"}]
