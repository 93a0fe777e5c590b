"""Footnotes, previews of other sites, YAML front matter, and posts that are written as Markdown."""

import base64
import re

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_output, new_raw_cell
from notebook_kit import HEAD, code, front, html_output, picture_output, png, text_of
from PIL import Image

from _fastpages.posts import SOCIAL
from _fastpages.webp import smaller

WRITTEN = "2026-03-05-a-post.md"


def write(blog, text, name=WRITTEN):
    (blog.root / "_posts").mkdir(exist_ok=True)
    (blog.root / "_posts" / name).write_text(text, encoding="utf-8")


# Footnotes


def test_footnotes_stand_beside_the_text_and_at_the_end(blog):
    body = blog.body(
        new_markdown_cell("One[^b] and two[^a], one again[^b].\n\n[^a]: A *note*\n  on two lines."),
        new_markdown_cell("> Tip: three[^c]"),
        new_markdown_cell("[^b]: See [there](https://example.org) $x^2$.\n[^c]: Last\n\n    and more."),
    )
    assert re.findall(r'<a class="fnref" id="([^"]+)" href="([^"]+)" role="doc-noteref"[^>]*>(\d)</a>', body) == [
        ("fnref-1", "#fn-1", "1"),
        ("fnref-2", "#fn-2", "2"),
        ("fnref-1-2", "#fn-1", "1"),
        ("fnref-3", "#fn-3", "3"),
    ]
    beside = re.findall(
        r'</a><span class="sidenote" data-pagefind-ignore=""><span class="sidenote-number">(\d)</span> ', body
    )
    assert beside == ["1", "2", "3"], "a note stands beside its first reference only"
    section = re.search(
        r'<section class="footnotes" role="doc-endnotes" aria-label="Footnotes">.*</section>', body, re.S
    )[0]
    notes = re.findall(r'<li id="fn-\d">(.*?)&nbsp;<a class="fnback" href="#fnref-(\d)"[^>]*>↩</a></li>', section, re.S)
    assert [number for _, number in notes] == ["1", "2", "3"]
    assert '<a href="https://example.org"' in notes[0][0] and 'class="katex"' in notes[0][0]
    assert notes[1][0] == "A <em>note</em>\non two lines." and notes[2][0] == "Last<br>and more."
    assert body.count(' id="') == len(set(re.findall(r' id="([^"]+)"', body)))


def test_what_only_looks_like_a_footnote_stays(blog, capsys):
    body = blog.body(
        new_markdown_cell("```\n[^x]: code\n```\nA range [^none] and `[^y]`.\n\n[^y]: never meant"),
        code("re.sub('[^a]: b', x)"),
    )
    assert "[^x]: code" in text_of(body) and "[^none]" in body and "<code>[^y]</code>" in body and "fnref" not in body
    assert "01_one.ipynb: nothing refers to the footnote [^y]" in capsys.readouterr().err


# Previews


def test_previews_are_plain_links(blog):
    body = blog.body(
        new_markdown_cell("> youtube: https://youtu.be/abc?t=3\n> How a net *sees*"),
        new_markdown_cell("> twitter: https://twitter.com/jack/status/20"),
    )
    links = re.findall(r'<a class="preview (\w+)" href="([^"]+)"[^>]*>(.*?)</a>', body, re.S)
    assert [link[:2] for link in links] == [
        ("youtube", "https://youtu.be/abc?t=3"),
        ("twitter", "https://twitter.com/jack/status/20"),
    ]
    assert [" ".join(text_of(link[2]).split()) for link in links] == [
        "YouTube How a net sees youtu.be",
        "X (Twitter) A post twitter.com",
    ]
    assert "<script" not in body and "<iframe" not in body and "<blockquote" not in body


@pytest.mark.parametrize(
    "url",
    [
        "https://youtube.com.evil.example/x",
        "javascript:evil()",
        "https://evil.example/youtube.com",
        "http://youtu.be/x",
    ],
)
def test_previews_lead_only_where_they_say(blog, url):
    body = blog.body(new_markdown_cell(f"> youtube: {url}"))
    assert "preview" not in body or url.startswith("http://youtu.be")
    assert "javascript:" not in " ".join(re.findall("<[^>]*>", body))


# Maths


