"""What the data card of the label files states, counted anew from the files."""
import csv
from collections import Counter

from claims_kit import ROOT

LABELS = ROOT / "recaptcha/labels"
COMPLETE = ("small.csv", "test.csv", "test_second.csv")


def rows(name: str) -> list:
    with open(LABELS / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def split(labels: str) -> list:
    return [label for label in labels.split(";") if label]


def complete_facts(name: str, classes: list) -> dict:
    """Of a file with complete labels: tiles, labels, and what their folders say."""
    tiles = [(row["folder"], split(row["labels"])) for row in rows(name)]
    filed = [(folder, labels) for folder, labels in tiles if folder != "Other"]
    return {"rows": len(tiles), **{label: sum(label in labels for _, labels in tiles) for label in classes},
            "objects": sum(len(labels) for _, labels in tiles), "none": sum(not labels for _, labels in tiles),
            "several": sum(len(labels) > 1 for _, labels in tiles),
            "left out": (left_out := sum(label != folder for folder, labels in tiles for label in labels)),
            "unnamed share": left_out / sum(len(classes) - (folder in classes) for folder, _ in tiles),
            "filed": len(filed), "wrong": sum(folder not in labels for folder, labels in filed)}


def answer_facts(column: str, classes: list) -> dict:
    """Of `checked.csv`: the objects that were seen, or not seen."""
    answers = [split(row[column]) for row in rows("checked.csv")]
    return {**{label: sum(label in seen for seen in answers) for label in classes}, "objects": sum(map(len, answers))}


def manifest_facts() -> dict:
    tiles = rows("manifest.csv")
    groups = {}
    for tile in tiles:
        if tile["duplicate_group"]:
            groups.setdefault(tile["duplicate_group"], []).append(tile["folder"])
    return {"rows": len(tiles), "folders": len({tile["folder"] for tile in tiles}), "groups": len(groups), "copies": sum(map(len, groups.values())),
            "groups across folders": sum(len(set(folders)) > 1 for folders in groups.values())}


def agreement_facts() -> dict:
    """How far the second annotation of the test tiles agrees with the first: a row an object, and one for all of them."""
    from recaptcha.results import agreement, second_answers
    from recaptcha.runs import test_answers
    first, second = test_answers()[0], second_answers()
    table = agreement(first, second)
    differ = first != second
    whole = {**table.mean().to_dict(), "answers": differ.size, "differ": int(differ.sum()), "share equal": 1 - differ.mean(), "tiles that differ": int(differ.any(1).sum()),
             "the other way": agreement(second, first).solved.mean()}
    return {**{f"agreement {name}": values for name, values in table.to_dict("index").items()}, "agreement": whole}


def facts() -> dict:
    """{a file or a comparison: {figure: value}}."""
    from recaptcha.toy import CLASSES
    found = {name: complete_facts(name, CLASSES) for name in COMPLETE}
    tiles, objects, left_out, wrong, filed = (sum(found[name][key] for name in COMPLETE[:2]) for key in ("rows", "objects", "left out", "wrong", "filed"))
    checked = rows("checked.csv")
    present, absent = answer_facts("present", CLASSES), answer_facts("absent", CLASSES)
    whole = {"rows": len(checked), "answers": present["objects"] + absent["objects"],
             "complete": sum(len(split(row["present"])) + len(split(row["absent"])) == len(CLASSES) for row in checked)}
    largest = max(Counter(row["folder"] for row in rows("small.csv")).values())
    both = {"tiles": tiles, "objects": objects, "wrong": wrong, "filed": filed, "share wrong": wrong / filed, "share left out": left_out / objects, "largest folder": largest}
    return {**found, "manifest.csv": manifest_facts(), "checked.csv": whole, "present": present, "absent": absent, "both": both, **agreement_facts()}
