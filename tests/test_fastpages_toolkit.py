"""The toolkit's notebooks: no number, no date in the address, links from a folder deeper; what has moved."""

import re

import pytest
from nbformat.v4 import new_markdown_cell
from notebook_kit import HEAD, Blog, code, front, picture_output

from _fastpages.documents import is_document, slug_of
from _fastpages.setup_cell import notebooks
from _fastpages.symbols import places

POST = "2026-03-04-toolkit-one.html"
EXPORTS = "#| default_exp one"


@pytest.fixture
def shelf(blog: Blog):
    """A blog with an empty second shelf."""
    (blog.notebooks / "toolkit").mkdir()
    return blog


def converted(shelf, *cells):
    """The page of a notebook of the toolkit that has these cells."""
    shelf.add(*cells, name="toolkit/one")
    assert shelf.convert() == 0
    return shelf.posts()[POST]


def test_its_address_has_neither_number_nor_date(shelf):
    head = front(converted(shelf, code("1")))
    assert head["permalink"] == "/toolkit/one.html" and head["notebook"] == "toolkit/one.ipynb"
    assert head["shelf"] == "toolkit" and "part" not in head and head["generated_from"] == "toolkit/one.ipynb"


def test_links_lead_from_shelf_to_shelf(shelf):
    shelf.add(new_markdown_cell("[a](toolkit/one.ipynb#x) [b](../_notebooks/toolkit/one.ipynb)"), name="01_one")
    shelf.add(code("1"), name="toolkit/two")
    cell = (
        "[c](two.ipynb) [d](../01_one.ipynb) [e](../../README.md) [f](01_one.ipynb) [g](../../_notebooks/01_one.ipynb)"
    )
    links = dict(
        re.findall(r'<a(?: href="([^"]*)")?[^>]*>(\w)</a>', converted(shelf, new_markdown_cell(cell)))[n][::-1]
        for n in range(5)
    )
    assert links["c"] == "/base/toolkit/two.html" and links["d"] == links["g"] == "/base/2026/03/04/01_one.html"
    assert links["e"].endswith("/blob/main/README.md") and links["f"] == ""
    lesson = shelf.posts()["2026-03-04-01_one.html"]
    assert 'href="/base/toolkit/one.html#x"' in lesson and 'href="/base/toolkit/one.html"' in lesson


def test_a_link_is_renewed_when_its_target_moves(shelf):
    shelf.add(new_markdown_cell("[two](two.ipynb)"), name="toolkit/one")
    shelf.add(code("1"), name="toolkit/two")
    assert shelf.convert() == 0
    shelf.add(code("1"), name="toolkit/two", head=HEAD + "- permalink: /new.html\n")
    assert shelf.convert() == 0
    assert 'href="/base/new.html"' in shelf.posts()[POST]


def test_pictures_have_a_folder_that_goes_with_the_notebook(shelf):
    (shelf.root / "images" / "posts").mkdir(parents=True)
    (shelf.root / "images" / "posts" / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    page = converted(shelf, code("p", picture_output()), new_markdown_cell("![a](../../images/posts/a.svg)"))
    folder = shelf.root / "images" / "toolkit-one"
    assert 'src="/base/images/posts/a.svg"' in page and 'src="/base/images/toolkit-one/' in page
    assert len(list(folder.iterdir())) == 1
    (shelf.notebooks / "toolkit" / "one.ipynb").unlink()
    assert shelf.convert() == 0
    assert POST not in shelf.posts() and not folder.exists()


def test_an_old_address_leads_to_where_a_page_has_moved(shelf):
    table = shelf.root / "_data" / "moved.yml"
    table.write_text("/2026/03/04/00a_one.html: toolkit/one.ipynb\n")
    assert front(converted(shelf, code("1")))["redirect_from"] == ["/2026/03/04/00a_one.html"]
    table.write_text("/2026/03/04/00b_one.html: toolkit/one.ipynb\n")
    assert front(converted(shelf, code("1")))["redirect_from"] == ["/2026/03/04/00b_one.html"], "not made anew"


@pytest.mark.parametrize(
    ("table", "words"),
    [("/x/../y.html: toolkit/one.ipynb", "expected a path"), ("- a", ""), ("a: [", "")],
)
def test_a_spoilt_table_of_old_addresses_is_told_of(shelf, capsys, table, words):
    (shelf.root / "_data" / "moved.yml").write_text(table)
    shelf.add(code("1"), name="toolkit/one")
    assert shelf.convert() == 2
    [told] = capsys.readouterr().err.strip().split("\n")
    assert "moved.yml: " in told and words in told


def test_two_pages_cannot_have_moved_from_one_address(shelf, capsys):
    (shelf.root / "_data" / "moved.yml").write_text("/2026/03/04/01_one.html: toolkit/one.ipynb\n")
    shelf.add(code("1"), name="01_one")
    shelf.add(code("1"), name="toolkit/one")
    assert shelf.convert() == 1
    assert capsys.readouterr().err.startswith("toolkit/one.ipynb: redirect_from: /2026/03/04/01_one.html is 01_one")


def test_what_is_exported_has_a_place_on_the_page(shelf):
    source = "class Net:\n    def probs(self): pass\n\ndef _load(path): pass"
    cells = [code("#| hide\n#| export\ndef hidden(): pass"), new_markdown_cell("## net"), code(f"#| export\n{source}")]
    page = converted(shelf, code(EXPORTS), *cells, code("def shown(): pass"))
    assert re.findall(r'<span id="([^"]+)"></span>', page) == ["hidden", "net.probs", "_load"], "a heading is `net`"
    assert 'id="shown"' not in page


def test_nbdevs_address_of_a_lesson_leads_to_its_page(shelf):
    shelf.add(code(EXPORTS), name="01_one")
    shelf.add(code("1"), name="02_two")
    assert shelf.convert() == 0
    heads = [front(post) for post in shelf.posts().values()]
    assert [head.get("redirect_from") for head in heads] == [["/one.html"], None]


def test_which_names_are_documents():
    assert is_document("01_one.ipynb") and is_document("toolkit/one.ipynb") and is_document("2026-01-02-a.md")
    assert not any(map(is_document, ["one.ipynb", "toolkit/_one.ipynb", "other/one.ipynb", "toolkit/a/one.ipynb"]))
    assert slug_of("toolkit/one.ipynb") == "toolkit-one" and slug_of("01_one.ipynb") == "01_one"


def test_setup_cells_go_into_the_notebooks_that_nbdev_finds(shelf, monkeypatch):
    monkeypatch.setattr("_fastpages.setup_cell.ROOT", shelf.root)
    (shelf.notebooks / ".ipynb_checkpoints").mkdir()
    for name in ("01_one", "toolkit/one", "_draft", ".ipynb_checkpoints/01_one"):
        shelf.add(code("1"), name=name)
    found = [path.relative_to(shelf.notebooks).as_posix() for path in notebooks({"nbs_path": "_notebooks"})]
    assert found == ["01_one.ipynb", "toolkit/one.ipynb"]


def test_a_patched_method_stands_under_its_class():
    source = "@patch\ndef labels(self:Recipe, dls): ...\n\n@patch\ndef loose(x): ...\n\nclass A:\n    def b(self): ..."
    assert places(source) == ["recipe.labels", "loose", "a", "a.b"]
