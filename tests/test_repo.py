"""What the repository promises of itself: its modules, its package, its pins, and that it names no machine or host."""
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from email import message_from_string
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from _fastpages.setup_cell import notebooks

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SETTINGS = ConfigParser()
SETTINGS.read(ROOT / "settings.ini", encoding="utf-8")
SETTINGS = SETTINGS["DEFAULT"]
NOTEBOOKS = notebooks(SETTINGS)


def repo_files():
    """Every file that is committed or would be, as a path from the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return sorted(name for name in set(listed.stdout.decode().split("\0")) if (ROOT / name).is_file())


def texts():
    for name in repo_files():
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            pass


def places(pattern, allowed=()):
    """Where `pattern` stands: `file: match`, for every file but the allowed."""
    searched = ((name, text) for name, text in texts() if name not in allowed)
    return [f"{name}: {found[0]}" for name, text in searched for found in re.finditer(pattern, text)]


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
    environment = {key: value for key, value in os.environ.items() if key != "IN_TEST"}  # nbdev exports nothing with it
    for command in ("nbdev_export", "nbdev_clean"):
        subprocess.run([BIN / command], cwd=folder, env=environment, check=True)
    return folder


def test_modules_are_the_notebooks_exports(fresh):
    def modules(folder):
        return {path.name: path.read_text(encoding="utf-8") for path in (folder / "recaptcha").glob("*.py")}

    here, exported = modules(ROOT), modules(fresh)
    assert sorted(here) == sorted(exported)
    differ = [name for name in here if here[name] != exported[name]]
    assert differ == [], "`make notebooks` was not run, or a module was edited by hand"


def test_nbdev_leaves_the_settings_alone(fresh):
    assert (fresh / "pyproject.toml").read_text() == (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_clean(fresh, notebook):
    clean = notebook.read_bytes() == (fresh / notebook.relative_to(ROOT)).read_bytes()
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
        named = re.search(r"File to edit: \.\./(_notebooks/[\w/]+\.ipynb)", opening)
        assert named, f"{module.name} does not open with its notebook's name"
        assert (ROOT / named[1]).is_file(), f"{module.name} names {named[1]}, which is not there"


# The package


COMMANDS = set(re.findall(r"^\s*([\w-]+)=", SETTINGS["console_scripts"], re.M))
CORE = {"cli", "predict"}  # what answers a challenge, with the modules that these import
MODULES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "recaptcha").glob("*.py")}


def imports(tree):
    """What a module imports, anywhere in it: pairs of a name and whether it is of the package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, alias.name.split(".")[0] == "recaptcha") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or node.names[0].name, bool(node.level) or node.module.split(".")[0] == "recaptcha"


def core_modules():
    found, todo = set(), set(CORE)
    while todo:
        found |= todo
        own = {name.removeprefix("recaptcha.") for module in todo for name, own in imports(MODULES[module]) if own}
        todo = (own & set(MODULES)) - found
    return found


@cache
def brought():
    """The distributions that bring each module that can be imported here."""
    distributions = metadata.packages_distributions()
    return {top: {canonicalize_name(name) for name in names} for top, names in distributions.items()}


def not_required(module, *keys):
    """What a module imports that none of these requirements brings."""
    required = {canonicalize_name(requirement.name) for requirement in requirements(*keys)}
    tops = {name.split(".")[0] for name, own in imports(MODULES[module]) if not own} - set(sys.stdlib_module_names)
    return [f"{module}: {top}" for top in sorted(tops) if not required & brought().get(top, set())]


