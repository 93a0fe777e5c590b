"""`python -m _fastpages.setup_cell` writes into every notebook the cell that makes it run on Colab and Binder.

The cell has to name the repository, since on Colab nothing but the notebook itself is there. It takes the address from
settings.ini, so that this stays the only place where somebody changes it.
"""
import re
from configparser import ConfigParser
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
OPENING = "#| hide\n# On Colab or Binder, this fetches the series and installs it. Anywhere else it does nothing.\n"
REST = """\
import os, subprocess, sys
if {{'COLAB_RELEASE_TAG', 'BINDER_REPO_URL', 'BINDER_SERVICE_HOST'}} & os.environ.keys():
    root = {up}
    if not os.path.isfile(os.path.join(root, 'settings.ini')): # Binder has the repository already
        root = os.path.abspath('{name}')
        if not os.path.isdir(root):
            clone = ['git', 'clone', '-q', '--depth', '1', '-b', '{branch}']
            subprocess.run([*clone, '{address}', root], check=True)
    subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', root+'[train]', 'captum'], check=True)
    os.chdir(os.path.join(root, '{folder}'))"""


def setup_cell(settings, folder: str) -> str:
    """The source of the cell, for the repository that `settings` (a section of settings.ini) names.

    `folder` is the notebook's, as a path from the repository's top: `_notebooks/toolkit`.
    """
    up = "os.getcwd()"
    for _ in folder.split("/"):
        up = f"os.path.dirname({up})"
    return OPENING + REST.format(
        up=up, folder=folder, name=settings["repo"], branch=settings["branch"], address=settings["git_url"]
    )


def notebooks(settings) -> list:
    """The paths of all notebooks that `settings` means, as nbdev finds them."""
    folder = ROOT / settings["nbs_path"]
    found = [(path, path.relative_to(folder).as_posix()) for path in folder.rglob("*.ipynb")]
    return sorted(path for path, name in found if not re.search(r"(^|/)[._]", name))


def set_up(notebook, source):
    """Puts the cell before the first code cell of a notebook, or renews the one that is there."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if codes and codes[0].source.startswith(OPENING):
        codes[0].source = source
        return
    cell = nbformat.v4.new_code_cell(source)
    cell.id = "setup"
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
