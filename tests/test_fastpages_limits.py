"""One document, whatever it holds and whatever goes wrong with it, neither stops the others nor takes for ever."""

import base64
import datetime
import errno
import io
import os
import socket
import time
from contextlib import suppress

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_output, new_raw_cell
from notebook_kit import HEAD, ROOT, code, front, html_output, picture_output, png, stream
from PIL import Image

from _fastpages import documents, posts
from _fastpages.errors import NotebookError, one_line
from _fastpages.exporter import convert
from _fastpages.front_matter import FrontMatter, read
from _fastpages.markdown import Links
from _fastpages.outputs import _join_streams
from _fastpages.patience import at_most
from _fastpages.pictures import PictureFolder
from _fastpages.site import read_settings
from _fastpages.social import best_cover

GOOD, BAD = "2026-03-04-00_good.html", "2026-03-04-01_bad.html"


def good_beside(blog, capsys, **bad) -> list:
    """Publishes a changed good notebook beside what is in the folder already; gives what is said of the others."""
    blog.add(code("changed = 2"), name="00_good")
    if bad:
        blog.add(*bad.pop("cells", ()), name="01_bad", **bad)
    capsys.readouterr()
    assert blog.convert() == 1
    assert "changed" in blog.posts()[GOOD]
    return capsys.readouterr().err.strip().split("\n")