def test_a_formula_that_katex_cannot_read_is_named_and_shown_as_its_source(blog, capsys):
    body = blog.body(new_markdown_cell("so $\\frac{1}{$ it is"))
    assert "so <code>\\frac{1}{</code> it is" in body
    assert capsys.readouterr().err.startswith("warning: 01_one.ipynb: cell 2: formula '\\\\frac{1}{': ")


def test_formulas_in_outputs_are_drawn(blog):
    body = blog.body(
        code(
            "sympy", new_output("execute_result", {"text/latex": "$\\displaystyle \\frac{x}{2}$", "text/plain": "x/2"})
        )
    )
    assert (
        re.search(r'<div class="math" data-pagefind-ignore="all"><span class="katex">', body)
        and "x/2</pre>" not in body
    )
    assert front(blog.posts()["2026-03-04-01_one.html"])["math"] is True


def test_use_math_false_leaves_dollars_alone(blog):
    body = blog.body(new_markdown_cell("From $5 to $6, and $$7."), head=HEAD + "- use_math: false\n")
    assert "From $5 to $6, and $$7." in body and "math" not in front(blog.posts()["2026-03-04-01_one.html"])


def test_katex_style_and_fonts_are_the_sites_own(blog):
    blog.body(new_markdown_cell("$x$"))
    style = (blog.root / "assets/katex/katex.min.css").read_text()
    fonts = re.findall(r"url\(([^)]*)\)", style)
    assert fonts and all((blog.root / "assets/katex" / font).is_file() for font in fonts)


# Pictures


def test_webp_where_it_is_smaller(blog):
    noise = Image.effect_noise((200, 200), 80)
    plot, photo = Image.new("RGB", (400, 300), "white"), noise.convert("RGB")
    for image, kind, expected in (
        (plot, "PNG", {"image/webp"}),
        (photo, "JPEG", {"image/webp", "image/jpeg"}),
        (noise, "PNG", {"image/webp", "image/png"}),
    ):
        import io

        buffer = io.BytesIO()
        image.save(buffer, kind)
        content, mime, size = smaller(buffer.getvalue())
        assert len(content) <= len(buffer.getvalue()) and mime in expected and size == image.size


def test_drawings_in_html_outputs_become_pictures(blog):
    body = blog.body(
        code(
            "#| alt: A ring\ngraph",
            html_output('<div><svg width="30" height="20"><circle r="5"/></svg><p>below</p></div>'),
        )
    )
    assert (
        re.search(
            r'<img src="/base/images/01_one/cell-\d+-drawing.svg" width="30" height="20" alt="A ring" '
            r'loading="lazy"[^>]*>',
            body,
        )
        and "below" in body
    )


# Front matter


def test_yaml_front_matter_in_a_raw_cell(blog):
    path = blog.add(new_markdown_cell("## First"), code("x = 1"))
    nb = nbformat.read(path, 4)
    nb.cells[0] = new_raw_cell(
        "---\ntitle: 'From YAML: it works'\nsummary: In short.\ndate: 2026-03-04\ntoc: true\ncategories: [a, b]\n"
        "sticky_rank: 2\nredirect_from:\n  - /old/one.html\n  - /older/\n---"
    )
    nbformat.write(nb, path)
    assert blog.convert() == 0
    values = front(blog.posts()["2026-03-04-01_one.html"])
    assert (
        values["title"],
        values["description"],
        values["toc"],
        values["categories"],
        values["sticky_rank"],
        values["redirect_from"],
    ) == ("From YAML: it works", "In short.", True, ["a", "b"], 2, ["/old/one.html", "/older/"])
    assert values["contents"] == [{"level": 2, "id": "First", "text": "First"}]


@pytest.mark.parametrize(
    "lines, told",
    [
        ("title: T\ndate: 2026-03-04\ntoc: often", "toc: expected true or false"),
        ("title: T\ndate: soon", "date: expected YYYY-MM-DD"),
        ("title: T\ndate: 2026-03-04\ntypo: 1", "typo: not a key"),
        ("title: [", "front matter: "),
        ("- a\n- b", "front matter: expected lines"),
        ("date: 2026-03-04", "title: missing"),
        ("title: T\ndate: 2026-03-04\nauthor: 3", "author: expected text"),
    ],
)
def test_bad_yaml_names_the_notebook_and_the_key(blog, capsys, lines, told):
    path = blog.add()
    nb = nbformat.read(path, 4)
    nb.cells[0] = new_raw_cell(f"---\n{lines}\n---")
    nbformat.write(nb, path)
    assert blog.convert() == 1 and capsys.readouterr().err.startswith(f"01_one.ipynb: {told}")