def test_imports_are_required():
    core = core_modules()
    assert {"answers", "cli", "files", "grid", "network", "pictures", "predict", "words"} <= core, (
        "what answers a challenge"
    )
    assert [found for module in sorted(core) for found in not_required(module, "requirements")] == []
    rest = sorted(set(MODULES) - core)
    assert [found for module in rest for found in not_required(module, "requirements", "train_requirements")] == []


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The source distribution, and the wheel that is built from it when it lies alone."""
    folder = tmp_path_factory.mktemp("built")
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in repo_files():
        if "/" not in name:
            shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "recaptcha", folder / "recaptcha", ignore=skipped)
    (folder / "recaptcha" / "assets" / "recaptcha-fp32.onnx").write_bytes(b"large")  # a release leaves one there
    subprocess.run([sys.executable, "-m", "build", "--no-isolation"], cwd=folder, check=True, capture_output=True)
    [sdist], [wheel] = (folder / "dist").glob("*.tar.gz"), (folder / "dist").glob("*.whl")
    return sdist, wheel


def test_sdist_and_wheel_hold_labels_network_and_commands(built):
    sdist, wheel = built
    with tarfile.open(sdist) as archive:
        sources = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [commands] = [archive.read(name).decode() for name in names if name.endswith("entry_points.txt")]
    labels = {f"recaptcha/labels/{path.name}" for path in (ROOT / "recaptcha" / "labels").iterdir()}
    beside = ("recaptcha-int8.onnx", "recaptcha-int8.json", "README.md", "words.csv")
    network = {f"recaptcha/assets/{name}" for name in beside}
    assert labels and labels | network <= names
    assert labels | network | {"settings.ini", "setup.py", "LICENSE"} <= sources
    assert [name for name in names | sources if "fp32" in name] == [], "too large for a package"
    assert set(re.findall(r"^[\w-]+", commands, re.M)) == COMMANDS


def test_extras(built):
    with zipfile.ZipFile(built[1]) as archive:
        [said] = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    said = [Requirement(text) for text in message_from_string(said).get_all("Requires-Dist")]
    train, site, dev = (requirements(f"{extra}_requirements") for extra in ("train", "site", "dev"))
    wanted = {"": requirements("requirements"), "train": train, "site": site, "dev": [*train, *site, *dev]}
    for extra, those in wanted.items():
        here = [one for one in said if (extra in str(one.marker) if extra else one.marker is None)]
        assert {(one.name, one.specifier) for one in here} == {(one.name, one.specifier) for one in those}, extra


WITHOUT_TRAIN = """
import sys
sys.path.insert(0, sys.argv[1])
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[2:]: raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import recaptcha.predict, recaptcha.cli
assert recaptcha.__file__.startswith(sys.argv[1])
print(recaptcha.Network().about["precision"])
recaptcha.cli.train(["--help"])
"""


def test_the_wheel_answers_without_what_training_needs(built, tmp_path):
    with zipfile.ZipFile(built[1]) as archive:
        archive.extractall(tmp_path)
    extra = {canonicalize_name(requirement.name) for requirement in requirements("train_requirements")}
    absent = [top for top, names in brought().items() if extra & names]
    assert {"torch", "fastai", "timm"} <= set(absent)
    command = [sys.executable, "-c", WITHOUT_TRAIN, tmp_path, *absent]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "int8\n"), done.stderr
    [line] = done.stderr.splitlines()
    assert re.match(r"recaptcha-train: needs \w+, which is not installed: run pip install '.*\[train\]'", line), line


# What is installed


def pins(file):
    """Name, version and hashes of every package that a file in this folder pins, as they stand there."""
    text = (ROOT / file).read_text().replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if not line.startswith("#")]


def pinned(name):
    return {pin.split("==")[0] for pin, *_ in pins(name)}


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-site.txt"])
def test_pins_have_hashes(name):
    for pin, *rest in pins(name):
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin), pin
        assert [word for word in rest if re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", word)], f"{pin} has no hash"
        assert not [word for word in rest if word.startswith("--") and not word.startswith("--hash=sha256:")], pin


def needed(*keys):
    """Every package that the requirements under these keys of settings.ini lead to, here."""
    seen, todo = set(), requirements(*keys)
    while todo:
        requirement = todo.pop()
        for extra in {"", *requirement.extras}:
            name = canonicalize_name(requirement.name)
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            wanted = [Requirement(text) for text in metadata.requires(name) or []]
            todo += [other for other in wanted if other.marker is None or other.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


def test_pins_are_complete():
    everything = needed("requirements", "train_requirements", "site_requirements", "dev_requirements")
    assert sorted(everything - pinned("constraints.txt")) == [], "run `make constraints`"
    assert sorted(needed("site_requirements") - pinned("constraints-site.txt")) == [], "run `make constraints`"
    assert "setuptools" in pinned("constraints-site.txt"), "the module is built with it"


def test_pins_are_versions_that_are_asked_for():
    versions = {}
    for pin, *_ in pins("constraints.txt"):
        name, version = pin.split("==")
        versions.setdefault(name, []).append(version)
    asked = requirements("requirements", "train_requirements", "site_requirements", "dev_requirements")
    wrong = [f"{one} is pinned to {version}" for one in asked for version in versions[canonicalize_name(one.name)]
             if version not in one.specifier]
    assert wrong == [], "run `make constraints`"


def test_what_the_site_needs_is_pinned_alike():
    def files(name):
        return {(pin, word) for pin, *rest in pins(name) for word in rest if word.startswith("--hash")}

    assert files("constraints-site.txt") <= files("constraints.txt")
    assert not pinned("constraints-site.txt") & {"torch", "fastai"}, "the blog waits for torch"


def made(target):
    """The lines that `make` would run for a target if nothing had been made yet."""
    command = ["make", "--dry-run", "--always-make", "--no-print-directory", target]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.replace("\\\n", " ").splitlines()


def test_only_pinned_files_are_installed():
    installing = [line for line in made("install") if re.search(r"\bpip\b.* install\b", line)]
    own = [line for line in installing if line.endswith(" --no-deps --no-build-isolation -e .")]
    others = [line for line in installing if line not in own]
    assert len(own) == 1 and len(others) == 2
    assert [line for line in others if " --require-hashes " not in line or " --only-binary :all: " not in line] == []


def test_a_torch_for_the_cpu_needs_no_cuda(tmp_path):
    made, done = tmp_path / "constraints.txt", tmp_path / ".site"
    done.touch()
    (tmp_path / "lib/python3.13/site-packages/torch-2.15.0.dist-info").mkdir(parents=True)
    make = ["make", "--silent", f"VENV={tmp_path}", f"--old-file={done}", made]
    subprocess.run(make, cwd=ROOT, check=True)
    assert pins(made) == pins("constraints.txt")
    made.unlink()
    (tmp_path / "lib/python3.13/site-packages/torch-2.15.0+cpu.dist-info").mkdir()
    subprocess.run(make, cwd=ROOT, check=True)
    without = [pin for pin in pins("constraints.txt") if not pin[0].startswith(("cuda-", "nvidia-", "triton"))]
    assert pins(made) == without != pins("constraints.txt")


def test_installing_leaves_nothing_to_fetch():
    fetching = re.compile(r"\bpip\b.* install\b|\bnpm ci\b|\bbundle install\b|\bplaywright install\b|-m venv\b")

    def fetched(target):
        return [line for line in made(target) if fetching.search(line)]

    for tool in ("pip", "npm ci", "bundle install", "playwright install"):
        assert any(tool in line for line in fetched("install")), tool
    assert set(fetched("test")) == set(fetched("install")), "`make test` would fetch more than `make install`"
    assert not [line for line in fetched("site") if "constraints.txt" in line], "`make site` waits for torch"


# The repository


def test_no_large_files():
    assert [name for name in repo_files() if (ROOT / name).stat().st_size > 8 * 2**20] == []


def test_no_registry_is_named():
    hosts = ["pypi", "pythonhosted", "npmjs", r"registry\.yarnpkg", r"download\.pytorch", r"conda\.anaconda",
             r"deb\.debian", r"archive\.ubuntu"]
    here = "tests/test_repo.py"
    assert places(rf"(?i)\b({'|'.join(hosts)})\.(org|com)\b", allowed=[here]) == []
    assert places(r"(?i)\brubygems\.org\b", allowed=[here, "Gemfile"]) == []


def test_no_machine_is_named():
    assert places(r"(?<![\w.~}])/(?:root|home|work|tmp|opt)/[\w.]+", allowed=["tests/test_repo.py"]) == []
    assert places(r"\.\./shared\b", allowed=["tests/test_repo.py", ".ci/run"]) == []


def test_owner_and_repository_stand_in_one_place():
    user, repo = SETTINGS["user"], SETTINGS["repo"]
    generated = "recaptcha/_modidx.py"  # nbdev copies them there
    found = places(rf"{re.escape(user)}(/{re.escape(repo)}\b|\.github\.io)", allowed=["settings.ini", generated])
    # One each, written from settings.ini.
    setup_cells = [f"{notebook.relative_to(ROOT).as_posix()}: {user}/{repo}" for notebook in NOTEBOOKS]
    assert sorted(found) == sorted(setup_cells)


def test_ci_runs_the_tests_as_the_readme_says():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = [line.strip() for line in script.read_text().splitlines()]
    steps = ['unset "${!RECAPTCHA_@}"', "make install", "tests/offline.sh make test"]
    assert [line for line in lines if line in steps] == steps
    before = "\n".join(lines[:lines.index(steps[-1])])
    assert not re.search(r"RECAPTCHA_\w+=", before), "a variable is set that a reader would not have set"


def on_real_data(path):
    """Tests of a file that look at what RECAPTCHA_DATA_URL or RECAPTCHA_CHALLENGES names, also by a constant."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    there = re.compile(r"environ\b.*RECAPTCHA_(DATA_URL|CHALLENGES)")
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and there.search(ast.unparse(node.value))]
    constants = {target.id for node in assigned for target in node.targets}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
            if names & constants or there.search(ast.unparse(node)):
                yield node