def image(width, height, kind="PNG", mode="RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height)).save(buffer, kind)
    return buffer.getvalue()


# Whatever goes wrong


@pytest.mark.parametrize(
    "step, error, words",
    [
        ("_digest", KeyError("x"), "KeyError: 'x' (in "),
        ("_is_current", UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "'utf-8' codec"),
        ("_convert", RecursionError(), "nested too deeply: take out"),
        ("_cover", MemoryError(), "more memory than there is: make"),
        ("draw_card", TypeError("a\nb"), "TypeError: a b (in "),
        ("draw_cover", OSError(errno.ENOSPC, "No space left on device", "x.webp"), "No space left on device: x.webp"),
        ("_post_text", AssertionError(), "AssertionError"),
        ("_social_files", OSError(errno.ENAMETOOLONG, "File name too long"), "File name too long"),
        ("write", PermissionError(errno.EACCES, "Permission denied", "post.html"), "Permission denied: post.html"),
    ],
)
def test_no_step_of_one_document_stops_the_others(blog, capsys, monkeypatch, step, error, words):
    for name in ("01_bad", "00_good"):
        blog.add(code("plot()", picture_output()), name=name)
    assert blog.convert() == 0
    before, done = blog.posts()[BAD], getattr(posts, step)

    def fail(*args, **kwargs):
        if "Bad title" in str(args[0]) or "01_bad" in str(args[0]) or (step == "draw_cover" and args[0].size == (7, 5)):
            raise error
        return done(*args, **kwargs)

    monkeypatch.setattr(posts, step, fail)
    told = good_beside(
        blog,
        capsys,
        head=HEAD.replace("A title", "Bad title"),
        cells=[code("plot()", new_output("display_data", {"image/png": png(7, 5)}))],
    )
    assert len(told) == 1 and told[0].startswith("01_bad.ipynb: ") and words in told[0]
    assert blog.posts()[BAD] == before, "it keeps its last good page"


@pytest.mark.parametrize("step", ["read_text", "read"])
def test_no_step_of_reading_one_document_stops_the_others(blog, capsys, monkeypatch, step):
    done = getattr(documents, step)

    def fail(*args, **kwargs):
        if any("01_bad" in str(arg) for arg in args):
            raise ZeroDivisionError("x")
        return done(*args, **kwargs)

    monkeypatch.setattr(documents, step, fail)
    told = good_beside(blog, capsys, head=HEAD)
    assert len(told) == 1 and told[0].startswith(
        "01_bad.ipynb: not a notebook: ZeroDivisionError: x (in test_fastpages_limits.py, line "
    )


def test_messages_stay_in_one_line():
    assert one_line("a\n\x1b[31mb\ud800\r\n c") == "a \ufffd[31mb\ufffd c" and len(one_line("x" * 1000)) == 301


# Pictures that stand for a post


@pytest.mark.parametrize(
    "content, words",
    [
        (b"no picture", "not a picture that can be read"),
        (b"", "not a picture that can be read"),
        (image(300, 200)[:-60], "damaged"),
        (image(9000, 9000, mode="1"), "too many"),
        (image(3000, 1), "long and thin"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a drawing that says how large it is"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='90000'/>", "long and thin"),
        (b"<svg", "not a drawing that says how large it is"),
    ],
    ids=["text", "nothing", "truncated", "large", "thin", "drawing", "thin drawing", "broken drawing"],
)
def test_an_image_that_is_no_picture_is_told(blog, capsys, content, words):
    blog.add(code("first = 1"), name="01_bad")
    blog.add(name="00_good")
    (blog.root / "images").mkdir()
    (blog.root / "images" / "cover.png").write_bytes(content)
    assert blog.convert() == 0
    before = blog.posts()[BAD]
    told = good_beside(blog, capsys, head=HEAD + "- image: images/cover.png\n")
    assert (
        len(told) == 1
        and told[0].startswith("01_bad.ipynb: image: images/cover.png: ")
        and words in told[0]
        and told[0].endswith("name another picture")
    )
    assert blog.posts()[BAD] == before


@pytest.mark.parametrize(
    "name",
    ["images", "images/pipe.png", "images/../../outside.png", "x" * 5000, "images/loop.png", "images/outside.png"],
)
def test_an_image_that_is_no_file_of_the_site_is_told(blog, capsys, name):
    (blog.root / "images").mkdir()
    (blog.root.parent / "outside.png").write_bytes(image(30, 20))
    (blog.root / "images" / "outside.png").symlink_to(blog.root.parent / "outside.png")
    (blog.root / "images" / "loop.png").symlink_to("loop.png")
    os.mkfifo(blog.root / "images" / "pipe.png")
    told = good_beside(blog, capsys, head=f"{HEAD}- image: {name}\n")
    assert len(told) == 1 and told[0].startswith("01_bad.ipynb: ") and len(told[0]) < 600


def test_a_page_whose_pictures_cannot_be_its_cover_has_none(blog):
    assert best_cover([image(3000, 1), image(1, 3000)]) is None
    assert best_cover([image(3000, 1), image(30, 20)]).size == (30, 20)
    thin = new_output("display_data", {"image/png": base64.b64encode(image(3000, 1)).decode()})
    blog.body(code("plot()", thin))
    assert "cover" not in front(blog.posts()["2026-03-04-01_one.html"])


@pytest.mark.parametrize(
    "stated",
    [
        {"width": "wide", "height": 3},
        {"width": -1, "height": 10},
        {"width": 1e300, "height": 1e300},
        {"width": [1], "height": None},
    ],
)
def test_a_size_that_makes_no_sense_is_not_believed(blog, stated):
    output = picture_output()
    output["metadata"] = {"image/png": stated}
    assert 'width="30" height="20"' in blog.body(code("plot()", output))


@pytest.mark.parametrize(
    "sides",
    [
        'width="1e400" height="1"',
        f'width="{"9" * 400}" height="9"',
        'viewBox="0 0 inf nan"',
        'viewBox="0 0 x y"',
        'width="0" height="0"',
    ],
)
def test_a_drawing_of_an_impossible_size_stops_nothing(blog, sides):
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" {sides}><circle r="4"/></svg>'
    assert "width=" not in blog.body(
        code("plot()", new_output("display_data", {"image/svg+xml": drawing, "text/plain": "a drawing"}))
    )


# Files


@pytest.mark.parametrize("name", ["01_" + "x" * 237, "01_" + "é" * 110, "2026-03-05-" + "x" * 229])
def test_a_name_that_is_too_long_is_told(blog, capsys, name):
    if name.startswith("01_"):
        blog.add(name=name)
    else:
        (blog.root / "_posts").mkdir()
        (blog.root / "_posts" / f"{name}.md").write_text("---\ntitle: T\n---\nText.\n")
    told = good_beside(blog, capsys)
    assert len(told) == 1 and told[0].startswith(f"{name}.") and "give it one of 200 at most" in told[0]


def test_the_longest_name_works(blog):
    name = "01_" + "x" * 191
    blog.add(code("plot()", picture_output()), name=name, head=HEAD)
    assert blog.convert() == 0 and list(blog.posts()) == [f"2026-03-04-{name}.html"]


def test_only_regular_files_are_read(blog, capsys):
    made = blog.root / "_posts"
    made.mkdir()
    os.mkfifo(blog.notebooks / "01_pipe.ipynb")
    (blog.notebooks / "02_folder.ipynb").mkdir()
    (blog.notebooks / "03_device.ipynb").symlink_to("/dev/zero")
    (blog.notebooks / "04_nowhere.ipynb").symlink_to("nowhere")
    (blog.notebooks / "05_loop.ipynb").symlink_to("05_loop.ipynb")
    place = os.getcwd()
    os.chdir(blog.notebooks)  # a socket's whole path may have 107 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("06_socket.ipynb")
    os.chdir(place)
    os.mkfifo(made / "2026-03-05-pipe.md")
    os.mkfifo(blog.notebooks / "near.png")
    (blog.notebooks / "lost.png").symlink_to("nowhere")
    blog.add(new_markdown_cell("![x](near.png)"), name="07_picture")
    for name in (GOOD.replace("00_good", "08_page"), "2026-01-01-by_hand.html"):
        os.mkfifo(made / name)
    blog.add(name="08_page")
    blog.add(code("changed = 2"), name="00_good")
    assert blog.convert() == 1
    told = capsys.readouterr().err.strip().split("\n")
    assert sorted(line.split(": ")[0] for line in told) == [
        "01_pipe.ipynb",
        "02_folder.ipynb",
        "03_device.ipynb",
        "04_nowhere.ipynb",
        "05_loop.ipynb",
        "06_socket.ipynb",
        "07_picture.ipynb",
        "08_page.ipynb",
        "2026-03-05-pipe.md",
    ]
    assert "changed" in (made / GOOD).read_text()


def test_a_notebook_that_is_too_large_is_told(blog, capsys):
    with (blog.notebooks / "01_bad.ipynb").open("wb") as file:
        file.truncate(50_000_001)
    assert good_beside(blog, capsys) == [
        "01_bad.ipynb: not a notebook: larger than 50 MB: clear outputs that nobody needs, or make its pictures smaller"
    ]


def test_broken_pages_in_the_folder_of_posts_are_left_alone(blog):
    made = blog.root / "_posts"
    (made / "2026-01-01-folder.html").mkdir(parents=True)
    (made / "2026-01-02-bytes.html").write_bytes(b"---\ngenerated_from: \xff\n---\n")
    (made / "2026-01-03-mark.html").write_text("---\ngenerated_from: {\n---\n")
    (made / "2026-01-04-yaml.html").write_text("---\n" + "[" * 100_000 + "\n---\n")
    blog.add(code("x = 1"))
    assert blog.convert() == 0 and len(list(made.iterdir())) == 5


def test_a_page_that_was_lost_is_made_again(blog):
    before = blog.body(code("x = 1"))
    post = blog.root / "_posts" / "2026-03-04-01_one.html"
    post.write_bytes(b"")
    assert blog.convert() == 0 and post.read_text().endswith(before)


def test_nothing_is_written_through_what_lies_where_a_draft_was(blog, tmp_path):
    (tmp_path / "other.txt").write_text("other")
    (blog.root / "_posts").mkdir(exist_ok=True)
    (blog.root / "_posts" / f".{BAD}.part").symlink_to(tmp_path / "other.txt")
    blog.add(code("x = 1"), name="01_bad")
    assert blog.convert() == 0 and BAD in blog.posts()
    assert (tmp_path / "other.txt").read_text() == "other"


def test_pictures_of_the_last_good_page_go_when_the_next_is_there(blog, capsys, monkeypatch):
    blog.add(code("plot()", picture_output("red")), code("plot()", picture_output("blue")), name="01_bad")
    blog.add(name="00_good")
    assert blog.convert() == 0
    done = posts.write

    def fail(path, content):
        if path.name == BAD:
            raise OSError(errno.ENOSPC, "No space left on device")
        done(path, content)

    monkeypatch.setattr(posts, "write", fail)
    told = good_beside(blog, capsys, head=HEAD, cells=[code("plot()", picture_output("red"))])
    assert told == ["01_bad.ipynb: No space left on device"]
    assert len(list((blog.root / "images" / "01_bad").iterdir())) == 2, "its page still shows both"
    monkeypatch.undo()
    assert blog.convert() == 0 and len(list((blog.root / "images" / "01_bad").iterdir())) == 1


# Front matter


@pytest.mark.parametrize(
    "lines, words",
    [
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "\n".join(
                f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefgh", "bcdefghi")
            )
            + "\nauthor: *i",
            "*a stands for another value; write that value out",
        ),
        ("title: &t T\nauthor: *t", "*t stands for another value"),
        ("title: T\nauthor: [" + "[" * 3000, "more than 200 brackets"),
        ("author: " + "x" * 20_000, "longer than 10000 characters"),
        ("sticky_rank: " + "9" * 5000, "front matter: "),
        ("title: T\nsticky_rank: '" + "9" * 5000 + "'", "whole number"),
    ],
)
def test_yaml_that_unfolds_or_is_endless_is_told(lines, words):
    began = time.process_time()
    with pytest.raises(NotebookError) as caught:
        read([{"cell_type": "raw", "source": f"---\n{lines}\n---"}], "01_x.ipynb")
    assert words in str(caught.value) and max(map(len, str(caught.value).split("\n"))) < 500
    assert time.process_time() - began < 2


