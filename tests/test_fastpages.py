"""Notebook -> post: its front matter, the comments that hide and fold cells, the folder of posts."""

import base64
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from notebook_kit import HEAD, ROOT, code, front, picture_output, png, stream, text_of
from PIL import Image

from _fastpages.directives import read_directives
from _fastpages.errors import NotebookError
from _fastpages.front_matter import read
from _fastpages.site import read_settings

# Front matter


def test_front_matter_reads_every_kind_of_value():
    source = (
        "# Tiles: *what* `x` [says](y)\n> One sentence\n> in two lines.\n\n- toc: true\n- badges: no\n- date: "
        "2026-03-04\n"
        "- categories: [data, 'tiles']\n- author: \"A. B\"\n- sticky_rank: 2\n- permalink: /first.html\n\nProse "
        "stays.\n\n- a point"
    )
    found = read([{"cell_type": "markdown", "source": source}], "01_x.ipynb")
    assert (found.title, found.summary) == ("Tiles: what x says", "One sentence in two lines.")
    assert found.rest == "Prose stays.\n\n- a point"
    assert found.values == {
        "toc": True,
        "badges": False,
        "date": found.date,
        "categories": ["data", "tiles"],
        "author": "A. B",
        "sticky_rank": 2,
        "permalink": "/first.html",
    }
    assert found.date.isoformat() == "2026-03-04"


def test_title_and_summary_may_be_quoted():
    found = read(
        [{"cell_type": "markdown", "source": '# "Tiles: a start"\n> "In short"\n\n- date: 2026-03-04'}], "01_x.ipynb"
    )
    assert (found.title, found.summary) == ("Tiles: a start", "In short")


@pytest.mark.parametrize(
    "lines, key, words",
    [
        ("- toc: perhaps\n- date: 2026-03-04", "toc", "true or false"),
        ("- date: 4 March", "date", "YYYY-MM-DD"),
        ("- date: 2026-02-30", "date", "YYYY-MM-DD"),
        ("- toc: true", "date", "missing"),
        ("- dat: 2026-03-04\n- date: 2026-03-04", "dat", "not a key"),
        ("- date: 2026-03-04\n- date: 2026-03-05", "date", "twice"),
        ("- date: 2026-03-04\n- author:", "author", "no value"),
        ("- date: 2026-03-04\n- sticky_rank: high", "sticky_rank", "whole number"),
        ("- date: 2026-03-04\n- permalink: ../../etc", "permalink", "a path"),
        ("- date: 2026-03-04\n- permalink: /index.html", "permalink", "the site's own"),
        ("- date: 2026-03-04\n- redirect_from: [/old.html, /search/]", "redirect_from", "the site's own"),
        ("- date: 2026-03-04\n- trusted: maybe", "trusted", "true or false"),
        ("- date: 2026-03-04\n- image: https://elsewhere.example/x.png", "image", "this site"),
        ("- date: 2026-03-04\n- categories: [a, b", "categories", "[one, two]"),
    ],
)
def test_bad_front_matter_names_notebook_and_key_and_harms_no_other(blog, capsys, lines, key, words):
    blog.add(code("1"), name="00_good")
    blog.add(code("first = 1"), name="01_bad")
    assert blog.convert() == 0
    before = blog.posts()
    blog.add(code("changed = 2"), name="00_good")
    blog.add(name="01_bad", head=f"# T\n> S\n\n{lines}\n")
    capsys.readouterr()
    assert blog.convert() == 1
    told = capsys.readouterr().err.strip().split("\n")
    assert len(told) == 1 and told[0].startswith(f"01_bad.ipynb: {key}: ") and words in told[0]
    after = blog.posts()
    assert "changed" in after["2026-03-04-00_good.html"], "the good one is brought up to date"
    assert after["2026-03-04-01_bad.html"] == before["2026-03-04-01_bad.html"], "the bad one keeps its last good post"


@pytest.mark.parametrize("cells", [[], [new_code_cell("1")], [new_markdown_cell("no title\n\n- date: 2026-03-04")]])
def test_title_is_required(cells):
    with pytest.raises(NotebookError, match="01_x.ipynb: title: missing"):
        read(cells, "01_x.ipynb")


def test_front_matter_is_in_the_first_markdown_cell(blog):
    path = blog.add(code("shown = 1"))
    nb = nbformat.read(path, 4)
    nb.cells.insert(0, code("#| default_exp data"))
    nbformat.write(nb, path)
    assert blog.convert() == 0
    post = blog.posts()["2026-03-04-01_one.html"]
    assert (
        front(post)["title"] == "A title"
        and "shown" in text_of(post)
        and "<h2" not in post
        and "What it shows" not in post.split("\n---\n")[1]
    )


def test_all_bad_notebooks_are_told_at_once(blog, capsys):
    blog.add(name="01_bad", head="# T\n- toc: x\n- date: 2026-01-01")
    (blog.notebooks / "02_broken.ipynb").write_text("{not json")
    assert blog.convert() == 1
    told = capsys.readouterr().err.strip().split("\n")
    assert [line.split(": ")[0] for line in told] == ["01_bad.ipynb", "02_broken.ipynb"]
    assert not (blog.root / "_posts").exists()