def test_on_real_data_are_marked():
    """CI runs them by their mark, after the rest, since they need what a reader does not have."""
    real = [node for path in (ROOT / "tests").glob("test_*.py") for node in on_real_data(path)]
    assert real
    unmarked = [node.name for node in real if "pytest.mark.real" not in map(ast.unparse, node.decorator_list)]
    assert unmarked == []
    assert '-m "real and not nightly"' in (ROOT / ".ci" / "run").read_text()


def test_offline_cuts_the_network():
    code = "import socket, sys; print([name for _, name in socket.if_nameindex()]); sys.exit(3)"
    done = subprocess.run([ROOT / "tests" / "offline.sh", sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode == 125:
        pytest.skip("this machine makes no network namespaces")
    assert (done.returncode, done.stdout) == (3, "['lo']\n")


WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in (ROOT / ".github" / "workflows").glob("*.yml")}


def steps(workflow):
    return [step for job in WORKFLOWS[workflow]["jobs"].values() for step in job["steps"]]


def test_workflows_cover_every_python():
    pythons = WORKFLOWS["test.yml"]["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert pythons[0] == SETTINGS["min_python"]
    assert pythons == [f"3.{minor}" for minor in range(int(pythons[0].split(".")[1]), 14)]


def test_workflows_run_the_tests_without_a_network():
    assert "tests/offline.sh make test" in [step.get("run") for step in WORKFLOWS["test.yml"]["jobs"]["test"]["steps"]]
    assert any("-m nightly" in step.get("run", "") for step in steps("nightly.yml"))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflow_trusts_as_little_as_it_can(name):
    text = (ROOT / ".github" / "workflows" / name).read_text()
    used = re.findall(r"uses: (.*)", text)
    by_commit = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert used and [action for action in used if not by_commit.fullmatch(action)] == []
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    jobs = WORKFLOWS[name]["jobs"]
    more = {job: jobs[job]["permissions"] for job in jobs if "permissions" in jobs[job]}
    assert more == ({"deploy": {"pages": "write", "id-token": "write"}} if name == "pages.yml" else {})
    checkouts = [step for step in steps(name) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts and all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_an_action_has_one_version():
    workflows = "".join(path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    used = set(re.findall(r"uses: (.*)", workflows))
    assert len({line.split("@")[0] for line in used}) == len(used)


PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]


@pytest.mark.parametrize("name", PAGES)
def test_page_names_what_is_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "@@" not in text, "a placeholder was left"
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)`", text)) <= targets
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not re.match(r"https?:|\.\./\.\./actions/", link)]
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert set(re.findall(r"\brecaptcha-(?:collect|train|predict|export)\b", text)) <= COMMANDS
    files = re.findall(r"`((?:tests|benchmarks|recaptcha|_notebooks)/[\w./-]+\.\w+)`", text)
    made_up = re.compile(r"NN_|NAME")
    assert [file for file in files if not made_up.search(file) and not (ROOT / file).is_file()] == []


def test_readme_names_every_notebook():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [notebook.relative_to(ROOT).as_posix() for notebook in NOTEBOOKS]
    listed = re.findall(r"^\| \[[^\]]+\]\((_notebooks/[^)]+\.ipynb)\)", text, re.M)
    assert listed == sorted(names, key=lambda name: ("/toolkit/" in name, name)), "first the series, then the toolkit"


def test_readme_installs_extras_that_are_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    extras = set(re.findall(r"pip install '\.\[(\w+)\]'", text))
    assert "train" in extras and all(f"{extra}_requirements" in SETTINGS for extra in extras)
    assert re.search(r"pip install \.(?!\S)", text), "the smallest installation"


def test_citation_and_changelog_are_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0" and citation["message"] and citation["type"] == "software"
    said = (citation["title"], citation["version"], citation["license"].lower(), citation["authors"])
    assert said == (SETTINGS["title"], SETTINGS["version"], SETTINGS["license"], [{"name": SETTINGS["author"]}])
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert headings[0] == "[Unreleased]"
    assert headings[1] == f"[{SETTINGS['version']}] - {citation['date-released']}"


def test_every_word_of_the_site_is_said_and_every_said_word_is_there():
    words = yaml.safe_load((ROOT / "_data" / "words.yml").read_text(encoding="utf-8"))
    folders = ("_layouts", "_includes", "_pages", "_fastpages/templates/post")
    templates = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    theme = "".join(path.read_text(encoding="utf-8") for path in templates)
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "_fastpages").glob("*.py"))
    said = set(re.findall(r"\bwords\.(\w+)", theme)) - {"yml", "json"}
    said |= set(re.findall(r"^word: (\w+)", theme, re.M)) | set(re.findall(r'words\["(\w+)"\]', code))
    # Named by what a quotation opens with.
    by_kind = {"note", "tip", "warning", "important", "caution", "youtube", "twitter"}
    by_kind |= {"preview_youtube", "preview_twitter"}
    by_kind |= {"figure", "code_command", "code_export", "code_test"}  # by what has a caption, and what code is for
    by_kind |= {"tag_report"}  # by a document's tag
    assert set(words) == said | by_kind


def test_what_running_things_leaves_behind_stays_out_of_the_site():
    """Jekyll copies every folder that nobody excludes, and does not read .gitignore: it would publish training runs."""
    made = re.findall(r"^/([a-z]+)/$", (ROOT / ".gitignore").read_text().split("# made by running things")[1], re.M)
    excluded = yaml.safe_load((ROOT / "_config.yml").read_text())["exclude"]
    assert made and {f"{name}/" for name in made} <= set(excluded), made