def test_an_alias_bomb_stops_nothing(blog, capsys):
    path = blog.add(name="01_bad")
    nb = nbformat.read(path, 4)
    nb.cells[0] = new_raw_cell(
        "---\ntitle: &a [" + "x, " * 99 + "x]\nauthor: &b [" + "*a, " * 99 + "*a]\nbranch: [" + "*b, " * 99 + "*b]\n---"
    )
    nbformat.write(nb, path)
    assert good_beside(blog, capsys) == [
        "01_bad.ipynb: front matter: *a stands for another value; write that value out"
    ]


@pytest.mark.parametrize(
    "head, words",
    [
        ("# " + "x" * 400 + "\n- date: 2026-03-04", "title: longer than 300"),
        ("# T\n> " + "x " * 600 + "\n- date: 2026-03-04", "summary: longer than 1000"),
    ],
)
def test_a_title_that_no_card_can_hold_is_told(head, words):
    with pytest.raises(NotebookError, match=words):
        read([{"cell_type": "markdown", "source": head}], "01_x.ipynb")


# Time


def page_of(*cells, trusted=False):
    """Converts cells without writing anything."""
    front = FrontMatter("T", "S", {"date": datetime.date(2026, 3, 4), "trusted": trusted})
    nb = nbformat.v4.new_notebook(cells=[new_markdown_cell("# T"), *cells])
    folder = PictureFolder("01_one", "01_one.ipynb", "/base", ROOT / "_notebooks", ROOT)
    return convert(nb, front, folder, Links("01_one.ipynb", "_notebooks", {}, read_settings(ROOT / "settings.ini")))


