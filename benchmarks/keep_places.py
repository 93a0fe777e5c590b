"""Adds what `benchmarks/place_network.py` left in a folder to the results: `place_network.csv`, `place_logits.npz`.

    python benchmarks/keep_places.py FOLDER

A network that the table has at the same size, with as many steps, is left alone. The logits of validation tiles and of
cells are kept as float16, with the labels that they are measured by, so that differences between networks can be given
with their intervals without a picture.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from place_network import ASKED, known_map, read_tiles, with_cells

RESULTS = Path(__file__).parent.parent/'results'
KEY = ['name', 'size', 'steps', 'detected']


def row_of(about, size, pairs, test_map):
    "A line of the table: what `place_network.py` noted of a network; labelled `pairs`, and mAP on test tiles"
    return dict(name=about['name'], arch=about['arch'], epochs=about['epochs'], steps=about['steps'],
                seed=about['seed'], device=about['device'], seconds=about['seconds'], size=size,
                valid_mAP=about[f'valid_mAP_{size}'], squares_at_best=about[f'squares_{size}'], pairs=pairs,
                test_mAP=round(test_map, 4),
                detected=about['detected'] if about['cells'] else 0.)


def labels_of(check):
    "What the logits are measured by, arrays by name; UNKNOWN where nothing is known"
    shown = with_cells(check)
    return dict(files=np.array(check.files), labels=check.labels.numpy().astype(np.int8), with_cells=shown,
                cells=check.cells.numpy()[shown].astype(np.int8))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folder', type=Path, help='with NAME.json and NAME.npz of every network')
    a = p.parse_args()
    _, check, test = read_tiles('full', 'cpu')
    logits = labels_of(check)
    pairs, truth, rows = int((logits['cells'] > 0).any(2).sum()), test.labels.numpy(), []
    for path in sorted(a.folder.glob('*.json')):
        about, said = json.loads(path.read_text()), np.load(path.with_suffix('.npz'))
        rows += [row_of(about, size, pairs, known_map(said[f'test_{size}'], truth)) for size in ASKED]
        logits |= {f"{about['name']}/{key}": said[key].astype(np.float16)
                   for size in ASKED for key in (f'valid_{size}', f'cells_{size}')}
    table = pd.concat([pd.read_csv(RESULTS/'place_network.csv'), pd.DataFrame(rows)])
    table.drop_duplicates(KEY).to_csv(RESULTS/'place_network.csv', index=False)
    kept = RESULTS/'place_logits.npz'
    np.savez_compressed(kept, **logits | (dict(np.load(kept)) if kept.is_file() else {}))
    print(f'{len(rows)} rows, {len(logits)} arrays')


if __name__ == '__main__': main()
