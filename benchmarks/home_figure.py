"""The figure on the home page: which share of challenges is solved, from the baseline to two annotations.

    python benchmarks/home_figure.py

Reads results/runs.csv, results/peer.csv and the two annotations of the test tiles; trains nothing. Writes
_includes/result.html: one drawing for wide screens and one for phones, whose words come from _data/words.yml.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from recaptcha.results import agreement, second_answers
from recaptcha.runtable import read_table, runs_at
from recaptcha.train import test_answers

ROOT = Path(__file__).resolve().parent.parent
FIGURE = ROOT / "_includes" / "result.html"
OURS, OTHER, ANNOTATION = "ours", "other", "annotation"  # what a bar's colour says


@dataclass(frozen=True)
class Share:
    """A share of challenges solved without an error, with the spread of its runs or its 95% interval."""

    word: str  # the key of its name in _data/words.yml
    value: float
    low: float | None = None
    high: float | None = None
    colour: str = OURS


@dataclass(frozen=True)
class Group:
    """Bars under a heading; `count` is how many tiles or challenges they rest on."""

    word: str
    count: int
    shares: tuple


@dataclass(frozen=True)
class Format:
    """Where things are in one of the two drawings, in CSS pixels."""

    name: str  # the drawing's class
    width: int
    bar: int  # where bars begin
    row: int  # from one row to the next
    above: int  # what the name of a bar needs above it; 0 where it stands beside it
    thick: int  # a bar

    @property
    def length(self) -> int:
        """A bar's that stands for 1."""
        return self.width - self.bar - 48


WIDE, NARROW = Format("wide", 640, 250, 32, 0, 18), Format("narrow", 320, 0, 33, 16, 12)
HEADING, GAP = 26, 12  # a heading; what is between two groups


def _of_runs(word: str, method: str) -> Share:
    """The mean over a method's runs at 128 pixels and six epochs, and their range."""
    solved = runs_at(read_table(ROOT / "results" / "runs.csv"), method=method, epochs=6).solved
    return Share(word, solved.mean(), solved.min(), solved.max())


def _of_peer(peer: pd.DataFrame, word: str, colour: str = OURS, **wanted) -> tuple:
    """(the share that results/peer.csv has of what is wanted, of how many it is)."""
    rows = peer[peer["class"].isna() & (peer.metric == "solved")]
    for column, value in wanted.items():
        rows = rows[rows[column].fillna("") == value]
    (row,) = rows.itertuples()
    return Share(word, row.value, row.low, row.high, colour), row.n


def read_groups() -> list:
    """What the figure shows, from results/ and the labels alone."""
    peer = pd.read_csv(ROOT / "results" / "peer.csv")
    released, tiles = _of_peer(peer, "result_released", network="ours", what="test tiles")
    agreed = agreement(test_answers()[0], second_answers()).solved.mean()
    drawn = (
        _of_runs("result_baseline", "baseline"),
        _of_runs("result_recipe", "recipe"),
        released,
        Share("result_annotation", agreed, colour=ANNOTATION),
    )
    groups = [Group("result_drawn", tiles, drawn)]
    for word, kind in (("result_tiles", "3x3"), ("result_photographs", "4x4")):
        wanted = {"what": "asked class", "kind": kind}
        ours, count = _of_peer(peer, "result_ours", network="ours", cut="found", **wanted)
        other, _ = _of_peer(peer, "result_other", OTHER, network="peer", cut="given", **wanted)
        groups.append(Group(word, count, (ours, other)))
    return groups


def per_cent(value: float) -> str:
    return f"{round(100 * value)}%"


def _word(key: str, count: int | None = None) -> str:
    """Liquid for a word of the page's language, with a number in it."""
    filled = "" if count is None else f" | replace: gap, {count}"
    return f"{{{{ words.{key}{filled} | escape }}}}"


def _row(share: Share, top: int, form: Format) -> str:
    """A bar on its track, what it is called, its interval and its number; `top` is where the row begins."""
    y, long = top + form.above, form.length
    middle, end = y + form.thick / 2, form.bar + long
    place = f'x="{form.bar}" y="{y}" height="{form.thick}" rx="3"'
    label = top + 11 if form.above else middle + 4.5
    lines = [
        f'<text x="0" y="{label:g}">{_word(share.word)}</text>',
        f'<rect class="track" {place} width="{long}"/>',
        f'<rect class="{share.colour}" {place} width="{share.value * long:.1f}"/>',
    ]
    if share.low is not None:
        low, high = (f"{form.bar + side * long:.1f}" for side in (share.low, share.high))
        path = f"M{low} {middle:g}H{high}M{low} {middle - 4:g}v8M{high} {middle - 4:g}v8"
        lines.append(f'<path class="interval" d="{path}"/>')
    number = f'<text class="number" x="{end + 46}" y="{middle + 5:g}">{per_cent(share.value)}</text>'
    return "\n".join([*lines, number])


def draw(groups: list, form: Format) -> str:
    """One of the two drawings, as SVG with Liquid in it."""
    parts, top = [], 0
    for group in groups:
        parts.append(f'<text class="heading" x="0" y="{top + 15}">{_word(group.word, group.count)}</text>')
        top += HEADING
        for share in group.shares:
            parts.append(_row(share, top, form))
            top += form.row
        top += GAP
    height = top - GAP
    opening = f'<svg class="{form.name}" viewBox="0 0 {form.width} {height}" role="img" aria-label="{_alt(groups)}">'
    return "\n".join([opening, *parts, "</svg>"])


def _alt(groups: list) -> str:
    """The figure in words, for somebody who does not see it."""
    told = []
    for group in groups:
        bars = ", ".join(f"{_word(share.word)} {per_cent(share.value)}" for share in group.shares)
        told.append(f"{_word(group.word, group.count)}: {bars}.")
    return " ".join(told)


def page(groups: list) -> str:
    """The whole include."""
    head = "{%- comment -%} Written by benchmarks/home_figure.py: change that, not this. {%- endcomment -%}"
    gap = '{%- assign gap = "{}" -%}'  # where a word has room for a number
    caption = f"<figcaption>{_word('result')}</figcaption>"
    drawings = [draw(groups, form) for form in (WIDE, NARROW)]
    notes = f"<p>{_word('result_notes')}</p>"
    return "\n".join([head, gap, '<figure class="result">', caption, *drawings, notes, "</figure>", ""])


def main(argv=None):
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(argv)
    FIGURE.write_text(page(read_groups()), encoding="utf-8")
    print(f"{FIGURE.relative_to(ROOT)}: {FIGURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