def test_front_matter_reaches_the_post_as_yaml(blog):
    blog.add(
        head='# "Quotes": {{ site.title }} 🚲\n> a: b # c\n\n- date: 2026-03-04\n- toc: true\n- categories: x, y\n'
    )
    assert blog.convert() == 0
    values = front(blog.posts()["2026-03-04-01_one.html"])
    assert values["title"] == '"Quotes": {{ site.title }} 🚲' and values["description"] == "a: b # c"
    assert values["toc"] is True and values["categories"] == ["x", "y"] and values["layout"] == "post"
    assert values["permalink"] == "/2026/03/04/01_one.html" and values["render_with_liquid"] is False


def test_cover_picture_is_one_that_exists(blog, capsys):
    (blog.root / "images").mkdir()
    (blog.root / "images/cover.png").write_bytes(base64.b64decode(png(colour="green")))
    blog.add(code("plot()", picture_output()), name="01_one", head=HEAD + "- image: images/cover.png\n")
    blog.add(code("plot()", picture_output()), name="02_two", head=HEAD + "- image: images/none.png\n")
    blog.add(name="03_three")
    assert blog.convert() == 0
    fronts = [front(post) for post in blog.posts().values()]
    assert [values.get("cover") for values in fronts] == [
        {"src": "/images/social/01_one.webp", "width": 640, "height": 360},
        {"src": "/images/social/02_two.webp", "width": 640, "height": 360},
        None,
    ]
    for name, colour in (("01_one", "green"), ("02_two", "red")):
        with Image.open(blog.root / f"images/social/{name}.webp") as cover:
            assert cover.size == (640, 360)
            assert max(zip(cover.convert("RGB").getpixel((320, 180)), ("red", "green", "blue")))[1] == colour
    for values in fronts:
        with Image.open(blog.root / values["image"]["path"].lstrip("/")) as card:
            assert card.size == (1200, 630)
    assert "02_two.ipynb: image: images/none.png is not there" in capsys.readouterr().err


def test_two_notebooks_cannot_have_one_address(blog, capsys):
    blog.add(name="01_one", head=HEAD + "- permalink: /p.html\n")
    blog.add(name="02_two", head=HEAD + "- permalink: /p.html\n")
    assert blog.convert() == 1
    assert "02_two.ipynb: permalink: /p.html is 01_one.ipynb's already" in capsys.readouterr().err


# Directives


@pytest.mark.parametrize("spell", ["#{}", "# {}", "#| {}", "#|{}", "# | {}"])
@pytest.mark.parametrize(
    "word, shown",
    [
        ("hide", set()),
        ("hide_input", {"output"}),
        ("hide_output", {"code"}),
        ("collapse", {"code", "output", "closed"}),
        ("collapse_show", {"code", "output", "open"}),
        ("collapse_output", {"code", "output", "closed"}),
    ],
)
def test_directives_in_both_spellings(blog, spell, word, shown):
    body = blog.body(code(spell.format(word) + "\nmycode = 1", stream("myoutput")))
    plain = text_of(body)
    assert ("mycode" in plain, "myoutput" in plain) == ("code" in shown, "output" in shown)
    assert ("<details" in body, '<details class="fold" open>' in body) == (
        bool(shown & {"open", "closed"}),
        "open" in shown,
    )
    assert word not in plain
    if "closed" in shown:
        folded = text_of(body[body.index("<details") : body.index("</details>")])
        assert ("myoutput" in folded, "mycode" in folded) == (word == "collapse_output", word == "collapse")


def test_export_directives_are_not_shown(blog):
    body = blog.body(
        code("#| default_exp data"),
        code("#|export\n#| eval: false\ndef f(): ..."),
        code("#export\ny = 2"),
        code("#| hide\n#| export\nsecret = 1"),
        code("# export everything\nz = 3"),
    )
    plain = text_of(body)
    assert "def f(): ..." in plain and "y = 2" in plain and "secret" not in plain
    assert "# export everything" in plain, "an ordinary comment stays"
    assert "#|" not in plain and "#export" not in plain and "default_exp" not in plain
    assert body.count('class="cell"') == 3, "a cell with nothing but directives vanishes"


def test_a_hidden_first_cell_leaves_nothing_on_the_page(blog):
    setup = "#| hide\nimport os, sys\nif 'google.colab' in sys.modules:\n    !pip install ./series\n    %cd series"
    rest = [new_markdown_cell("## First"), code("#| alt: A square\nplot()", picture_output())]
    without = blog.body(*rest)
    with_setup = blog.body(code(setup, stream("Collecting series"), picture_output("blue")), *rest)
    assert with_setup == without, "no block, no output, no picture, no other number"
    assert len(list((blog.root / "images" / "01_one").iterdir())) == 1
    path = blog.add(*rest)
    nb = nbformat.read(path, 4)
    nb.cells.insert(0, code(setup))  # before the front matter
    nbformat.write(nb, path)
    assert blog.convert() == 0 and blog.posts()["2026-03-04-01_one.html"].split("\n---\n", 1)[1] == without