def output(mime, text, **more):
    return page_of(code("x", new_output("display_data", {mime: text, "text/plain": "x"})), **more)


def head(text):
    return read([{"cell_type": "markdown", "source": f"# T\n- date: 2026-03-04\n{text}"}], "01_x.ipynb")


PLACES = {
    "stream": lambda text: page_of(code("x", stream(text))),
    "html": lambda text: output("text/html", text),
    "pre": lambda text: output("text/html", f"<pre>{text}"),
    "bar": lambda text: output("text/html", f"<progress></progress>{text}"),
    "cell": lambda text: output("text/html", f"<table><tr><td>1</td></tr><tr><td>{text}</td></tr></table>"),
    "sheet": lambda text: output(
        "text/html", f'<style>{text}</style><table><tr><td id="T_a_row0_col0">1</td></tr></table>'
    ),
    "trusted": lambda text: output("text/html", f"<script></script>{text}", trusted=True),
    "drawing": lambda text: output("image/svg+xml", f'<svg xmlns="http://www.w3.org/2000/svg">{text}</svg>'),
    "markdown": lambda text: page_of(new_markdown_cell(text)),
    "note": lambda text: page_of(new_markdown_cell(f"a[^a]\n\n[^a]: {text}")),
    "preview": lambda text: page_of(new_markdown_cell(f"> youtube: https://youtu.be/{text}")),
    "code": lambda text: page_of(code(text)),
    "head": head,
}
# Where it stands, how it opens, and what is repeated to 20,000 and to 80,000 characters.
PATHOLOGICAL = [
    ("stream", "[", "="),
    ("stream", "", "1"),
    ("stream", "", "9it/s"),
    ("stream", "", "━"),
    ("stream", "", "[="),
    ("stream", "", "\x1b["),
    ("stream", "", "\r"),
    ("stream", "", "1%|"),
    ("html", "", "<progress>"),
    ("html", "", "<progress"),
    ("html", "", "<style>"),
    ("html", "", "<style"),
    ("html", "", "<tr>"),
    ("html", "", "<table><tr>"),
    ("html", "", "<td>"),
    ("html", "", "<svg>"),
    ("html", "", "<svg"),
    ("html", "", "<div>"),
    ("html", "", "<b>"),
    ("html", "", "<"),
    ("html", "", "<!--"),
    ("html", "", "<img "),
    ("html", "<p title='", "<img"),
    ("html", "<img src='data:image/", "x"),
    ("html", "", "<p><i title='xxxxxxxxxxxx'>"),
    ("html", "", "<a href='"),
    ("pre", "9it/s", "<"),
    ("pre", "", "1%|<"),
    ("bar", "", "[1/1"),
    ("bar", "", "x"),
    ("cell", "", "1"),
    ("cell", "x", " "),
    ("cell", "1", " ±"),
    ("sheet", "", "#T_a_row0_col0{color:red}"),
    ("sheet", "#T_", "a_row1"),
    ("sheet", "", "a{"),
    ("sheet", "", "("),
    ("trusted", "", '<span class="math">'),
    ("trusted", "", '<div class="math">$$'),
    ("drawing", "", "<set/>"),
    ("drawing", "", "<g>"),
    ("drawing", "<g style='", "url( "),
    ("markdown", "", "a\n===\n"),
    ("markdown", "", "\\\\("),
    ("markdown", "", "\\\\["),
    ("markdown", "", "\\begin{a}"),
    ("markdown", "", "[^"),
    ("markdown", "", "[^a"),
    ("markdown", "", "\n"),
    ("markdown", "# a", " "),
    ("markdown", "# a", " #"),
    ("markdown", "", "| $"),
    ("markdown", "", "<a href="),
    ("markdown", "![a](data:image/", "x"),
    ("markdown", "", '<span class="math">'),
    ("markdown", "", "> "),
    ("markdown", "", "["),
    ("markdown", "", "**a"),
    ("note", "", "<p>"),
    ("note", "", '<a class="fnref"'),
    ("preview", "", "</a>"),
    ("preview", "x", "</p>"),
    ("code", "#| a", " "),
    ("code", "", "\n"),
    ("code", "", "-"),
    ("code", "", "f("),
    ("code", "%", " \n"),
    ("markdown", "", "{%"),
    ("markdown", "", "{% x "),
    ("markdown", "", "{{ '"),
    ("markdown", "{% include x ", "='"),
    ("markdown", "{% include x.html ", "a="),
    ("markdown", "", "{% raw %}"),
    ("markdown", "", "`"),
    ("markdown", "", "`a "),
    ("markdown", "", "``a `"),
    ("markdown", "", "| a |\n|-|\n"),
    ("markdown", "| a |\n|-|\n", "|"),
    ("markdown", "", "](a b"),
    ("markdown", "", "](a b.png"),
    ("markdown", "[a]: ", "b "),
    ("markdown", "", "<video"),
    ("markdown", "", "<video>"),
    ("markdown", "", "<iframe "),
    ("markdown", "", "{: a"),
    ("markdown", "![a](/b.png){", " a=b"),
    ("markdown", "", "> [!NOTE]\n\n"),
    ("markdown", "", "$5 "),
    ("markdown", "", "\\eqref{"),
    ("markdown", "", "$\\begin{eqnarray}$"),
    ("markdown", "$", "\\begin{eqnarray}"),
    ("markdown", "", "$\\label{a}$ "),
    ("markdown", "", "~~~\n"),
    ("markdown", "", "<img src=//a "),
    ("markdown", "# a", " {#a"),
    ("html", "", "<iframe"),
    ("html", "", "<iframe src=a>"),
    ("html", "", "<button>"),
    ("html", "", "<audio "),
    ("html", "<script>", 'frames[0] = "data:image/png;base64,'),
    ("html", "", "<script>"),
    ("code", "x\n", "#hide\n"),
    ("code", "#| fig-cap:\n", "#|  - a\n"),
    ("code", "#| alt: [", "a, "),
    ("code", "#hide\nx = ", "'''\n#hide\n"),
    ("head", "- author: a", " "),
    ("head", "", "\n"),
    ("head", "", "- author: a\n"),
]