# Written posts


def test_a_written_post_is_read_as_notebooks_are(blog):
    (blog.root / "images/posts").mkdir(parents=True)
    (blog.root / "images/posts/a.png").write_bytes(base64.b64decode(png(800, 400, "green")))
    blog.add(new_markdown_cell("[written](../_posts/2026-03-05-a-post.md#Part)"), code("x = 1"))
    write(
        blog,
        "---\ntitle: A post\ndescription: By hand.\ncategories: [basics]\ntoc: true\nimage: images/posts/a.png\n"
        "sticky_rank: 1\n---\n\n## Part\n\n"
        "> Note: see [the notebook](../_notebooks/01_one.ipynb).\n\n$x^2$[^1] {{ site.title }}\n\n![A "
        "field](../images/posts/a.png)\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nimport os\n```\n\n[^1]: Squared.\n",
    )
    assert blog.convert() == 0
    posts = blog.posts()
    post = posts["2026-03-05-a-post.html"]
    values = front(post)
    assert (
        values["date"] == "2026-03-05"
        and values["permalink"] == "/2026/03/05/a-post.html"
        and "notebook" not in values
        and "part" not in values
    )
    assert (
        values["cover"]["src"] == "/images/social/2026-03-05-a-post.webp"
        and values["math"]
        and values["minutes"] == 1
        and values["sticky_rank"] == 1
    )
    assert (
        '<a href="/base/2026/03/04/01_one.html"' in post
        and 'href="/base/2026/03/05/a-post.html#Part"' in posts["2026-03-04-01_one.html"]
    )
    assert '<img src="/base/images/posts/a.png" alt="A field" width="800" height="400" loading="lazy"' in post
    for part in (
        'class="callout note"',
        '<td class="num">1</td>',
        '<span class="kn">import</span>',
        'class="sidenote"',
        "{{ site.title }}",
    ):
        assert part in post
    assert posts[WRITTEN].startswith("---\ntitle: A post"), "the source stays"


@pytest.mark.parametrize(
    "text, told",
    [
        ("no front matter", "title: missing"),
        ("---\ntitle: T\n", "title: missing"),
        ("---\ntitle: T\nlayuot: post\n---\n", "layuot: not a key"),
        ("---\ntitle: T\n---\n![x](../images/none.png)", "../images/none.png: no such picture"),
    ],
)
def test_a_bad_written_post_is_named_and_harms_no_other(blog, capsys, text, told):
    blog.add(code("good = 1"))
    write(blog, text)
    assert blog.convert() == 1
    assert capsys.readouterr().err.startswith(f"{WRITTEN}: {told}")
    assert "2026-03-04-01_one.html" in blog.posts()


def test_only_dated_posts_are_read(blog):
    write(blog, "# Draft", name="draft.md")
    blog.add()
    assert blog.convert() == 0 and [name for name in blog.posts() if name.endswith(".html")] == [
        "2026-03-04-01_one.html"
    ]


def test_a_written_post_that_goes_takes_its_page_along(blog, capsys):
    blog.add()
    write(blog, "---\ntitle: T\n---\nText.\n")
    assert blog.convert() == 0 and (blog.root / SOCIAL / "2026-03-05-a-post.png").is_file()
    (blog.root / "_posts" / WRITTEN).unlink()
    assert blog.convert() == 0 and "0 converted, 1 unchanged, 1 removed" in capsys.readouterr().out
    assert (
        list(blog.posts()) == ["2026-03-04-01_one.html"] and not (blog.root / SOCIAL / "2026-03-05-a-post.png").exists()
    )


def test_reading_time_and_cover_reach_the_post(blog):
    folded = f"<details><summary>Solution</summary>\n\n{'word ' * 1100}\n\n</details>"
    hidden = code("#| hide_input\n" + "x = 1\n" * 200)
    blog.add(new_markdown_cell("word " * 1100), new_markdown_cell(folded), hidden, code("plot()", picture_output()))
    assert blog.convert() == 0
    values = front(blog.posts()["2026-03-04-01_one.html"])
    assert values["minutes"] == 5 and values["cover"] == {
        "src": "/images/social/01_one.webp",
        "width": 640,
        "height": 360,
    }
