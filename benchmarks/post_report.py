"""Figures and numbers of the post "Breaking reCAPTCHA v2": what folders leave out, and how far the series has come.

    python benchmarks/post_report.py

Reads the tiles (`recaptcha.tiles`), their complete labels and results/runs.csv; trains nothing. Writes
images/posts/report/ and results/posts/report.csv, and prints the table.
"""
import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from recaptcha.metrics import report
from recaptcha.results import agreement, second_answers
from recaptcha.runtable import read_table, runs_at
from recaptcha.style import BLUE, GREY, ORANGE, RED, style
from recaptcha.tiles import load_tiles, open_tile
from recaptcha.toy import CLASSES

ROOT = Path(__file__).resolve().parent.parent
FIGURES, TABLE = ROOT / "images/posts/report", ROOT / "results/posts/report.csv"
RUNS = {
    "baseline": ("baseline", 6),
    "recipe": ("recipe", 6),
    "recipe, taught": ("recipe_distilled", 12),
}  # methods and epochs of runs, by the names of their rows
DISTILLED = "recipe with\ndistillation"  # what the figure calls the last of them
TITLES = {"axes.titleweight": "bold", "axes.titlelocation": "left"}


def save(figure, name):
    FIGURES.mkdir(parents=True, exist_ok=True)
    path = FIGURES / f"{name}.svg"
    figure.savefig(path, bbox_inches="tight", backend="module://recaptcha.style", metadata={"Date": None})
    plt.close(figure)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


def draw_tiles(test):
    """Six test tiles of six folders that show three objects or more, with the folder's word and what it leaves out."""
    many = test[test.labels.map(len) >= 3]
    chosen = many.sample(frac=1, random_state=4).drop_duplicates("folder").head(6)
    figure, axes = plt.subplots(2, 3, figsize=(4.4, 3.7))
    for axis, tile in zip(axes.flat, chosen.itertuples()):
        axis.imshow(open_tile(tile.path))
        axis.set_axis_off()
        axis.set_title(tile.folder, color=BLUE, loc="center", pad=4)
        rest = [label for label in tile.labels if label != tile.folder]
        axis.text(
            0.5, -0.05, "\n".join(rest), transform=axis.transAxes, ha="center", va="top", color=RED
        )
    figure.subplots_adjust(wspace=0.1, hspace=0.7)
    save(figure, "tiles")


def count_named(labelled):
    """Of the tiles that show an object: how many stand in its folder, how many in another. A row an object."""
    rows = {
        name: (
            sum(name in labels and folder == name for folder, labels in zip(labelled.folder, labelled.labels)),
            sum(name in labels and folder != name for folder, labels in zip(labelled.folder, labelled.labels)),
        )
        for name in CLASSES
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["in its folder", "elsewhere"])


def draw_counts(counts):
    counts = counts.loc[counts.sum(axis=1).sort_values().index]
    figure, axis = plt.subplots(figsize=(4.4, 4))
    axis.barh(counts.index, counts["in its folder"], color=BLUE, label="in the folder of that name")
    axis.barh(counts.index, counts["elsewhere"], left=counts["in its folder"], color=ORANGE, label="in another folder")
    axis.set_xlabel("tiles that show it")
    axis.set_title("Most cars are not in the folder Car")
    axis.legend(frameon=False, loc="lower right")
    save(figure, "counts")


def draw_gap(answers):
    """Challenges solved without an error, by each kind of answer; a dot for each seed."""
    figure, axis = plt.subplots(figsize=(3.8, 3.6))
    for place, (name, shares) in enumerate(answers):
        axis.plot(shares, [place] * len(shares), "o", ms=10, color=ORANGE if name in {*RUNS, DISTILLED} else GREY)
        axis.annotate(
            f"{sum(shares) / len(shares):.2f}",
            (max(shares), place),
            xytext=(12, 0),
            textcoords="offset points",
            va="center",
        )
    axis.set_yticks(range(len(answers)), [name for name, _ in answers])
    axis.set(
        xlim=(-0.03, 1.03), ylim=(-0.6, len(answers) - 0.4), xlabel="share of 3×3 challenges solved"
    )
    axis.grid(axis="x", color=GREY, alpha=0.3)
    axis.set_axisbelow(True)
    axis.set_title("Additional labels lift it above the oracle")
    save(figure, "gap")


def main(argv=None):
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(argv)
    style()
    plt.rcParams.update(TITLES)
    tiles = load_tiles("full")
    labelled, test = tiles[tiles.set != ""], tiles[tiles.set == "test"]
    truth = np.array([[name in labels for name in CLASSES] for labels in test.labels])
    answers = {
        "nothing": np.zeros(truth.shape),
        "folder": np.array([[name == folder for name in CLASSES] for folder in test.folder], dtype=float),
    }
    rows = {f"{name}, {key}": value for name, probs in answers.items() for key, value in report(probs, truth).items()}
    table = read_table(ROOT / "results/runs.csv")
    runs = {name: runs_at(table, method=method, epochs=epochs) for name, (method, epochs) in RUNS.items()}
    for name, seeds in runs.items():
        rows |= {
            f"{name}, {key}": seeds[key].mean() for key in ("mAP", "F1", "accuracy_multi", "solved", "solved_1err")
        } | {f"{name}, seeds": len(seeds)}
    agreed = agreement(truth, second_answers())
    rows |= {f"second annotation, {key}": agreed[key].mean() for key in ("F1", "solved")}
    counts = count_named(labelled)
    rows |= {
        "labelled tiles": len(labelled),
        "objects on them": int(counts.sum().sum()),
        "objects the folder leaves out": int(counts["elsewhere"].sum()),
        "share left out": counts["elsewhere"].sum() / counts.sum().sum(),
        "share of cars in other folders": counts.loc["Car", "elsewhere"] / counts.loc["Car"].sum(),
        "tiles that show a mountain": int(counts.loc["Mountain"].sum()),
        "of them in its folder": int(counts.loc["Mountain", "in its folder"]),
    }
    draw_tiles(test)
    draw_counts(counts)
    draw_gap(
        [
            ("all-negative\nbaseline", [rows["nothing, solved"]]),
            ("baseline", list(runs["baseline"].solved)),
            ("folder-label\noracle", [rows["folder, solved"]]),
            ("recipe", list(runs["recipe"].solved)),
            (DISTILLED, list(runs["recipe, taught"].solved)),
            ("a second\nannotation", [rows["second annotation, solved"]]),
        ]
    )
    table = pd.Series(rows, name="value").rename_axis("quantity").round(4)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(TABLE)
    print(table.to_string())


if __name__ == "__main__":
    main()
