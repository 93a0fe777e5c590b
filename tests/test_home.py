"""The home page's figure and the covers: their numbers are those of results/, their files what the scripts draw now."""

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import covers  # noqa: E402
import home_figure  # noqa: E402

COVERS = sorted(path.stem for path in (ROOT / "_includes" / "covers").glob("[0-9]*.svg"))
AGAIN = "run `python benchmarks/home_figure.py`"


@pytest.fixture(scope="module")
def groups():
    return home_figure.read_groups()


def solved_of(method):
    """The share solved by each of a method's published runs, as results/runs.csv has it."""
    runs = pd.read_csv(ROOT / "results" / "runs.csv")
    fits = (runs.method == method) & (runs.arch == "mobilenet_v2") & (runs["size"] == 128) & (runs.epochs == 6)
    return runs[fits & (runs.data == "full") & runs.label_source.isna()].solved


def in_peer(network, what, kind):
    """(share, low, high, of how many) that results/peer.csv has."""
    peer = pd.read_csv(ROOT / "results" / "peer.csv")
    fits = (peer.network == network) & (peer.what == what) & (peer.kind == kind) & (peer.metric == "solved")
    row = peer[fits & peer["class"].isna()].iloc[0]
    return row.value, row.low, row.high, row.n


def test_the_figure_has_the_numbers_of_results(groups):
    drawn, tiles, photographs = groups
    for share, method in zip(drawn.shares, ("baseline", "recipe")):
        runs = solved_of(method)
        assert len(runs) >= 2 and (share.value, share.low, share.high) == (runs.mean(), runs.min(), runs.max())
    released = drawn.shares[2]
    assert (released.value, released.low, released.high, drawn.count) == in_peer("ours", "test tiles", "tile")
    for group, kind in ((tiles, "3x3"), (photographs, "4x4")):
        for share, network in zip(group.shares, ("ours", "peer")):
            assert (share.value, share.low, share.high, group.count) == in_peer(network, "asked class", kind)
    report = pd.read_csv(ROOT / "results" / "posts" / "report.csv", index_col="quantity").value
    assert drawn.shares[3].value == pytest.approx(report["second annotation, solved"], abs=0.0001)
    shown = [home_figure.per_cent(share.value) for group in groups for share in group.shares]
    assert shown == ["33%", "42%", "61%", "84%", "74%", "76%", "60%", "71%"], "README and the figure disagree"


def test_the_figure_is_current(groups):
    assert home_figure.FIGURE.read_text(encoding="utf-8") == home_figure.page(groups), AGAIN


@pytest.mark.parametrize("form", [home_figure.WIDE, home_figure.NARROW], ids=lambda form: form.name)
def test_bars_are_as_long_as_their_shares(groups, form):
    drawing = home_figure.draw(groups, form)
    widths = re.findall(r'<rect class="(?:ours|other|annotation)"[^>]* width="([\d.]+)"', drawing)
    shares = [share.value for group in groups for share in group.shares]
    assert [float(width) / form.length for width in widths] == pytest.approx(shares, abs=0.001)


def test_every_lesson_and_written_post_has_a_cover():
    lessons = [path.stem for path in (ROOT / "_notebooks").glob("[0-9][0-9]_*.ipynb")]
    assert sorted([*lessons, *(path.stem for path in (ROOT / "_posts").glob("*.md"))]) == COVERS == sorted(covers.DRAWN)


@pytest.mark.parametrize("name", COVERS)
def test_a_cover_is_current_and_whole(name):
    drawing = (ROOT / "_includes" / "covers" / f"{name}.svg").read_text(encoding="utf-8")
    assert drawing == covers.draw(name), "run `python benchmarks/covers.py`"
    assert len(drawing) < 4000
    for shape in ET.fromstring(drawing).iter():
        x, y = (float(shape.get(side, 0)) for side in ("x", "y"))
        assert 0 <= x <= x + float(shape.get("width", 0)) <= covers.WIDTH
        assert 0 <= y <= y + float(shape.get("height", 0)) <= covers.HEIGHT
        reach = [float(shape.get(key, shape.get("r", 0))) for key in ("rx", "ry")]
        for centre, radius, most in zip(("cx", "cy"), reach, (covers.WIDTH, covers.HEIGHT)):
            if shape.get(centre):
                assert radius <= float(shape.get(centre)) <= most - radius, "cropped"
