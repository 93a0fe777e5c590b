"""Posts and notebooks: figures are there, parts are complete, dates are past, labels are credited rightly.

Their numbers are compared in test_claims.py.
"""
import datetime
import json
import re

import pytest
from notebook_kit import ROOT

from _fastpages.documents import read_documents
from _fastpages.site import read_settings

POSTS = [path for path in sorted((ROOT / "_posts").glob("*.md")) if "\ntranslation_of:" not in path.read_text("utf-8")]
NOTEBOOKS = sorted((ROOT / "_notebooks").rglob("*.ipynb"))
NAMES = {  # a post's figures and measurements go by a short name
    "breaking-recaptcha-v2": "report",
    "stochastic-gradient-descent": "sgd",
    "dataloaders-and-datablock": "dataloaders",
    "convolutional-networks-for-tiles": "convnets",
}


def short_name(post):
    return NAMES[post.stem[len("YYYY-MM-DD-"):]]


def text(post):
    return post.read_text(encoding="utf-8")


@pytest.fixture(params=POSTS, ids=lambda path: path.stem)
def post(request):
    return request.param


def test_the_four_posts_are_there():
    assert sorted(short_name(post) for post in POSTS) == sorted(NAMES.values())


def test_figures_are_made_here_and_shown(post):
    name = short_name(post)
    folder, script = ROOT / "images/posts" / name, ROOT / "benchmarks" / f"post_{name}.py"
    shown = re.findall(r"!\[([^\]]+)\]\(\.\./images/posts/([^) ]+)(?: \"[^\"]+\")?\)", text(post))
    assert {f"{name}/{path.name}" for path in folder.iterdir()} == {path for _, path in shown}
    assert len(shown) >= 2 and all(len(alt) > 40 for alt, _ in shown), "a description for who cannot see it"
    made = script.read_text(encoding="utf-8")
    assert [path for _, path in shown if path.split("/")[1].split(".")[0] not in made] == []


def test_a_post_is_complete(post):
    source = text(post)
    for heading in ("## What we learnt", "## Try it", "## References"):
        assert f"\n{heading}\n" in source
    assert source.count("https://") >= 2
    read = re.sub(r"<details>.*?</details>", "", source, flags=re.S)
    assert 900 < len(read.split()) < 3000


def test_the_report_links_every_lesson_and_the_readme_every_notebook():
    [report] = [text(post) for post in POSTS if short_name(post) == "report"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    places = [path.relative_to(ROOT).as_posix() for path in NOTEBOOKS]
    assert [place for place in places if "/toolkit/" not in place and f"(../{place})" not in report] == []
    assert [place for place in places if f"({place})" not in readme] == []
    assert [post.name for post in POSTS if post.name not in report and short_name(post) != "report"] == []


MOVED = read_settings(ROOT / "settings.ini").moved
DOCUMENTS, PROBLEMS = read_documents(ROOT / "_notebooks", ROOT / "_posts")


def test_every_document_is_read():
    assert PROBLEMS == {} and len(DOCUMENTS) >= 21


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_no_document_is_dated_in_the_future(document):
    assert document.front.date <= datetime.date.today()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_is_empty(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [place for place, cell in enumerate(cells) if not "".join(cell["source"]).strip()] == []


def test_addresses_outlive_their_dates():
    """Eight notebooks were once dated ahead; who has a link to one of them still gets there."""
    once = {"05_label_smoothing_v2": 26, "06_label_correction": 27, "06a_recipe": 27, "06b_grid": 28,
            "07_prediction": 28, "08_results": 29, "09_release": 30, "09b_model_card": 30}
    now = {document.permalink for document in DOCUMENTS}
    now |= {address for document in DOCUMENTS for address in document.redirects(MOVED)}
    assert {f"/2026/11/{day}/{name}.html" for name, day in once.items()} <= now


PEOPLE = re.compile(r"\b(humans?|people|persons?|somebody|someone|by eye|labell?ers?)\b", re.I)
LABELLING = re.compile(r"label|annotat|ceiling|solves|look(ed|s) at|agree", re.I)
WITHDRAWN = {"09_results.ipynb": 2}  # the sentences that take back what was said there of a human labeller


def sentences(path):
    """What a text says, its code and docstrings included, a sentence or a table's cell at a time."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        source = "\n\n".join("".join(cell["source"]) for cell in json.loads(source)["cells"])
    return re.split(r"(?<=[.!?:|])\s+|\n\s*\n|\n(?=[#|*-])", re.sub(r"[ \t]+", " ", source))


PATTERNS = [
    "README.md",
    "index.html",
    "_pages/*",
    "_posts/*.md",
    "_data/words.yml",
    "_notebooks/**/*.ipynb",
    "recaptcha/*.py",
    "recaptcha/labels/README.md",
    "recaptcha/assets/README.md",
    "benchmarks/*.py",
    "demo/*.js",
]
TEXTS = [path for pattern in PATTERNS for path in sorted(ROOT.glob(pattern))]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_label_is_credited_to_people(path):
    """All labels but the folders' are a vision-language model's."""
    credited = [sentence for sentence in sentences(path) if PEOPLE.search(sentence) and LABELLING.search(sentence)]
    assert len(credited) == WITHDRAWN.get(path.name, 0), credited
