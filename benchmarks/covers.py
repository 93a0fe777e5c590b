"""The covers of the lessons and of the written posts: small drawings in the site's colours, without words.

    python benchmarks/covers.py

Reads results/ and recaptcha/labels/, as the lessons do; trains nothing. Writes _includes/covers/NAME.svg, named as the
pages' pictures are. Where a cover shows numbers, they are its lesson's; the others show what their lesson is about.
"""

import argparse
import math
from pathlib import Path

import pandas as pd
from home_figure import read_groups

from recaptcha.runtable import read_table, runs_at

ROOT = Path(__file__).resolve().parent.parent
COVERS = ROOT / "_includes" / "covers"
WIDTH, HEIGHT = 320, 180
LEFT, RIGHT, TOP, BOTTOM = 44, 276, 30, 150
SMALL = {"size": 64, "epochs": 4, "arch": "mobilenet_v2"}  # the budget at which the lessons compare methods
STRONG, SOFT, TRACK, WARM = "strong", "soft", "track", "warm"  # classes; _sass/site/_home.scss has their colours
LOSSES = "an_ls asl focal gr ll_cp ll_ct ll_r ls_v2 role wan em_apl baseline".split()
COMPARED = [*LOSSES, "mixup", "ls_v1", "corrected", "expected", "pseudo", "recipe"]


def rect(x, y, width, height, colour, corner=2) -> str:
    sides = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{colour}" {sides} rx="{corner}"/>'


def circle(x, y, radius, colour) -> str:
    return f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'


def line(points: list, colour: str, thick=3) -> str:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="{colour} line" stroke-width="{thick}" d="{path}"/>'


def ring(x, y, radius, share, colour) -> str:
    """A ring of which a share is filled, clockwise from the top."""
    angle = 2 * math.pi * share
    end = f"{x + radius * math.sin(angle):.1f} {y - radius * math.cos(angle):.1f}"
    arc = f"M{x} {y - radius}A{radius} {radius} 0 {int(share > 0.5)} 1 {end}"
    whole = f'<circle class="{TRACK} line" stroke-width="16" cx="{x}" cy="{y}" r="{radius}"/>'
    return whole + f'<path class="{colour} line" stroke-width="16" d="{arc}"/>'


def bars(shares: list, colours: list) -> list:
    """Lying bars from top to bottom, each on its track."""
    step = (BOTTOM - TOP) / len(shares)
    shapes = []
    for number, (share, colour) in enumerate(zip(shares, colours)):
        y, thick = TOP + number * step, step * 0.62
        shapes.append(rect(LEFT, y, RIGHT - LEFT, thick, TRACK))
        shapes.append(rect(LEFT, y, share * (RIGHT - LEFT), thick, colour))
    return shapes


def columns(stacks: list) -> list:
    """Columns from left to right, each of pieces (height from 0 to 1, colour), the lowest first."""
    step = (RIGHT - LEFT) / len(stacks)
    shapes = []
    for number, pieces in enumerate(stacks):
        y = BOTTOM
        for share, colour in pieces:
            y -= share * (BOTTOM - TOP)
            shapes.append(rect(LEFT + number * step, y, step * 0.72, share * (BOTTOM - TOP), colour, 1))
    return shapes


def spread(low: float, high: float):
    """A function that places a value between `low` and `high` from the left to the right."""
    return lambda value: LEFT + (value - low) / (high - low) * (RIGHT - LEFT)


def scores(method: str, **wanted) -> pd.DataFrame:
    """A method's runs on all tiles, at the small budget unless told otherwise."""
    return runs_at(read_table(ROOT / "results" / "runs.csv"), method=method, **{**SMALL, **wanted})


def collect_data() -> list:
    """Of each object: on how many labelled tiles its folder says so, and on how many it does not."""
    labels = ROOT / "recaptcha" / "labels"
    tiles = pd.concat([pd.read_csv(labels / f"{name}.csv").fillna("") for name in ("small", "test")])
    seen = tiles.assign(object=tiles.labels.str.split(";")).explode("object")
    seen = seen[seen.object != ""]
    counts = pd.crosstab(seen.object, seen.object == seen.folder)
    counts = counts.loc[counts.sum(axis=1).sort_values(ascending=False).index] / counts.sum(axis=1).max()
    return columns([[(named, SOFT), (missed, WARM)] for missed, named in counts.itertuples(index=False)])


