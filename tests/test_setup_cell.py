"""The first code cell of each notebook: where nothing is installed it makes the notebook run, else it does nothing."""
import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
from configparser import ConfigParser

import nbformat
import pytest
import yaml
from notebook_kit import ROOT
from packaging.requirements import Requirement

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


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_does_nothing_where_all_is_installed(monkeypatch, folder):
    monkeypatch.setattr(subprocess, "run", None)
    monkeypatch.chdir(ROOT / folder)
    exec(setup_cell(SETTINGS, folder), {})
    assert os.getcwd() == str(ROOT / folder)


def test_a_notebook_that_is_run_from_the_top_finds_its_folder(monkeypatch):
    "An editor may start the kernel there; nothing is cloned into the clone"
    monkeypatch.setattr(subprocess, "run", None)
    monkeypatch.chdir(ROOT)
    exec(CELL, {})
    assert os.getcwd() == str(ROOT / FOLDERS[0])


def test_only_what_is_missing_is_installed(monkeypatch, capsys):
    asked = []
    monkeypatch.chdir(ROOT / FOLDERS[0])
    monkeypatch.setattr(subprocess, "run", lambda command, **_: asked.append(command))
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "captum" else find(name))
    exec(CELL, {})
    assert asked == [[sys.executable, "-m", "pip", "install", "-q", "captum"]]
    assert sys.executable in capsys.readouterr().out


def make_bare(folder):
    """A Python that imports what the requirements bring, but not this project: they are downloaded already."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    with open(os.path.join(site, "requirements.pth"), "w") as file:
        file.write(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return make_bare(tmp_path_factory.mktemp("bare"))


@pytest.fixture
def bare_again(tmp_path_factory):
    return make_bare(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """What is committed here, under the branch that the cell asks for."""
    folder = tmp_path_factory.mktemp("repository") / "repository"
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    subprocess.run(["git", "checkout", "-q", "-B", SETTINGS["branch"]], cwd=folder, check=True)
    return folder


def run_cell(python, folder, repository, shelf):
    """Runs the cell of the notebooks in `shelf` in `folder`; the repository's address leads to a copy of this one, and
    there is no index.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("RECAPTCHA_", "PYTHON"))}
    key = f"url.{repository.as_uri()}.insteadOf"
    redirected = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": SETTINGS["git_url"]}
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    after = "\nimport recaptcha, recaptcha.cli\nprint(os.getcwd())\nprint(recaptcha.__file__)"
    source = setup_cell(SETTINGS, shelf) + after
    variables = {**clean, **redirected, **offline}
    return subprocess.run([python, "-c", source], cwd=folder, capture_output=True, text=True, env=variables)


def test_a_notebook_alone_clones_installs_and_changes_folder(bare, repository, tmp_path):
    "As on Colab"
    for shelf in [FOLDERS[0], *FOLDERS]:  # whoever runs the cell again gets the same
        done = run_cell(bare, tmp_path, repository, shelf)
        assert done.returncode == 0, done.stderr
        folder, module = done.stdout.splitlines()[-2:]
        assert folder == str(tmp_path / SETTINGS["repo"] / shelf)
        assert module.startswith(str(bare.parent.parent)), "not installed into the kernel's environment"
    assert "Installing" not in done.stdout


@pytest.mark.parametrize("shelf", FOLDERS)
def test_in_a_clone_it_installs_that(bare_again, repository, tmp_path, shelf):
    subprocess.run(["git", "clone", "-q", repository, tmp_path / "clone"], check=True)
    done = run_cell(bare_again, tmp_path / "clone" / shelf, repository, shelf)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2] == str(tmp_path / "clone" / shelf)
    assert list(tmp_path.iterdir()) == [tmp_path / "clone"]


# One click: what Binder and a dev container build from


def test_binder_has_the_versions_that_are_pinned(tmp_path):
    "The line of postBuild that leaves out the hashes, and a version of each package that training needs"
    script = (ROOT / ".binder" / "postBuild").read_text(encoding="utf-8")
    assert os.access(ROOT / ".binder" / "postBuild", os.X_OK)
    line = next(line for line in script.splitlines() if line.startswith("sed "))
    versions = tmp_path / "versions.txt"
    subprocess.run(["bash", "-c", f"versions={versions}; {line}"], cwd=ROOT, check=True)
    pinned = [Requirement(text) for text in versions.read_text(encoding="utf-8").splitlines() if text[:1] != "#"]
    wanted = [Requirement(text) for key in ("requirements", "train_requirements") for text in SETTINGS[key].split()]
    environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text(encoding="utf-8"))
    minor = next(name for name in environment["dependencies"] if name.startswith("python=")).removeprefix("python=")
    there = {"python_full_version": f"{minor}.0", "python_version": minor, "sys_platform": "linux"}
    names = [pin.name for pin in pinned if pin.marker is None or pin.marker.evaluate(there)]
    assert len(names) == len(set(names)) > 100
    from_conda = {"torch", "torchvision"}
    assert {"pytorch-cpu", "torchvision"} <= set(environment["dependencies"])
    assert ({requirement.name for requirement in wanted} | {"captum"}) - from_conda <= set(names) - from_conda
    assert not from_conda & set(names)
    assert all(str(pin.specifier).startswith("==") for pin in pinned)


def test_the_dev_container_calls_targets_that_there_are():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    targets = re.findall(r"make (\w+)", container["onCreateCommand"])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets and all(f"\n{target}:" in makefile for target in targets)
    editor = container["customizations"]["vscode"]["settings"]
    assert editor["python.defaultInterpreterPath"].endswith("/.venv/bin/python")
