"""The demo page's scripts do as Python does: its golden vectors go through them under Node.js, without a browser."""

import json
import os
import re
import subprocess

import pytest
import yaml
from golden_kit import write_golden
from notebook_kit import ROOT
from site_kit import program

from _fastpages.demo import demo_scripts, version_imports
from _fastpages.versions import digest
from recaptcha import candidates

TESTS = ROOT / "tests" / "js"


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    """A folder with the vectors, the page's words, and the scripts as Node.js reads them."""
    folder = tmp_path_factory.mktemp("golden")
    golden = write_golden(folder)
    found = [case for case in golden["grids"] if "boxes" in case and case["about"].startswith("composed")]
    assert len(found) >= 8, "hardly a grid is found, so hardly a thing is compared"
    assert {case.get("error") for case in golden["grids"]} == {None, "no_grid", "no_such_grid"}
    (folder / "words.json").write_text(
        json.dumps(yaml.safe_load((ROOT / "_data" / "words.yml").read_text(encoding="utf-8"))), encoding="utf-8"
    )
    (folder / "package.json").write_text('{"type": "module"}')
    for name, script in demo_scripts().items():
        (folder / name).write_text(script, encoding="utf-8")
    return folder


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.test.mjs")), ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_scripts_do_as_python_does(golden, path):
    done = subprocess.run(
        [program("node", "site"), "--test", "--test-reporter=tap", path],
        env={**os.environ, "GOLDEN": str(golden)},
        capture_output=True,
        text=True,
    )
    counts = dict(re.findall(r"^# (\w+) (\d+)$", done.stdout, re.M))
    assert done.returncode == 0 and int(counts["pass"]) > 0 and counts["pass"] == counts["tests"], (
        done.stdout + done.stderr
    )


def test_each_import_names_its_content():
    """A change in one script changes the addresses of all that lead to it, and of no other."""
    before, scripts = version_imports(demo_scripts()), demo_scripts()
    for script in before.values():
        for name, version in re.findall(r'from "\./([a-z]+\.mjs)\?v=([0-9a-f]+)"', script):
            assert digest(before[name].encode()).startswith(version) and len(version) == 32
        assert not re.search(r'\bfrom "\./[a-z]+\.js"|\bimport "', script)
    scripts["measure.js"] += "// changed\n"
    changed = {name for name, script in version_imports(scripts).items() if script != before[name]}
    assert changed == {"measure.mjs", "grid.mjs", "challenge.mjs", "page.mjs", "stage.mjs"}


FINDER = ("lines.js", "regions.js", "candidates.js", "grid.js", "measure.js")


def test_the_finders_numbers_are_pythons():
    """A number that a script writes out itself stays when Python's changes."""
    scripts, used = demo_scripts(), set()
    for name in FINDER:
        code = re.sub(r"//[^\n]*|/\*.*?\*/", "", scripts[name], flags=re.S)
        used |= set(re.findall(r"\b[A-Z][A-Z_]{2,}\b", code))
        assert re.findall(r"^(?:export )?const [A-Z_]+ = [\d.]+;", code, re.M) == [], name
    shared = dict(re.findall(r"^export const ([A-Z_]+) = (.+);$", scripts["numbers.js"], re.M))
    others = {"MAX_PIXELS", "TRUST", "SURE_ANSWER"}  # of picture.js and answer.js
    assert set(shared) - used == others, "numbers that no script of the finder reads"
    assert json.loads(shared["WEIGHTS"]) == candidates.WEIGHTS
