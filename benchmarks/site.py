"""Build time of the blog: from nothing, after one change, and plain nbconvert over the same notebooks, in turn.

Usage: python benchmarks/site.py [--rounds 3]

- clean: `make site` in a fresh copy of this folder: notebooks to posts, Jekyll, search index; everything is installed
already - rebuild: `make site` again after one character of one notebook's text has changed - nbconvert: `jupyter
nbconvert --to html` on the same notebooks, which gives pages without a site around them

The three take turns, since machines drift, and the ratios are taken within a round. Run `make site` before: it installs
what all three need.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = ('.venv', 'node_modules', 'vendor', '.bundle')  # linked into the copy
MODES = ('clean', 'rebuild', 'nbconvert')


def copy_tree(work):
    "The working tree without what is made from it; times are kept, so that make has nothing to install"
    listed = subprocess.run(
        ['git', 'ls-files', '-coz', '--exclude-standard'], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in [*listed.stdout.strip('\0').split('\0'), 'Gemfile.lock']:
        if (ROOT/name).is_file():
            (work/name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT/name, work/name)
    for name in INSTALLED:
        if (ROOT/name).exists() and not (work/name).exists(): (work/name).symlink_to(ROOT/name)


def seconds(*command, cwd):
    "How long a command takes that has to go well"
    start = perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode: sys.exit(f'{" ".join(map(str, command))} failed:\n{done.stdout}{done.stderr}')
    return perf_counter()-start


def touch(notebook):
    "Changes one character of the last text cell"
    nb = json.loads(notebook.read_text(encoding='utf-8'))
    cell = [cell for cell in nb['cells'] if cell['cell_type']=='markdown'][-1]
    text = ''.join(cell['source'])
    cell['source'] = text[:-1]+('!' if text[-1]=='.' else '.')
    notebook.write_text(json.dumps(nb, ensure_ascii=False, indent=1), encoding='utf-8')


def one_round():
    "Seconds of each mode, in an empty folder"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)/'site'
        work.mkdir()
        copy_tree(work)
        took = {'clean': seconds('make', 'site', cwd=work)}
        notebooks = sorted((work / '_notebooks').glob('[0-9][0-9]*.ipynb'))
        took['nbconvert'] = seconds(
            ROOT / '.venv' / 'bin' / 'python',
            '-m',
            'nbconvert',
            '--to',
            'html',
            '--output-dir',
            Path(folder) / 'plain',
            *notebooks,
            cwd=work,
        )
        before = (work / '_site' / 'feed.xml').stat().st_mtime_ns
        touch(notebooks[len(notebooks) // 2])
        took['rebuild'] = seconds('make', 'site', cwd=work)
        if (work/'_site'/'feed.xml').stat().st_mtime_ns==before: sys.exit('the change did not reach the site')
        return took, len(notebooks), sum(1 for _ in (work/'_site').rglob('*.html'))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--rounds', type=int, default=3, help='how often each is measured')
    a = p.parse_args()
    missing = [name for name in ('.venv/.site', 'node_modules/.done', 'Gemfile.lock') if not (ROOT/name).exists()]
    if missing: sys.exit(f'{", ".join(missing)}: missing; run `make site` first')
    rounds = []
    for r in range(a.rounds):
        took, notebooks, pages = one_round()
        rounds.append(took)
        print(f'round {r + 1}: ' + ', '.join(f'{m} {took[m]:.1f} s' for m in MODES), file=sys.stderr)
    print(
        f'\n{notebooks} notebooks, {pages} pages, {a.rounds} rounds, {os.cpu_count()} cores, {platform.machine()}, '
        f'Python {platform.python_version()}; seconds'
    )
    print(f'{"":10}{"min":>8}{"median":>8}{"max":>8}{"of nbconvert":>14}')
    for m in MODES:
        times = [took[m] for took in rounds]
        ratio = statistics.median(took[m]/took['nbconvert'] for took in rounds)
        print(f'{m:10}{min(times):8.1f}{statistics.median(times):8.1f}{max(times):8.1f}{ratio:13.2f}×')


if __name__=='__main__': main()