def baseline() -> list:
    """Labels that are right, and challenges that are solved."""
    runs = scores("baseline", size=128, epochs=6)
    return [
        ring(98, 90, 46, runs.accuracy_multi.mean(), SOFT),
        ring(222, 90, 46, runs.solved.mean(), STRONG),
    ]


def mixup() -> list:
    """Two tiles laid over each other, and what the target then says."""
    tiles = [rect(66, 30, 96, 96, SOFT, 6), f'<g opacity=".6">{rect(106, 54, 96, 96, STRONG, 6)}</g>']
    target = [rect(230, BOTTOM - share * 120, 16, share * 120, colour) for share, colour in ((0.7, SOFT),)]
    return [*tiles, *target, rect(252, BOTTOM - 0.3 * 120, 16, 0.3 * 120, STRONG)]


def smoothing_v1(classes: int = 11, smoothing: float = 0.1) -> list:
    """The smoothed target of one label out of eleven."""
    low = smoothing / classes
    shares = [1 - smoothing + low if number == 3 else low for number in range(classes)]
    return columns([[(share, STRONG if share > 0.5 else SOFT)] for share in shares])


def losses() -> list:
    """The mean mAP of each loss, best first; the baseline's stands out."""
    means = {method: scores(method).mAP.mean() for method in LOSSES}
    ranked = sorted(means, key=means.get, reverse=True)
    colours = [STRONG if method == "baseline" else SOFT for method in ranked]
    return bars([means[method] for method in ranked], colours)


def label_correction() -> list:
    """Additional labels found by the end of each annotation round."""
    rounds = pd.read_csv(ROOT / "results" / "annotation_rounds.csv").groupby("round").found.sum()
    total = rounds.cumsum() / rounds.sum()
    before = total.shift(fill_value=0)
    return columns([[(old, SOFT), (new - old, STRONG)] for old, new in zip(before, total)])


def prediction() -> list:
    """A challenge of nine tiles, with those that are clicked."""
    shapes = []
    for number in range(9):
        x, y = 94 + number % 3 * 46, 24 + number // 3 * 46
        clicked = number in (1, 3, 4, 8)
        shapes.append(rect(x, y, 40, 40, STRONG if clicked else TRACK, 4))
        if clicked:
            shapes.append(line([(x + 11, y + 21), (x + 18, y + 28), (x + 30, y + 13)], "paper", 4))
    return shapes


def recipe() -> list:
    """The whole recipe's mAP as a line, and what is left without each of its parts."""
    table = read_table(ROOT / "results" / "runs.csv")
    parts = sorted({method for method in table.method if method.startswith("recipe_without_")})
    whole, means = scores("recipe").mAP.mean(), {part: scores(part).mAP.mean() for part in parts}
    place = spread(min(means.values()) - 0.01, max(means.values()) + 0.01)
    step = (BOTTOM - TOP) / len(parts)
    shapes = [line([(place(whole), TOP - 8), (place(whole), BOTTOM + 2)], "ink", 2)]
    for number, part in enumerate(sorted(parts, key=means.get)):
        x, y, colour = place(means[part]), TOP + number * step, WARM if means[part] < whole else STRONG
        left, right = sorted((x, place(whole)))
        shapes.append(rect(left, y, max(right - left, 2), step * 0.6, colour, 1))
    return shapes


def results() -> list:
    """Methods from the best to the worst: the mean mAP of each, and the range of its runs."""
    runs = {method: scores(method).mAP for method in COMPARED}
    place = spread(min(map(min, runs.values())), max(map(max, runs.values())))
    step = (BOTTOM - TOP) / (len(runs) - 1)
    shapes = []
    for number, method in enumerate(sorted(runs, key=lambda method: -runs[method].mean())):
        y, colour = TOP + number * step, STRONG if method in {"recipe", "baseline"} else SOFT
        shapes.append(line([(place(runs[method].min()), y), (place(runs[method].max()), y)], colour, 2))
        shapes.append(circle(place(runs[method].mean()), y, 3.4, colour))
    return shapes


