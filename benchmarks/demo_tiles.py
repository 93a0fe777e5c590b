"""The tiles that the demo page's samples are composed of, as one figure, with the labels of each; and one more tile,
the photograph of the 4×4, with the squares that show its object.

    python benchmarks/demo_tiles.py

Draws four times nine tiles of the corrected small set (`recaptcha/labels/small.csv`), never one of the test set nor a
copy of one: for each of four targets some that show it and some that do not, by chance. Writes images/demo/tiles.webp
and tiles.csv, photograph.webp and photograph.csv, and prints what storing the tiles with loss does to the network's
answers.
"""
import argparse
import csv
import random
from pathlib import Path

import numpy as np
from PIL import Image

from recaptcha.network import Network
from recaptcha.tiles import load_cells, load_tiles, open_tile

FIGURES = Path(__file__).resolve().parent.parent / "images/demo"
TARGETS = {"Traffic Light": 3, "Crosswalk": 4, "Palm": 3, "Bicycle": 3}  # how many of nine tiles show it
PHOTOGRAPH = "Bus/Bus (816)"  # of the tiles whose cells are labelled, none of them in doubt
SIDE, ACROSS, QUALITY, SEED = 120, 9, 95, 2


def choose(small, rng):
    """Nine tiles for each target, in an order of chance."""
    left, chosen = small.sample(frac=1, random_state=SEED), []
    for target, count in TARGETS.items():
        shows = left.labels.map(lambda labels, target=target: target in labels)
        nine = [*left[shows].head(count).itertuples(), *left[~shows].head(9 - count).itertuples()]
        rng.shuffle(nine)
        chosen += nine
        left = left.drop([tile.Index for tile in nine])
    return chosen


def save_table(path, names, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(names)
        table.writerows(rows)


def save_photograph(tiles):
    """`PHOTOGRAPH`, which is no tile of the test set either, and its squares from `recaptcha/labels/cells.csv`."""
    (tile,) = tiles[(tiles.file == PHOTOGRAPH) & (tiles.set != "test") & (tiles.duplicate_group == "")].itertuples()
    open_tile(tile.path).save(FIGURES / "photograph.webp", quality=QUALITY, method=6)
    cells = load_cells("full")
    (of,) = cells[cells.file == PHOTOGRAPH].to_dict("records")
    row = [of["file"], of["class"], ";".join(map(str, of["required"]))]
    save_table(FIGURES / "photograph.csv", ["file", "class", "squares"], [row])


def main(argv=None):
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(argv)
    tiles = load_tiles("full")
    small = tiles[
        (tiles.set == "small") & (tiles.duplicate_group == "") & (tiles.width == SIDE) & (tiles.height == SIDE)
    ]
    chosen = choose(small, random.Random(SEED))
    figure = Image.new("RGB", (ACROSS * SIDE, len(chosen) // ACROSS * SIDE))
    for place, tile in enumerate(chosen):
        figure.paste(open_tile(tile.path), (place % ACROSS * SIDE, place // ACROSS * SIDE))
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.save(FIGURES / "tiles.webp", quality=QUALITY, method=6)
    save_table(FIGURES / "tiles.csv", ["file", "labels"], [[tile.file, ";".join(tile.labels)] for tile in chosen])
    save_photograph(tiles)
    cut = lambda picture: np.stack(
        [
            np.asarray(picture.crop((x, y, x + SIDE, y + SIDE)))
            for y in range(0, picture.height, SIDE)
            for x in range(0, picture.width, SIDE)
        ]
    )
    network = Network()
    before, after = (network.probs(cut(picture)) for picture in (figure, open_tile(FIGURES / "tiles.webp")))
    said = np.array([probs > network.thresholds for probs in (before, after)])
    print(
        f"{len(chosen)} tiles, {(FIGURES / 'tiles.webp').stat().st_size / 1000:.0f} kB; probabilities move by "
        f"{np.abs(after - before).mean():.4f} "
        f"on average and {np.abs(after - before).max():.3f} at most, and {(said[0] != said[1]).sum()} of "
        f"{said[0].size} answers change"
    )


if __name__ == "__main__":
    main()