def seconds(place: str, text: str) -> float:
    """What converting the text takes; a document that is refused in one line has been dealt with."""
    began = time.process_time()
    with suppress(NotebookError, RecursionError):
        PLACES[place](text)
    return time.process_time() - began


def grows_too_fast(place: str, opening: str, unit: str) -> bool:
    """Whether four times the text takes more than eight times as long, in each of three tries.

    The clock is the processor's own, and still a shared cache or a collection of garbage can double one try.
    """
    texts = [f"{opening}{unit * (length // len(unit))}!" for length in (20_000, 80_000)]
    for _ in range(3):
        short, long = (seconds(place, text) for text in texts)
        if long <= 1 or (long <= 8 * short and long <= 10):
            return False
    return True


def test_time_grows_with_the_length_of_what_is_read():
    page_of(code("x"))  # loads what is needed
    assert not [case for case in PATHOLOGICAL if grows_too_fast(*case)]


def test_a_text_whose_time_grows_with_its_square_is_seen(monkeypatch):
    took = {20_000: 0.5, 80_000: 8.0}
    monkeypatch.setitem(PLACES, "square", lambda text: None)
    monkeypatch.setitem(globals(), "seconds", lambda place, text: took[len(text) // 10_000 * 10_000])
    assert grows_too_fast("square", "", "x")
    took[80_000] = 2.5
    assert not grows_too_fast("square", "", "x")


def test_what_a_parser_would_multiply_is_cut(blog):
    body = blog.body(
        code("a", html_output("<div>" * 60_000, plain="short")),
        code(
            "b",
            html_output(
                "<p>"
                + "".join(f"<i title={'x' * 90}{number}>" for number in range(1000))
                + "</p>"
                + "<p>x</p>" * 10_000
            ),
        ),
    )
    assert len(body) < 10_000 and body.count('<p class="cut">') == 2


def test_a_long_table_without_closing_tags_is_no_deep_one(blog):
    body = blog.body(code("t", html_output("<table>" + "<tr><td>1<td>2" * 5000)))
    assert body.count("<td") == 10_000 and '<p class="cut">' not in body


def test_many_small_pieces_of_a_stream_are_joined_at_once():
    pieces, began = [stream("x" * 1000) for _ in range(5000)], time.process_time()
    joined = _join_streams(pieces)
    assert len(joined) == 1 and len(joined[0].text) == 5_000_000 and time.process_time() - began < 2


def test_a_cell_that_is_too_long_is_told(blog, capsys):
    told = good_beside(blog, capsys, head=HEAD, cells=[new_markdown_cell("x " * 150_000)])
    assert told == ["01_bad.ipynb: cell 2 has 300000 characters: make cells of 200000 at most"]


def test_a_formula_that_is_too_long_is_told(blog, capsys):
    told = good_beside(blog, capsys, head=HEAD, cells=[new_markdown_cell("$" + "x" * 6000 + "$")])
    assert told == ["01_bad.ipynb: a formula has 6000 characters: 5000 are the most"]


def test_a_formula_among_the_outputs_that_is_too_long_is_cut():
    body = output("text/latex", f"${'x' * 6000}$").body
    assert '<p class="cut">' in body and "xxx" not in body


def test_a_conversion_without_end_is_ended():
    with pytest.raises(TimeoutError, match="0.2 s"), at_most(0.2):
        while True:
            pass
    began = time.process_time()
    with at_most(0.2):
        pass
    while time.process_time() - began < 0.3:
        pass  # what comes after the block has all the time there is


def test_a_document_without_end_is_told(blog, capsys, monkeypatch):
    monkeypatch.setattr(posts, "SECONDS", 0.5)
    done = posts._convert

    def endless(document, *args):
        while document.name == "01_bad.ipynb":
            pass
        return done(document, *args)

    monkeypatch.setattr(posts, "_convert", endless)
    assert good_beside(blog, capsys, head=HEAD) == [
        "01_bad.ipynb: it takes longer than 0.5 s to convert: make its cells and outputs shorter"
    ]
