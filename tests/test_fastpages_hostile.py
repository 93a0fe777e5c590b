"""A notebook that means harm, or is broken, can neither run code in a page nor keep the others from being published."""

import base64
import io
import json
import re
import time

import pytest
import yaml
from nbformat.v4 import new_markdown_cell, new_output
from notebook_kit import HEAD, code, front, html_output, png, stream, text_of
from PIL import Image

POST = "2026-03-04-01_one.html"
RUNS = re.compile(r"<script|\son\w+\s*=|javascript:|<iframe|<object|<embed|<svg|srcdoc", re.I)


def good_and(blog, name, content):
    """Publishes a good notebook beside a file with this content; gives the exit status and the posts."""
    blog.add(code("good = 1"), name="00_good")
    (blog.notebooks / name).write_bytes(content)
    return blog.convert(), blog.posts()


def test_script_and_handlers_in_outputs_are_removed(blog):
    body = blog.body(
        code("a", html_output("<script>evil()</script><p onclick='evil()'>shown</p><img src=x onerror=evil()>")),
        code(
            "b",
            html_output(
                "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload='evil()'><script>evil()</script>"
                "<a href='javascript:evil()'><circle r='4'/></a><foreignObject><p onclick='evil()'/></foreignObject>"
                "</svg>"
            ),
        ),
        code(
            "c",
            new_output(
                "display_data",
                {"application/javascript": "evil()", "text/plain": "<IPython.core.display.Javascript object>"},
            ),
        ),
        code(
            "d",
            new_output(
                "display_data", {"text/markdown": "<script>evil()</script>\n\n[link](javascript:evil()) *kept*"}
            ),
        ),
        code("e", new_output("display_data", {"text/latex": "$\\href{javascript:evil()}{x}$"})),
        code("f", stream("<script>evil()</script>", name='out"><script>evil()</script>')),
        code("g", new_output("error", ename="<script>", evalue="evil()", traceback=["<img src=x onerror=evil()>"])),
    )
    assert not [tag for tag in re.findall(r"<[^>]*>", body) if RUNS.search(tag)]
    assert "shown" in body and "<em>kept</em>" in body
    for drawing in (blog.root / "images/01_one").glob("*.svg"):
        assert "<circle" in drawing.read_text() and not RUNS.search(drawing.read_text().replace("<svg", ""))
        break
    else:
        pytest.fail("the drawing was not kept")


def test_a_trusted_notebook_keeps_its_scripts(blog):
    chart = "<div id='chart'></div><script>draw('chart')</script>"
    assert chart in blog.body(code("chart", html_output(chart)), head=HEAD + "- trusted: true\n")
    assert "<script" not in blog.body(code("chart", html_output(chart)), head=HEAD + "- trusted: false\n")


@pytest.mark.parametrize(
    "value",
    [
        "{{ site.github.secret }}{% include evil.html %}",
        'a"\nlayout: evil\n---\n',
        "é\x7f\x85\u2028\ud83d \ufffe",
        "</script><script>evil()</script>",
        "!!python/object/apply:os.system [id]",
        "&a *a",
    ],
)
def test_front_matter_cannot_leave_its_key(blog, value):
    blog.add(code("1"), head="# Title\n> S\n\n- date: 2026-03-04\n")
    source = json.loads((blog.notebooks / "01_one.ipynb").read_text())
    source["cells"][0]["source"] = (
        f"# T {' '.join(value.split())}\n> {' '.join(value.split())}\n\n- date: 2026-03-04\n- author: x "
        f"{' '.join(value.split())}\n"
    )
    (blog.notebooks / "01_one.ipynb").write_text(json.dumps(source))
    assert blog.convert() == 0
    head = blog.posts()[POST].split("\n---\n")[0].removeprefix("---\n")
    values = yaml.safe_load(head)
    assert values["layout"] == "post" and values["render_with_liquid"] is False
    assert "evil" not in values and set(values) <= {
        "cite",
        "generated_from",
        "layout",
        "title",
        "description",
        "date",
        "author",
        "permalink",
        "image",
        "notebook",
        "part",
        "minutes",
        "digest",
        "contents",
        "render_with_liquid",
    }


