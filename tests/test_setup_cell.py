"""The first code cell of each notebook: on Colab and Binder it makes the notebook run, elsewhere it does nothing."""
import os
import subprocess
import sys
import sysconfig
from configparser import ConfigParser

import nbformat
import pytest
from notebook_kit import ROOT

from _fastpages.setup_cell import notebooks, set_up, setup_cell

SETTINGS = ConfigParser()
SETTINGS.read(ROOT / "settings.ini", encoding="utf-8")
SETTINGS = SETTINGS["DEFAULT"]
FOLDERS = ["_notebooks", "_notebooks/toolkit"]
CELL = setup_cell(SETTINGS, FOLDERS[0])
NOTEBOOKS = notebooks(SETTINGS)


def first_code(path):
    return next(cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_notebook_opens_with_it(path):
    folder = path.parent.relative_to(ROOT).as_posix()
    assert folder in FOLDERS
    assert first_code(path).source == setup_cell(SETTINGS, folder), "run `make notebooks`"
    assert nbformat.read(path, as_version=4).cells[0].cell_type == "markdown"


def test_a_second_time_changes_nothing_and_an_old_cell_is_renewed():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# T"), nbformat.v4.new_code_cell("1+1")])
    set_up(notebook, CELL)
    assert [cell.source for cell in notebook.cells] == ["# T", CELL, "1+1"]
    set_up(notebook, CELL.replace("main", "other"))
    set_up(notebook, CELL)
    assert [cell.source for cell in notebook.cells] == ["# T", CELL, "1+1"]


def test_its_lines_are_short():
    assert [line for line in CELL.splitlines() if len(line) > 120] == []


def test_it_does_nothing_elsewhere(monkeypatch):
    for name in ("COLAB_RELEASE_TAG", "BINDER_REPO_URL", "BINDER_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(subprocess, "run", None)
    before = os.getcwd()
    exec(CELL, {})
    assert os.getcwd() == before


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A Python that imports what the requirements bring, but not this project: they are downloaded already."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    with open(os.path.join(site, "requirements.pth"), "w") as file:
        file.write(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """What is committed here, under the branch that the cell asks for."""
    folder = tmp_path_factory.mktemp("repository") / "repository"
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    subprocess.run(["git", "checkout", "-q", "-B", SETTINGS["branch"]], cwd=folder, check=True)
    return folder


def run_cell(python, folder, repository, shelf, **environment):
    """Runs the cell of the notebooks in `shelf` in `folder`; the repository's address leads to a copy of this one, and
    there is no index.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("RECAPTCHA_", "PYTHON"))}
    key = f"url.{repository.as_uri()}.insteadOf"
    redirected = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": SETTINGS["git_url"]}
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    after = "\nimport recaptcha, recaptcha.cli\nprint(os.getcwd())\nprint(recaptcha.__file__)"
    source = (
        setup_cell(SETTINGS, shelf).replace("'captum'", "") + after
    )  # captum is no file of ours, and without an index it can't be had
    variables = {**clean, **redirected, **offline, **environment}
    return subprocess.run([python, "-c", source], cwd=folder, capture_output=True, text=True, env=variables)


def test_on_colab_it_clones_installs_and_changes_folder(bare, repository, tmp_path):
    for shelf in [FOLDERS[0], *FOLDERS]:  # whoever runs the cell again gets the same
        done = run_cell(bare, tmp_path, repository, shelf, COLAB_RELEASE_TAG="release-colab")
        assert done.returncode == 0, done.stderr
        folder, module = done.stdout.splitlines()
        assert folder == str(tmp_path / SETTINGS["repo"] / shelf)
        assert module.startswith(str(bare.parent.parent)), "not installed into the kernel's environment"


@pytest.mark.parametrize(("name", "shelf"), [*zip(["BINDER_REPO_URL", "BINDER_SERVICE_HOST"], FOLDERS)])
def test_on_binder_the_repository_is_there_already(bare, repository, tmp_path, name, shelf):
    subprocess.run(["git", "clone", "-q", repository, tmp_path / "binder"], check=True)
    done = run_cell(bare, tmp_path / "binder" / shelf, repository, shelf, **{name: "binder"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == str(tmp_path / "binder" / shelf)