def test_directives_are_lines_of_their_own():
    assert read_directives("x = 1\n#| hide\n#hide") == ({"hide": True}, "x = 1")
    assert read_directives("x = 1 # hide\n#hide it") == ({}, "x = 1 # hide\n#hide it")
    assert read_directives("# hide the top row\nx") == ({}, "# hide the top row\nx")
    assert read_directives("%%time\n#| hide_input\nx") == ({"hide_input": True}, "%%time\nx")
    assert read_directives("#alt: Two bars\nx") == read_directives("# alt: Two bars\nx") == ({"alt": "Two bars"}, "x")
    assert read_directives("#| echo: false\n#| alt: Two bars: red, blue\nx") == (
        {"hide_input": True, "alt": "Two bars: red, blue"},
        "x",
    )


def test_raw_and_empty_cells_are_left_out(blog):
    body = blog.body(new_raw_cell("<b>raw</b>"), new_markdown_cell("  "), code(""), new_markdown_cell("#hide\nfor us"))
    assert "raw" not in body and "for us" not in body and 'class="cell"' not in body


# The folder of posts


def test_unchanged_notebooks_are_left_alone_and_deleted_ones_go(blog, capsys):
    blog.add(code("plot()", picture_output()), name="01_one")
    two = blog.add(code("plot()", picture_output()), name="02_two", head=HEAD.replace("04", "05"))
    by_hand = blog.root / "_posts" / "2026-01-01-99_by_hand.html"
    by_hand.parent.mkdir()
    by_hand.write_text("---\ntitle: x\n---\nby hand")
    assert blog.convert() == 0 and "2 converted, 0 unchanged, 0 removed" in capsys.readouterr().out
    post = blog.root / "_posts/2026-03-04-01_one.html"
    stamp = post.stat().st_mtime_ns
    assert blog.convert() == 0 and "0 converted, 2 unchanged, 0 removed" in capsys.readouterr().out
    assert post.stat().st_mtime_ns == stamp
    next((blog.root / "images/01_one").iterdir()).unlink()
    assert blog.convert() == 0 and "1 converted, 1 unchanged" in capsys.readouterr().out
    assert len(list((blog.root / "images/01_one").iterdir())) == 1
    two.unlink()
    assert blog.convert() == 0 and "1 removed" in capsys.readouterr().out
    assert sorted(blog.posts()) == [
        "2026-01-01-99_by_hand.html",
        "2026-03-04-01_one.html",
    ] and by_hand.read_text().endswith("by hand")
    assert not (blog.root / "images/02_two").exists()


def test_new_date_moves_the_post_and_keeps_its_pictures(blog):
    blog.add(code("plot()", picture_output()))
    blog.convert()
    blog.add(code("plot()", picture_output()), head=HEAD.replace("04", "09"))
    blog.convert()
    assert list(blog.posts()) == ["2026-03-09-01_one.html"] and len(list((blog.root / "images/01_one").iterdir())) == 1


def test_only_numbered_notebooks_are_posts(blog):
    blog.add(name="01_one")
    blog.add(name="01b_more", head=HEAD.replace("04", "05"))
    blog.add(name="_draft")
    blog.add(name="notes")
    blog.convert()
    assert {name: front(post)["part"] for name, post in blog.posts().items()} == {
        "2026-03-04-01_one.html": "01",
        "2026-03-05-01b_more.html": "01b",
    }


def test_settings_become_jekylls(blog):
    blog.add()
    subprocess.run(
        [sys.executable, "-m", "_fastpages", "--notebooks", blog.notebooks, "--out", blog.root],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    site = read_settings(ROOT / "settings.ini")
    lines = (blog.root / "_settings.yml").read_text().split("\n")
    assert (
        f'repository: "{site.repository}"' in lines
        and f'baseurl: "{site.baseurl}"' in lines
        and f'url: "{site.url}"' in lines
    )


def test_missing_word_is_named(blog, capsys):
    words = blog.root / "_data" / "words.yml"
    words.write_text(
        "".join(line for line in words.read_text().splitlines(keepends=True) if not line.startswith("footnotes:"))
    )
    assert blog.convert() == 2
    assert re.fullmatch(r".*words.yml: footnotes: missing\n", capsys.readouterr().err)


def test_the_sites_language_is_changed_in_one_place(blog):
    words = blog.root / "_data" / "words.yml"
    words.write_text(words.read_text().replace("code: Code", "code: Kode").replace("note: Note", "note: Obs"))
    body = blog.body(new_markdown_cell("> Note: a"), code("#| collapse\nx = 1"))
    assert "<summary>Kode</summary>" in body and '<p class="callout-name">Obs</p>' in body


def test_missing_setting_is_named(blog, capsys):
    blog.settings.write_text("[DEFAULT]\nuser = a\n")
    assert blog.convert() == 2
    assert re.fullmatch(r".*settings.ini: \w+: missing\n", capsys.readouterr().err)
