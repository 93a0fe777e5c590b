"""The complete labels are what the passes say, of every training tile, and no test tile was on a sheet."""
import pandas as pd
import pytest
from annotation_facts import (
    LABELS,
    PASSES,
    answers_of,
    complete_answers,
    control_facts,
    copy_groups,
    table,
    tenth_facts,
)

from recaptcha.labels import combined, pass_answers
from recaptcha.tiles import DataError
from recaptcha.toy import CLASSES

MISSING = 209  # upstream files that the mirror lacks
ANNOTATED = [LABELS / "complete.csv", LABELS / "cells.csv", PASSES]
COLUMNS = ["file", "pass", "labels", "doubt", "asked"]


def manifest() -> pd.DataFrame:
    return table(LABELS / "manifest.csv").set_index("file")


@pytest.mark.parametrize("path", ANNOTATED, ids=lambda path: path.name)
def test_no_test_tile_and_no_copy_of_one_was_annotated(path):
    tiles, groups, files = manifest(), copy_groups(), table(path).file
    tested = tiles.index[tiles.set == "test"]
    assert set(files) <= set(tiles.index)
    assert set(groups[files]).isdisjoint(groups[tested])
    assert set(tiles.git_blob_sha1[files]).isdisjoint(tiles.git_blob_sha1[tested])


def test_the_tile_at_every_place_of_every_sheet_is_named():
    """Nothing else was on the sheets: places and sheets are counted without a gap, and copies are shown once a pass."""
    for name, rows in table(PASSES).groupby("pass"):
        places = rows.groupby("sheet").place.apply(sorted)
        assert all(there == list(range(1, len(there) + 1)) for there in places)
        assert sorted(sheet[1:] for sheet in places.index) == [f"{i:03}" for i in range(len(places))]
        assert copy_groups()[rows.file].is_unique, name


def test_every_training_tile_of_the_mirror_has_complete_labels():
    files, tiles = table(LABELS / "complete.csv").file, manifest()
    assert files.is_unique
    assert len(files) == (tiles.set != "test").sum() - MISSING
    assert set(tiles.index[tiles.set == "small"]) <= set(files)


def test_complete_labels_are_what_the_passes_say():
    groups, complete = copy_groups(), complete_answers()
    said = combined(table(PASSES))
    said.index = groups[said.index]
    assert set(said.index) == set(groups[complete.index])
    expected = said.loc[groups[complete.index]].set_axis(complete.index)
    pd.testing.assert_frame_equal(complete, expected, check_names=False)


@pytest.mark.parametrize("path", [LABELS / "complete.csv", PASSES], ids=lambda path: path.name)
def test_classes_are_seen_or_in_doubt_once_and_in_their_order(path):
    rows = table(path)
    for labels, doubt in zip(rows.labels, rows.doubt):
        seen, unsure = (list(filter(None, names.split(";"))) for names in (labels, doubt))
        assert set(seen).isdisjoint(unsure)
        for names in (seen, unsure):
            assert names == [name for name in CLASSES if name in names]


def test_doubts_were_shown_again_and_contradictions_a_third_time():
    passes = table(PASSES)
    first, again = answers_of("first"), pd.concat([answers_of("tenth"), answers_of("disputed")])
    assert again.index.is_unique
    assert set(first.index[first.isna().any(axis=1)]) <= set(again.index)
    told = first.loc[again.index]
    differ = told.notna() & again.notna() & (told != again)
    third = passes[passes["pass"] == "third"].set_index("file")
    asked = {file: set(names.split(";")) for file, names in third.asked.items()}
    assert asked == {file: set(differ.columns[row]) for file, row in differ.iterrows() if row.any()}
    assert (passes.asked[passes["pass"] != "third"] == "").all()


def test_the_complete_labels_are_as_good_as_they_have_to_be():
    assert control_facts("first", answers_of("first"))["first"]["F1"] >= 0.94
    assert control_facts("after", complete_answers())["after"]["F1"] >= 0.96
    tenth = tenth_facts()
    weak = [name for name in CLASSES if tenth[f"tenth {name}"]["kappa"] <= 0.9]
    assert weak == ["Mountain"] and tenth["tenth Mountain"]["tiles"] < 50


# The rule, on answers about buses: of the first pass, the second and the third

SEEN, UNSURE, NOT_SEEN = ("Bus", ""), ("", "Bus"), ("", "")


def answer(*said, asked="Bus") -> float:
    """What becomes of up to three answers: 1, 0, or NaN for doubt."""
    names = ("first", "disputed", "third")
    rows = [("a", name, *words, asked if name == "third" else "") for name, words in zip(names, said)]
    return combined(pd.DataFrame(rows, columns=COLUMNS)).loc["a", "Bus"]


@pytest.mark.parametrize("said, means", [
    ((SEEN,), 1), ((NOT_SEEN,), 0), ((UNSURE,), None),
    ((SEEN, SEEN), 1), ((NOT_SEEN, NOT_SEEN), 0), ((UNSURE, UNSURE), None),
    ((SEEN, UNSURE), 1), ((UNSURE, SEEN), 1), ((NOT_SEEN, UNSURE), 0), ((UNSURE, NOT_SEEN), 0),
    ((SEEN, NOT_SEEN), None), ((NOT_SEEN, SEEN), None),
    ((SEEN, NOT_SEEN, SEEN), 1), ((SEEN, NOT_SEEN, NOT_SEEN), 0), ((SEEN, NOT_SEEN, UNSURE), None),
    ((NOT_SEEN, SEEN, SEEN), 1), ((NOT_SEEN, SEEN, NOT_SEEN), 0), ((NOT_SEEN, SEEN, UNSURE), None),
    ((SEEN, SEEN, NOT_SEEN), 1), ((UNSURE, SEEN, NOT_SEEN), 1),
])
def test_passes_are_combined(said, means):
    assert answer(*said) == means if means is not None else pd.isna(answer(*said))


def test_the_third_pass_decides_only_what_it_was_asked():
    assert pd.isna(answer(SEEN, NOT_SEEN, SEEN, asked="Car"))


def test_tiles_of_one_pass_alone_stay_as_they_were_told():
    rows = [("a", "first", "Bus", "Car", ""), ("b", "first", "", "", ""), ("b", "tenth", "", "", "")]
    said = combined(pd.DataFrame(rows, columns=COLUMNS))
    assert list(said.index) == ["a", "b"] and list(said) == CLASSES
    assert said.loc["a", "Bus"] == 1 and pd.isna(said.loc["a", "Car"]) and said.loc["a"].sum() == 1
    assert (said.loc["b"] == 0).all()


def test_a_pass_with_a_fault_is_refused():
    twice = pd.DataFrame([("a", "Bus", ""), ("a", "", "")], columns=["file", "labels", "doubt"])
    with pytest.raises(DataError, match="'a' is there twice"):
        pass_answers(twice)
    for row in (("a", "Bus;Tank", ""), ("a", "", "Tank")):
        with pytest.raises(DataError, match="unknown class 'Tank'"):
            pass_answers(pd.DataFrame([row], columns=["file", "labels", "doubt"]))
