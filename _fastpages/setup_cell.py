"""`python -m _fastpages.setup_cell` writes into every notebook the cell that makes it run where nothing is installed.

The cell has to name the repository, since on Colab nothing but the notebook itself is there. It takes the address from
settings.ini, so that this stays the only place where somebody changes it.
"""
import re
from configparser import ConfigParser
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
SOURCE = """\
#| hide
# Fetches and installs the series where it is not there: on Colab, or in a bare Jupyter. Elsewhere it does nothing.
import importlib.util, os, subprocess, sys
from pathlib import Path
folders = [Path.cwd(), *Path.cwd().parents]
root = next((f for f in folders if (f/'settings.ini').is_file() and (f/'_notebooks').is_dir()), None)
if root is None: # the notebook alone
    root = Path.cwd()/'{name}'
    if not root.is_dir():
        clone = ['git', 'clone', '-q', '--depth', '1', '-b', '{branch}']
        subprocess.run([*clone, '{address}', str(root)], check=True)
os.chdir(root/'{folder}')
wanted = {{'recaptcha': f'{{root}}[train]', 'fastai': f'{{root}}[train]', 'captum': 'captum'}}
missing = {{package for module,package in wanted.items() if importlib.util.find_spec(module) is None}}
if missing:
    print('Installing what the series needs for', sys.executable, '(some minutes)')
    subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', *missing], check=True)
    importlib.invalidate_caches()"""
CELL_ID = "setup"


def setup_cell(settings, folder: str) -> str:
    """The source of the cell, for the repository that `settings` (a section of settings.ini) names.

    `folder` is the notebook's, as a path from the repository's top: `_notebooks/toolkit`.
    """
    return SOURCE.format(
        folder=folder, name=settings["repo"], branch=settings["branch"], address=settings["git_url"]
    )


def notebooks(settings) -> list:
    """The paths of all notebooks that `settings` means, as nbdev finds them."""
    folder = ROOT / settings["nbs_path"]
    found = [(path, path.relative_to(folder).as_posix()) for path in folder.rglob("*.ipynb")]
    return sorted(path for path, name in found if not re.search(r"(^|/)[._]", name))


def set_up(notebook, source):
    """Puts the cell before the first code cell of a notebook, or renews the one that is there."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if codes and codes[0].id == CELL_ID:
        codes[0].source = source
        return
    cell = nbformat.v4.new_code_cell(source)
    cell.id = CELL_ID
    place = notebook.cells.index(codes[0]) if codes else len(notebook.cells)
    notebook.cells.insert(place, cell)


def main():
    settings = ConfigParser()
    settings.read(ROOT / "settings.ini", encoding="utf-8")
    settings = settings["DEFAULT"]
    for path in notebooks(settings):
        source = setup_cell(settings, path.parent.relative_to(ROOT).as_posix())
        before = path.read_text(encoding="utf-8")
        notebook = nbformat.reads(before, as_version=4)
        set_up(notebook, source)
        if nbformat.writes(notebook) != nbformat.writes(nbformat.reads(before, as_version=4)):
            nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