def test_yaml_front_matter_is_data_only(blog, capsys):
    raw = {
        "cell_type": "raw",
        "metadata": {},
        "source": "---\ntitle: !!python/object/apply:os.system ['touch evil']\n---",
    }
    status, posts = good_and(
        blog, "01_bad.ipynb", json.dumps({"cells": [raw], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()
    )
    assert status == 1 and list(posts) == ["2026-03-04-00_good.html"]
    assert capsys.readouterr().err.startswith("01_bad.ipynb: front matter: could not determine a constructor")


@pytest.mark.parametrize(
    "content, words",
    [
        (b"\xff\xfe\x00not text", "01_bad.ipynb: not a notebook: 'utf-8' codec can't decode"),
        (b"{not json", "01_bad.ipynb: not a notebook: "),
        (b"", "01_bad.ipynb: not a notebook: "),
        (b"[]", "01_bad.ipynb: not a notebook: "),
        (b'{"cells": 3}', "01_bad.ipynb: not a notebook: "),
        (b'{"cells": [{"cell_type": "markdown"}], "nbformat": 4}', "01_bad.ipynb: not a notebook: "),
        (b"[" * 100_000, "01_bad.ipynb: not a notebook: "),
    ],
)
def test_a_file_that_is_no_notebook_is_named(blog, capsys, content, words):
    status, posts = good_and(blog, "01_bad.ipynb", content)
    told = capsys.readouterr().err.strip().split("\n")
    assert status == 1 and list(posts) == ["2026-03-04-00_good.html"]
    assert len(told) == 1 and told[0].startswith(words)


def test_broken_characters_inside_are_replaced(blog):
    path = blog.add(code("x = 'X'", stream("Y")))
    path.write_text(path.read_text().replace("'X'", "'\\ud800'").replace('"Y"', '"a\\udfffb\\u0000\\u0007\\u009f c"'))
    assert blog.convert() == 0
    post = (blog.root / "_posts" / POST).read_bytes().decode("utf-8")
    assert "a?b c" in text_of(post) and not re.search("[\x00-\x08\x7f-\x9f]", post)


def test_nbformat_3_is_read(blog):
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {"cell_type": "markdown", "metadata": {}, "source": [HEAD]},
                    {"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Old heading"]},
                    {
                        "cell_type": "code",
                        "collapsed": False,
                        "language": "python",
                        "metadata": {},
                        "prompt_number": 1,
                        "input": ["print(2)"],
                        "outputs": [
                            {"output_type": "stream", "stream": "stdout", "text": ["2\n"]},
                            {
                                "output_type": "display_data",
                                "metadata": {},
                                "png": png(),
                                "html": ["<b onclick='evil()'>bold</b>"],
                            },
                        ],
                    },
                ],
            }
        ],
    }
    (blog.notebooks / "01_one.ipynb").write_text(json.dumps(old))
    assert blog.convert() == 0
    post = blog.posts()[POST]
    assert [heading["text"] for heading in front(post)["contents"]] == ["Old heading"]
    assert "<b>bold</b>" in post and '<pre class="text stdout" tabindex="0">2</pre>' in post and "evil" not in post


@pytest.mark.parametrize(
    "output",
    [
        stream("word " * 1_000_000),
        stream("line\n" * 1_000_000),
        html_output("<p>word</p>" * 500_000, plain="short"),
        new_output("error", ename="E", evalue="v", traceback=["line\n" * 1_000_000]),
        html_output("<div>" * 1_000_000, plain="short"),
        new_output("execute_result", {"text/plain": "word " * 1_000_000}),
        new_output("display_data", {"text/markdown": "> " * 2_500_000}),
    ],
    ids=["one line", "lines", "html", "traceback", "nested html", "plain", "markdown"],
)
def test_five_megabytes_of_output_are_cut(blog, output):
    began = time.process_time()
    body = blog.body(code("run()", output), new_markdown_cell("after"))
    assert len(body) < 400_000 and "after" in body and '<p class="cut">' in body
    assert time.process_time() - began < 20


def test_a_picture_that_would_fill_the_memory_is_left_out(blog):
    bomb = io.BytesIO()
    Image.new("1", (9000, 9000)).save(bomb, "PNG")
    output = new_output(
        "display_data", {"image/png": base64.b64encode(bomb.getvalue()).decode(), "text/plain": "a bomb"}
    )
    assert "<img" not in blog.body(code("show()", output))


def test_a_wide_picture_is_made_narrower(blog):
    body = blog.body(code("show()", new_output("display_data", {"image/png": png(5000, 50)})))
    with Image.open(next((blog.root / "images/01_one").iterdir())) as image:
        assert image.size == (2000, 20)
    assert 'width="5000" height="50"' in body, "the page keeps the proportions of the original"


def test_nested_quotes_without_end_do_not_stop_the_others(blog, capsys):
    blog.add(code("good = 1"), name="00_good")
    blog.add(new_markdown_cell("> " * 5000 + "deep"), name="01_bad")
    assert blog.convert() in (0, 1) and "2026-03-04-00_good.html" in blog.posts()
    told = capsys.readouterr().err
    assert told == "" or told.startswith("01_bad.ipynb: ")


def test_addresses_of_the_site_cannot_be_taken(blog, capsys):
    blog.add(name="00_good", head=HEAD + "- permalink: /mine.html\n")
    blog.add(name="01_bad", head=HEAD + "- redirect_from: /mine.html\n")
    assert (
        blog.convert() == 1
        and "01_bad.ipynb: redirect_from: /mine.html is 00_good.ipynb's already" in capsys.readouterr().err
    )
    assert list(blog.posts()) == ["2026-03-04-00_good.html"]
