"""What an answer costs: nine tiles by fastai and by ONNX Runtime, the command from a cold start, and the demo page in
Chromium.

Usage: python benchmarks/predict.py [--rounds 7]

- loop: `learn.predict`, a tile at a time, as a newcomer's notebook does it; the baseline of the ratios
- batch: `learn.get_preds` on the nine at once
- fp32: the same network as ONNX, exported here, scaling and normalising in its graph
- int8: the released file

Each begins at nine files on the disk and ends at probabilities; int8 also with the
files already decoded. They take turns in one process, three times in a row each, and ratios are taken within a round,
since machines drift. Weights are random but for int8: time does not depend on them.

The command is timed as a process of its own, with its peak memory beside that of a process that answers by fastai. The
demo page is timed if the site is built (`make site`): from a click on a sample to its answer, on the second visit,
everything loaded.
"""
import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
PEAK = "print('kB', *[l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')])"
COMMAND = "import sys\nfrom recaptcha.predict import main\ntry: main(sys.argv[1:])\nexcept SystemExit: pass\n" + PEAK
FASTAI = (
    "import sys, warnings\nwarnings.filterwarnings('ignore')\nsys.path.insert(0, sys.argv[1])\nfrom predict import "
    "tile_files, learner\n"
    "from pathlib import Path\nl = learner(tile_files(Path(sys.argv[2])))\nwith l.no_bar(): "
    "l.predict(l.dls.valid_ds.items.iloc[0])\n"
    + PEAK
)


def tile_files(folder):
    "Drawn tiles: files of 120×120 pixels, and the table of them"
    import os

    from recaptcha.tiles import load_tiles
    os.environ['RECAPTCHA_DATA'] = str(folder)
    return load_tiles('toy')


def learner(table):
    "fastai's learner on its own DataBlock, at the size at which the released network looks"
    from recaptcha.learner import tile_learner
    from recaptcha.release import SIZE
    from recaptcha.tiles import tile_block
    return tile_learner(tile_block(SIZE).dataloaders(table, bs=9, num_workers=0), pretrained=False, fast=False)


def nine_tiles(folder, rounds):
    "Rows of (what, median milliseconds, ratio to the loop)"
    import json

    import numpy as np
    import onnx
    from torch import nn

    from recaptcha.network import Network
    from recaptcha.pictures import open_tile
    from recaptcha.release import FORMAT, SIZE, around, fold_norms, network_onnx, seal
    from recaptcha.toy import CLASSES

    table = tile_files(folder)
    learn = learner(table)
    nine = table[[open_tile(p).size == (120, 120) for p in table.path]].iloc[:9]
    model = learn.model.eval()
    network_onnx(nn.Sequential(model[0], fold_norms(model[1])), folder / 'net.onnx')
    seal(
        around(onnx.load(folder / 'net.onnx'), SIZE),
        dict(format=FORMAT, classes=json.dumps(CLASSES), thresholds=json.dumps([0.5] * len(CLASSES))),
        folder / 'fp32.onnx',
    )
    fp32, int8 = Network(folder / 'fp32.onnx'), Network()
    read = lambda: np.stack([np.asarray(open_tile(p)) for p in nine.path])
    decoded = read()
    ways = {
        'fastai, learn.predict in a loop': lambda: [learn.predict(r) for _, r in nine.iterrows()],
        'fastai, learn.get_preds': lambda: learn.get_preds(dl=learn.dls.test_dl(nine)),
        'ONNX, 32 bits': lambda: fp32.probs(read()),
        'ONNX, 8 bits': lambda: int8.probs(read()),
        'ONNX, 8 bits, decoded tiles': lambda: int8.probs(decoded),
    }
    took = {w: [] for w in ways}
    with learn.no_bar():
        for _ in range(rounds+1): # the first to warm up
            for w,f in ways.items():
                f() # after the one before, whose threads go on spinning for a while
                start = time.perf_counter()
                for _ in range(3): f()
                took[w].append(1000*(time.perf_counter()-start)/3)
    base = took['fastai, learn.predict in a loop'][1:]
    return [(w, median(t[1:]), median(b/v for b,v in zip(base, t[1:]))) for w,t in took.items()]


def command(folder, rounds):
    "Median seconds of `recaptcha-predict` on one challenge, and peak memory in MB of it and of fastai"
    from PIL import Image

    from recaptcha.compose import compose

    compose([Image.open(p) for p in sorted(folder.rglob('*.png'))[:9]], size=100, gutter=4, header=90)[0].save(
        folder / 'challenge.png'
    )
    took = []
    for _ in range(rounds+1):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, '-c', COMMAND, folder / 'challenge.png', '--target', 'cars'],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        took.append(time.perf_counter() - start)
    other = subprocess.run(
        [sys.executable, '-c', FASTAI, ROOT / 'benchmarks', folder],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return median(took[1:]), *(int(p.stdout.split('kB')[1]) / 1024 for p in (done, other))


def browser(rounds):
    """Median milliseconds from a click on the demo page's bare 3×3 sample to its answer, all loaded; None where the
    site is not built
    """
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread
    sys.path.insert(0, str(ROOT/'tests'))
    from browser_kit import chromium, wait
    from demo_kit import answered, opened

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args): pass

    if not (ROOT/'_site'/'demo'/'index.html').is_file(): return None
    base = next(l.split('"')[1] for l in (ROOT/'_settings.yml').read_text().splitlines() if l.startswith('baseurl'))
    with tempfile.TemporaryDirectory() as d:
        (Path(d) / base.strip('/')).symlink_to(ROOT / '_site')
        server = ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=d))
        Thread(target=server.serve_forever, daemon=True).start()
        with chromium() as found:
            page = found.new_page()
            page.goto(f'http://127.0.0.1:{server.server_port}{base}/demo/')
            opened(page)
            wait(page, "() => document.querySelector('#demo-kept').textContent")
            page.reload()
            opened(page)  # isolated now, so that it has threads
            bare = page.locator('.demo-sample:has(img[src*="bare"])')
            for _ in range(rounds + 2):
                answered(page, bare.click)
            return median(
                page.evaluate(
                    f"performance.getEntriesByName('demo answer').slice(-{rounds}).map(entry => entry.duration)"
                )
            )


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--rounds', type=int, default=7)
    a = p.parse_args()
    warnings.filterwarnings('ignore')
    with tempfile.TemporaryDirectory() as d:
        rows = nine_tiles(Path(d), a.rounds)
        seconds, ours, fastai = command(Path(d), a.rounds)
    print('nine tiles'.ljust(34), 'ms'.rjust(8), '× faster'.rjust(9))
    for what, ms, ratio in rows:
        print(what.ljust(34), f'{ms:8.1f} {ratio:9.1f}')
    print(
        f'\nrecaptcha-predict on one challenge, cold start: {seconds:.2f} s, {ours:.0f} MB (a process that answers by '
        f'fastai: {fastai:.0f} MB)'
    )
    ms = browser(a.rounds)
    print(
        f'the demo page in Chromium, from click to answer: {ms:.0f} ms'
        if ms
        else 'the demo page: not built; `make site` builds it'
    )


if __name__=='__main__': main()