def gradient_descent(steps: int = 12) -> list:
    """Steps down a valley that is nine times as steep across as along."""
    rings = [
        f'<ellipse class="{TRACK} line" stroke-width="2" cx="190" cy="90" rx="{size * 3:g}" ry="{size}"/>'
        for size in (8, 16, 24, 32, 40)
    ]
    x, y, path = -112.0, 34.0, []
    for _ in range(steps):
        path.append((190 + x, 90 + y))
        x, y = x - 0.19 * x, y - 0.19 * 9 * y
    return [*rings, line(path, STRONG), *(circle(*point, 4, STRONG) for point in path)]


def data_loaders() -> list:
    """Pictures of all sizes become a batch of equal ones."""
    sizes = [(30, 44), (46, 30), (36, 36), (26, 26)]
    places = [(58, 50), (106, 66), (70, 112), (118, 120)]
    loose = [
        rect(x - width / 2, y - height / 2, width, height, SOFT, 3) for (width, height), (x, y) in zip(sizes, places)
    ]
    arrow = [line([(150, 90), (182, 90)], "ink"), line([(173, 81), (182, 90), (173, 99)], "ink")]
    batch = [rect(200 + row * 40, 52 + column * 40, 34, 34, STRONG, 3) for row in (0, 1) for column in (0, 1)]
    return [*loose, *arrow, *batch]


def networks() -> list:
    """Seven networks: what a picture costs each, on a scale of powers of ten, and the mAP that it reaches."""
    table = pd.read_csv(ROOT / "results" / "posts" / "convnets.csv")
    value = table.value.astype(float)
    costs = value[table.measure == "macs"].groupby(table.net).mean()
    reached = value[(table.measure == "mAP") & (table["shift"].fillna(0) == 0)].groupby(table.net).mean()
    nets = costs.index.intersection(reached.index)
    place = spread(math.log10(costs[nets].min()), math.log10(costs[nets].max()))
    best = reached[nets].max()
    dots = [(place(math.log10(costs[net])), BOTTOM - reached[net] / best * (BOTTOM - TOP), net) for net in nets]
    axes = line([(LEFT - 14, TOP - 8), (LEFT - 14, BOTTOM + 12), (RIGHT + 14, BOTTOM + 12)], TRACK, 2)
    return [axes, *(circle(x, y, 8, STRONG if reached[net] == best else SOFT) for x, y, net in dots)]


def report() -> list:
    """The bars of the home page's figure that are of drawn challenges."""
    shares = read_groups()[0].shares
    return bars([share.value for share in shares], [STRONG, STRONG, STRONG, SOFT])


DRAWN = {
    "01_collect_data": collect_data,
    "02_baseline": baseline,
    "03_mixup": mixup,
    "04_label_smoothing_v1": smoothing_v1,
    "05_label_smoothing_v2": losses,
    "06_label_correction": label_correction,
    "07_prediction": prediction,
    "08_recipe": recipe,
    "09_results": results,
    "2026-11-14-stochastic-gradient-descent": gradient_descent,
    "2026-11-15-dataloaders-and-datablock": data_loaders,
    "2026-11-17-convolutional-networks-for-tiles": networks,
    "2026-11-23-breaking-recaptcha-v2": report,
    "2026-11-26-knaek-recaptcha-v2": report,
}


def draw(name: str) -> str:
    """A cover as SVG: decoration beside its title, and so without a description."""
    shapes = "\n".join(DRAWN[name]())
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" class="cover" {size} aria-hidden="true">\n{shapes}\n</svg>\n'


def main(argv=None):
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(argv)
    COVERS.mkdir(exist_ok=True)
    for name in DRAWN:
        path = COVERS / f"{name}.svg"
        path.write_text(draw(name), encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
