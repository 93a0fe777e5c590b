"""What the repository promises about itself: modules are their notebooks' exports, pins are complete, nothing names a machine or a host."""
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NOTEBOOKS = sorted((ROOT / "_notebooks").glob("*.ipynb"))
SETTINGS = ConfigParser()
SETTINGS.read(ROOT / "settings.ini", encoding="utf-8")
SETTINGS = SETTINGS["DEFAULT"]


def repo_files():
    """Every file that is committed or would be, as a path from the root."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    return sorted(name for name in set(listed.stdout.decode().split("\0")) if (ROOT / name).is_file())


def texts():
    for name in repo_files():
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            pass


def places(pattern, allowed=()):
    """Where `pattern` stands: `file: match`, for every file but the allowed."""
    return [f"{name}: {found[0]}" for name, text in texts() if name not in allowed for found in re.finditer(pattern, text)]


def requirements(*keys):
    return [Requirement(text) for key in keys for text in SETTINGS[key].split()]


def cells(notebook):
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def outputs(notebook):
    return [output for cell in cells(notebook) for output in cell.get("outputs", [])]


# Notebooks and modules


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A copy in which the modules were exported anew and the notebooks cleaned."""
    folder = tmp_path_factory.mktemp("fresh")
    for name in ("settings.ini", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name in ("_notebooks", "recaptcha"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for module in (folder / "recaptcha").glob("*.py"):
        if not module.name.startswith("__"):
            module.unlink()
    environment = {key: value for key, value in os.environ.items() if key != "IN_TEST"}  # with it, nbdev exports nothing
    for command in ("nbdev_export", "nbdev_clean"):
        subprocess.run([BIN / command], cwd=folder, env=environment, check=True)
    return folder


def test_modules_are_the_notebooks_exports(fresh):
    modules = lambda folder: {path.name: path.read_text(encoding="utf-8") for path in (folder / "recaptcha").glob("*.py")}
    here, exported = modules(ROOT), modules(fresh)
    assert sorted(here) == sorted(exported)
    assert [name for name in here if here[name] != exported[name]] == [], "`make notebooks` was not run, or a module was edited by hand"


def test_nbdev_leaves_the_settings_alone(fresh):
    assert (fresh / "pyproject.toml").read_text() == (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_clean(fresh, notebook):
    clean = notebook.read_bytes() == (fresh / "_notebooks" / notebook.name).read_bytes()
    assert clean, "run `make notebooks`"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_has_outputs_of_a_good_run(notebook):
    found = outputs(notebook)
    assert found, "no saved outputs"
    assert [output["ename"] for output in found if output["output_type"] == "error"] == []
    assert len(json.dumps(found)) < 1.5e6, "its outputs are over 1.5 MB"


def test_modules_open_with_their_notebooks_name():
    modules = [path for path in (ROOT / "recaptcha").glob("*.py") if not path.name.startswith("_")]
    assert modules
    for module in modules:
        opening = "\n".join(module.read_text(encoding="utf-8").splitlines()[:10])
        named = re.search(r"File to edit: \.\./(_notebooks/\w+\.ipynb)", opening)
        assert named, f"{module.name} does not open with its notebook's name"
        assert (ROOT / named[1]).is_file(), f"{module.name} names {named[1]}, which is not there"


# The package


def test_imports_are_required():
    required = {canonicalize_name(requirement.name) for requirement in requirements("requirements")}
    distributions = metadata.packages_distributions()
    unnamed = set()
    for module in (ROOT / "recaptcha").glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else \
                [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            for top in {name.split(".")[0] for name in names} - {"recaptcha"} - set(sys.stdlib_module_names):
                if not required & {canonicalize_name(name) for name in distributions.get(top, [])}:
                    unnamed.add(f"{module.name}: {top}")
    assert sorted(unnamed) == [], "imported, but not among the requirements in settings.ini"


def test_wheel_holds_the_labels_and_the_commands(tmp_path):
    for name in ("setup.py", "settings.ini", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "recaptcha", tmp_path / "recaptcha", ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist", "."]
    subprocess.run(build, cwd=tmp_path, check=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [commands] = [archive.read(name).decode() for name in names if name.endswith("entry_points.txt")]
    labels = {f"recaptcha/labels/{path.name}" for path in (ROOT / "recaptcha" / "labels").glob("*.csv")}
    assert labels and labels <= set(names)
    assert {"recaptcha/assets/recaptcha-int8.onnx", "recaptcha/assets/README.md"} <= set(names)
    assert {"recaptcha-collect", "recaptcha-train", "recaptcha-predict", "recaptcha-export"} <= set(re.findall(r"^[\w-]+", commands, re.M))


def test_constraints_pin_everything_that_is_needed():
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", pin)] == []
    pinned = {pin.split("==")[0] for pin in pins}
    seen, todo = set(), requirements("requirements", "site_requirements", "dev_requirements")
    while todo:
        requirement = todo.pop()
        for extra in {"", *requirement.extras}:
            name = canonicalize_name(requirement.name)
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            wanted = [Requirement(text) for text in metadata.requires(name) or []]
            todo += [other for other in wanted if other.marker is None or other.marker.evaluate({"extra": extra})]
    assert sorted({name for name, _ in seen} - pinned) == [], "run `make constraints`"


# The repository


def test_no_large_files():
    assert [name for name in repo_files() if (ROOT / name).stat().st_size > 8 * 2**20] == []


def test_no_registry_is_named():
    hosts = ["pypi", "pythonhosted", "npmjs", r"registry\.yarnpkg", r"download\.pytorch", r"conda\.anaconda", r"deb\.debian", r"archive\.ubuntu"]
    here = "tests/test_repo.py"
    assert places(rf"(?i)\b({'|'.join(hosts)})\.(org|com)\b", allowed=[here]) == []
    assert places(r"(?i)\brubygems\.org\b", allowed=[here, "Gemfile"]) == []


def test_no_machine_is_named():
    assert places(r"(?<![\w.~}])/(?:root|home|work|tmp|opt)/[\w.]+", allowed=["tests/test_repo.py"]) == []
    assert places(r"\.\./shared\b", allowed=["tests/test_repo.py", ".ci/run"]) == []


def test_owner_and_repository_stand_in_one_place():
    user, repo = SETTINGS["user"], SETTINGS["repo"]
    generated = "recaptcha/_modidx.py"  # nbdev copies them there
    assert places(rf"{re.escape(user)}(/{re.escape(repo)}\b|\.github\.io)", allowed=["settings.ini", generated]) == []


def test_ci_runs_the_tests():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text().splitlines()


def test_workflows_cover_every_python():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
    pythons = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert pythons[0] == SETTINGS["min_python"]
    assert pythons == [f"3.{minor}" for minor in range(int(pythons[0].split(".")[1]), 14)]


def test_readme_says_what_is_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "@@" not in text, "a placeholder was left"
    assert [notebook.name for notebook in NOTEBOOKS if f"(_notebooks/{notebook.name})" not in text] == [], "not in the table of the series"
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)`", text)) <= targets
    gone = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not re.match(r"https?:|\.\./\.\./actions/", link) and not (ROOT / link).exists()]
    assert gone == []
    commands = set(re.findall(r"^\s*([\w-]+)=", SETTINGS["console_scripts"], re.M))
    assert set(re.findall(r"\brecaptcha-(?:collect|train|predict|export)\b", text)) <= commands


def test_every_word_of_the_site_is_said_and_every_said_word_is_there():
    words = yaml.safe_load((ROOT / "_data" / "words.yml").read_text(encoding="utf-8"))
    templates = [path for folder in ("_layouts", "_includes", "_pages", "_fastpages/templates/post") for path in (ROOT / folder).iterdir()]
    theme = "".join(path.read_text(encoding="utf-8") for path in templates)
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "_fastpages").glob("*.py"))
    said = set(re.findall(r"\bwords\.(\w+)", theme)) - {"yml"} | set(re.findall(r"^word: (\w+)", theme, re.M)) | set(re.findall(r'words\["(\w+)"\]', code))
    by_kind = {"note", "tip", "warning", "important", "youtube", "twitter", "preview_youtube", "preview_twitter"}  # named by what a quotation opens with
    assert set(words) == said | by_kind


def test_what_running_things_leaves_behind_stays_out_of_the_site():
    """Jekyll copies every folder that nobody excludes, and does not read .gitignore: gigabytes of training runs would be published."""
    made = re.findall(r"^/([a-z]+)/$", (ROOT / ".gitignore").read_text().split("# made by running things")[1], re.M)
    assert made and {f"{name}/" for name in made} <= set(yaml.safe_load((ROOT / "_config.yml").read_text())["exclude"]), made
