"""What the data card of the label files states, counted anew from the files."""
import csv
from collections import Counter, defaultdict

import annotation_facts
from claims_kit import ROOT

LABELS = ROOT / "recaptcha/labels"
COMPLETE = ("small.csv", "test.csv", "test_second.csv", "complete.csv")


def rows(name: str) -> list:
    with open(LABELS / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def split(labels: str) -> list:
    return [label for label in labels.split(";") if label]


def complete_facts(name: str, classes: list) -> dict:
    """Of a file with complete labels: tiles, labels, and what their folders say."""
    tiles = [(row["file"].split("/")[0], split(row["labels"])) for row in rows(name)]
    filed = [(folder, labels) for folder, labels in tiles if folder != "Other"]
    return {
        **{label: sum(label in labels for _, labels in tiles) for label in classes},
        "rows": len(tiles),
        "objects": sum(len(labels) for _, labels in tiles),
        "none": sum(not labels for _, labels in tiles),
        "several": sum(len(labels) > 1 for _, labels in tiles),
        "left out": sum(label != folder for folder, labels in tiles for label in labels),
        "unnamed": sum(len(classes) - (folder in classes) for folder, _ in tiles),  # what the folder does not answer
        "Other": len(tiles) - len(filed),
        "shown in Other": sum(folder == "Other" and bool(labels) for folder, labels in tiles),
        "filed": len(filed),
        "wrong": sum(folder not in labels for folder, labels in filed),
        "largest folder": max(Counter(folder for folder, _ in tiles).values()),
    }


def checked_facts(classes: list) -> dict:
    """Of `checked.csv`: what was asked, and what was seen, or not seen."""
    answers = {column: [split(row[column]) for row in rows("checked.csv")] for column in ("present", "absent")}
    seen = {}
    for column, lists in answers.items():
        seen[column] = {label: sum(label in labels for labels in lists) for label in classes}
        seen[column]["objects"] = sum(map(len, lists))
    asked = [len(present) + len(absent) for present, absent in zip(answers["present"], answers["absent"])]
    return {**seen, "checked.csv": {"rows": len(asked), "answers": sum(asked), "complete": asked.count(len(classes))}}


def manifest_facts() -> dict:
    tiles = rows("manifest.csv")
    groups = defaultdict(list)
    for tile in tiles:
        groups[tile["duplicate_group"]].append(tile["folder"])
    del groups[""]  # no copies of any other
    sizes = Counter(tile["folder"] for tile in tiles)
    return {
        **sizes,
        "rows": len(tiles),
        "folders": len(sizes),
        "groups": len(groups),
        "copies": sum(map(len, groups.values())),
        "groups across folders": sum(len(set(folders)) > 1 for folders in groups.values()),
    }


def agreement_facts() -> dict:
    """How far the second annotation of the test tiles agrees with the first, by object and in all."""
    from recaptcha.results import agreement, second_answers
    from recaptcha.train import test_answers
    first, second = test_answers()[0], second_answers()
    table, differ = agreement(first, second), first != second
    whole = {
        **table.mean().to_dict(),
        "answers": differ.size,
        "differ": int(differ.sum()),
        "share equal": 1 - differ.mean(),
        "tiles that differ": int(differ.any(1).sum()),
        "the other way": agreement(second, first).solved.mean(),
    }
    return {**{f"agreement {name}": values for name, values in table.to_dict("index").items()}, "agreement": whole}


def facts() -> dict:
    """{a file or a comparison: {figure: value}}."""
    from recaptcha.toy import CLASSES
    found = {name: complete_facts(name, CLASSES) for name in COMPLETE}
    both = {key: found["small.csv"][key] + found["test.csv"][key] for key in found["test.csv"]}
    return {
        **found,
        "both": both,
        "manifest.csv": manifest_facts(),
        **checked_facts(CLASSES),
        **agreement_facts(),
        **annotation_facts.facts(),
    }
