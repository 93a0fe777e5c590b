"""Notebook -> post: what stands on the page. Markdown, links, maths, pictures, tables, outputs; and what may not."""

import base64
import html
import re
from urllib.parse import unquote

import pytest
from nbformat.v4 import new_markdown_cell, new_output
from notebook_kit import ROOT, code, front, html_output, picture_output, png, stream, text_of
from PIL import Image

from _fastpages.outputs import clean_text
from _fastpages.sanitize import clean
from _fastpages.site import read_settings
from _fastpages.svg import clean_svg, svg_size
from _fastpages.tree import parse, write

# Markdown


def test_callouts(blog):
    body = blog.body(
        *(new_markdown_cell(f"> {name}: mind *this*\n> and that") for name in ("Note", "Tip", "Warning", "Important")),
        new_markdown_cell("> a quotation"),
    )
    for name in ("note", "tip", "warning", "important"):
        assert re.search(
            rf'<div class="callout {name}" role="note">.*?<p>Mind <em>this</em>\s*and that</p>', body, re.S
        )
    assert body.count("<blockquote>") == 1 and "Note:" not in body


MATHS = [r"$a_1 * b_2 * c_{ij}$", r"$p(y|x) < 1$", r"$\{x \mid x_i > 0\}$", r"$\hat y_{ij} \\ \,$", r"$a \& b$"]


@pytest.mark.parametrize("maths", MATHS)
@pytest.mark.parametrize("around", ["Let {} be.", "| a | b |\n|---|---|\n| {} | *two* |"])
def test_maths_survives(blog, maths, around):
    body = blog.body(new_markdown_cell(around.format(maths)))
    drawn = re.search(
        r'<span class="math" data-pagefind-ignore="all">.*?<annotation[^>]*>(.*?)</annotation>.*?class="katex-html"',
        body,
        re.S,
    )
    assert html.unescape(drawn[1]) == maths.strip("$")
    if around.startswith("|"):
        assert body.count("<td>") == 2 and "<em>two</em>" in body


def test_no_line_breaks_between_a_formula_and_the_mark_behind_it(blog):
    body = blog.body(new_markdown_cell("Of $a$, ($b$) and $c$ it holds that $a = b$."))
    wholes = re.findall(r'<span class="whole">(.*?</span>)(.)</span>', re.sub(r"</span>(?=</span>)", "", body))
    assert [mark for _, mark in wholes] == [",", ")"]


def test_display_maths_survives(blog):
    source = "$$\nL = -\\sum_i y_i \\log p_i * z_i\n$$\n\n\\begin{align}\na_1 &= b*c*d \\\\\n\\end{align}"
    body = blog.body(new_markdown_cell(source))
    formulas = re.findall(r'<div class="math display" tabindex="0".*?<annotation[^>]*>(.*?)</annotation>', body, re.S)
    assert (
        formulas == [r"L = -\sum_i y_i \log p_i * z_i", "\\begin{align}\na_1 &amp;= b*c*d \\\\\n\\end{align}"]
        and "<em>" not in body
    )


def test_links_between_notebooks(blog, capsys):
    blog.add(name="02_two", head="# Two\n- date: 2026-05-06\n")
    body = blog.body(
        new_markdown_cell(
            "[a](02_two.ipynb) [b](02_two.ipynb#The-end) [c](../_notebooks/02_two.ipynb) "
            "<a href='./02_two.ipynb'>d</a> [e](09_none.ipynb) [f](../README.md) [g](https://example.org/02_two.ipynb) "
            "[h](#Here)"
        )
    )
    links = dict(re.findall(r'<a(?: href="([^"]*)")?[^>]*>(\w)</a>', body)[i][::-1] for i in range(8))
    assert links["a"] == links["c"] == links["d"] == "/base/2026/05/06/02_two.html"
    assert links["b"] == "/base/2026/05/06/02_two.html#The-end" and links["e"] == "" and links["h"] == "#Here"
    assert links["f"] == read_settings(ROOT / "settings.ini").source_url + "README.md"
    assert links["g"] == "https://example.org/02_two.ipynb"
    told = capsys.readouterr().err
    assert "01_one.ipynb: links to 09_none.ipynb" in told and told.endswith("left as text in cell 2\n")


def test_headings_have_anchors_and_make_the_contents(blog):
    body = blog.body(new_markdown_cell("# Loud\n## Why 94 % & `x`?\n## Twice\n## Twice\n## Which $\\alpha$?"))
    assert "<h1" not in body
    contents = front(blog.posts()["2026-03-04-01_one.html"])["contents"]
    assert [heading["level"] for heading in contents] == [2, 2, 2, 2, 2] and contents[1]["text"] == "Why 94 % & x?"
    assert len({heading["id"] for heading in contents}) == 5
    assert not any(
        set(heading["id"]) & set("\\%&`") for heading in contents
    )  # what an address may not hold behind its #
    for heading in contents:
        assert f'<h2 id="{heading["id"]}">' in body


def test_code_is_highlighted_in_cells_and_fences(blog):
    body = blog.body(code("%matplotlib inline\ndef f(x): return 'a<b'"), new_markdown_cell("```python\nimport os\n```"))
    assert '<span class="k">def</span>' in body and "a&lt;b" in body and '<span class="kn">import</span>' in body


# Outputs


def test_pictures_become_files_with_size_and_description(blog):
    body = blog.body(
        new_markdown_cell("## Counts"),
        code('#| alt: Bars, the "left" one tall\nplot()', picture_output()),
        code("plt.plot(x)\nplt.title('Cars win')", picture_output("blue", width=15, height=10)),
        code("plot()", picture_output()),
    )
    tags = re.findall(r"<img [^>]*>", body)
    assert [image.get("alt") for image in parse(body).iter("img")] == [
        'Bars, the "left" one tall',
        "Cars win",
        "Picture under “Counts”",
    ]
    assert [re.search('width="([^"]*)" height="([^"]*)"', tag).groups() for tag in tags] == [
        ("30", "20"),
        ("15", "10"),
        ("30", "20"),
    ]
    for tag in tags:
        assert 'loading="lazy"' in tag
        address = re.search('src="/base(/images/01_one/[^"]+)"', tag)[1]
        assert Image.open(blog.root / address.lstrip("/")).size == (30, 20)
    assert "Figure size" not in body and "base64" not in body


def test_attachments_and_inline_and_local_pictures(blog):
    cell = new_markdown_cell(
        "![A drawing](attachment:my%20pic.png) ![there](https://elsewhere.example/x.png) ![near](near.png)"
    )
    cell["attachments"] = {"my pic.png": {"image/png": png(8, 9)}}
    (blog.notebooks / "near.png").write_bytes(base64.b64decode(png(5, 6)))
    body = blog.body(
        cell, code("show()", html_output(f'<div><img src="data:image/png;base64,{png(3, 4)}" onerror="x()"></div>'))
    )
    assert re.search(
        r'<img src="/base/images/01_one/my-pic.(?:png|webp)" alt="A drawing" width="8" height="9" loading="lazy"[^>]*>',
        body,
    )
    assert '<a href="https://elsewhere.example/x.png"' in body
    assert re.search(r'near.(png|webp)" alt="near" width="5" height="6"', body)
    assert re.search(
        r'<img src="/base/images/01_one/cell-\d+-inline.(?:png|webp)" width="3" height="4" alt="[^"]+"', body
    )
    assert {path.stem for path in (blog.root / "images/01_one").iterdir()} >= {
        "my-pic",
        "near",
    } and "onerror" not in body


@pytest.mark.parametrize("name", ["größe 1.png", "a&b.png"])
def test_a_picture_of_any_name_is_shown_and_known_again(blog, capsys, name):
    """Its address is written with percent signs, its file is not."""
    (blog.root / "images").mkdir()
    (blog.root / "images" / name).write_bytes(base64.b64decode(png()))
    body = blog.body(new_markdown_cell(f"![x](<../images/{name}>)"))
    address = html.unescape(re.search(r'<img src="([^"]+)"', body)[1])
    assert unquote(address) == f"/base/images/{name}"
    assert 'width="30" height="20"' in body
    capsys.readouterr()
    assert blog.convert() == 0
    assert capsys.readouterr().out == "0 converted, 1 unchanged, 0 removed\n"


def test_a_changed_picture_changes_its_page(blog):
    """Pillow knows more names of a JPEG than .jpg: a page went on showing the old size of a .jfif."""
    blog.add(new_markdown_cell("![x](photo.jfif)"))
    for side in (30, 40):
        Image.new("RGB", (side, 20), "red").save(blog.notebooks / "photo.jfif", "JPEG")
        assert blog.convert() == 0
        assert f'width="{side}"' in blog.posts()["2026-03-04-01_one.html"]


def test_a_style_with_quotes_is_one_that_the_policy_knows(blog):
    body = blog.body(code("df", html_output("<p style='font-family: &quot;Ubuntu Mono&quot;'>x</p>")))
    assert """ style="font-family:'Ubuntu Mono'\"""" in body


def test_what_no_tag_is_in_stays_as_it_was():
    for fragment in (
        'a &lt; b &amp; c <b title="&lt;">d</b> e',
        "<p>x</p>tail",
        "",
        '<details open=""><br></details>',
        "é 面",
    ):
        assert write(parse(fragment)) == fragment
    assert write(parse('<b title="&quot;&lt;">d</b>')) == "<b title='\"&lt;'>d</b>"
    assert write(parse("a\x01<i>\x0b</i>")) == "a<i></i>"


def test_missing_picture_names_the_notebook(blog, capsys):
    blog.add(new_markdown_cell("![x](nowhere.png)"))
    assert blog.convert() == 1
    assert capsys.readouterr().err == "01_one.ipynb: nowhere.png: no such picture\n"


def test_picture_cannot_leave_the_repository(blog, capsys, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    outside.write_bytes(base64.b64decode(png()))
    blog.add(new_markdown_cell(f"![x](../../{outside.parent.name}/secret.png)"))
    assert blog.convert() == 1 and "no such picture" in capsys.readouterr().err


def test_svg_is_cleaned_and_measured(blog):
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" '
        'height="36pt" onload="evil()">'
        '<script>evil()</script><a xlink:href="javascript:evil()"><rect width="9" height="9"/></a>'
        '<image href="https://elsewhere.example/x.png"/><style>@import "https://elsewhere.example/x.css"</style></svg>'
    )
    body = blog.body(code("plot()", new_output("display_data", {"image/svg+xml": svg, "image/png": png()})))
    assert re.search(r'src="/base/images/01_one/cell-01-1.svg" width="96" height="48" alt="[^"]+"', body)
    kept = next((blog.root / "images/01_one").glob("*.svg")).read_text()
    assert "<rect" in kept
    for bad in ("evil", "elsewhere", "javascript", "script"):
        assert bad not in kept
    assert svg_size(clean_svg(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 20"/>')) == (30, 20)
    with pytest.raises(ValueError):
        clean_svg(b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>')


def test_tables_scroll_in_their_box_and_align_numbers(blog):
    frame = (
        '<div><style scoped>.dataframe tbody tr th {x: y}</style><table border="1" class="dataframe"><thead><tr '
        'style="text-align: right;">'
        "<th></th><th>mAP</th><th>note</th></tr></thead><tbody><tr><th>Car</th><td>0.75</td><td>0.7</td></tr>"
        "<tr><th>Bus</th><td>NaN</td><td>none</td></tr></tbody></table></div>"
    )
    body = blog.body(code("df", html_output(frame, "  mAP")), new_markdown_cell("| a | b |\n|---|---|\n| 1 | x |"))
    assert len(re.findall(r'<div class="scroll" tabindex="0" role="region" aria-label="Table"><table', body)) == 2
    assert (
        '<th class="num" scope="col">mAP</th>' in body
        and '<td class="num">0.75</td><td>0.7</td>' in body
        and '<td class="num">NaN</td><td>none</td>' in body
    )
    assert "scoped" not in body and ".dataframe" not in body
    assert 'class="dataframe"' in body and "border=" not in body


def test_an_interval_in_a_table_stays_on_one_line(blog):
    rows = "|a|b|c|\n|-|-|-|\n|x|0.26 (0.25 to 0.27)|3 seeds, of which one was trained anew|\n|y|none|64 × 64|\n"
    spanning = "<table><tr><td rowspan=2>z</td><td>-0.03 (-0.07 to 0.01)</td></tr><tr><td>q</td></tr></table>"
    body = blog.body(new_markdown_cell(rows), code("df", html_output(spanning)))
    whole = [part.partition("<")[0] for part in body.split('<td class="whole">')[1:]]
    assert whole == ["0.26 (0.25 to 0.27)", "64 × 64", "-0.03 (-0.07 to 0.01)"]



def test_styler_colours_are_kept_without_its_sheet(blog):
    styled = (
        '<style type="text/css">#T_ab_row0_col0, #T_ab_row1_col0 {background-color: #ff0000; position: fixed; '
        'background-image: url(https://elsewhere.example/x)}</style><table id="T_ab"><tr><td id="T_ab_row0_col0" '
        'class="data">1</td>'
        '<td id="T_ab_row1_col0">2</td></tr></table>'
    )
    body = blog.body(code("df.style", html_output(styled)))
    assert (
        body.count("background-color:#ff0000") == 2
        and "position" not in body
        and "elsewhere" not in body
        and "T_ab" not in body
    )


def test_ansi_colours_and_errors(blog):
    body = blog.body(
        code("print(x)", stream("\x1b[31mred\x1b[0m <b>")),
        code("1/0", new_output("error", ename="E", evalue="v", traceback=["\x1b[31mZeroDivisionError\x1b[0m: <x>"])),
    )
    assert '<span class="ansi-red-fg">red</span> &lt;b&gt;' in body and "\x1b" not in body
    assert '<pre class="text error" tabindex="0"><span class="ansi-red-fg">ZeroDivisionError</span>: &lt;x&gt;' in body


FASTPROGRESS = "<style>\n progress { color: x }\n</style>\n"
BAR = "<div>\n<progress value='2' class='' max='5'></progress>\n 40.00% [2/5 00:12&lt;00:18]\n</div>"
TRAINING = (
    '<table border="1" class="dataframe"><thead><tr><th>epoch</th></tr></thead><tbody><tr><td>0</td></tr></tbody>'
    "</table>"
)


@pytest.mark.parametrize(
    "output",
    [
        html_output(FASTPROGRESS),
        html_output(BAR),
        html_output(""),
        stream("\n \n"),
        stream("\r  0%|    | 0/9\r100%|████| 9/9 [00:01<00:00, 8.1it/s]\n", "stderr"),
        new_output(
            "display_data",
            {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "  0%|  | 0/3 [00:00<?, ?it/s]"},
        ),
        new_output("execute_result", {"text/plain": "<Axes: title={'center': 'x'}>"}),
        html_output("<script>x()</script>"),
        html_output('<pre style="white-space:pre">Working <span>━━━━━━━━━━</span> 100% 0:00:01\n</pre>'),
        stream("Downloading tiles  37%|███▋      | 4.1M/11.2M [00:03<00:05, 1.3MB/s]"),
    ],
)
def test_progress_debris_and_empty_outputs_are_dropped(blog, output):
    body = blog.body(code("run()", output))
    assert 'class="outputs"' not in body and "run" in text_of(body)


def test_what_stands_beside_a_progress_bar_stays(blog):
    body = blog.body(
        code(
            "learn.fit(1)",
            html_output(FASTPROGRESS),
            html_output(TRAINING),
            stream("\r50%|██  | 1/2\r\n"),
            stream("done\n"),
        )
    )
    assert ">epoch</th>" in body and "done" in body and "%" not in text_of(body) and "progress" not in body


@pytest.mark.parametrize(
    "line",
    [
        "[########] 8 tests",
        "[########] 8/10 tests passed",
        "[######] all 100% of them",
        "[------] 3",
        "Car   ██████████ 62%",
        "Car   ████████ 120",
        "━━━━━━━━━━",
        "┏━━━━━━━┳━━━━━━┓",
        "read at 300 MB/s [fast]",
        "loaded [train] at 12 MB/s [ok]",
        "74% | 57% | 25%",
        "=== 62% [see below] ===",
        "[..] 5%",
        "tensor([0.1, 0.2]) 62%",
        "|------|-----| 40%",
        "it took [00:12] for 62%",
    ],
)
def test_lines_that_only_look_like_progress_stay(line):
    assert clean_text(f"before\n{line}\nafter") == f"before\n{line}\nafter"


@pytest.mark.parametrize(
    "line",
    [
        "[=====>    ] 62%",
        "[#####     ]  62.5 %",
        "62%[=====>   ] 1,234  1.2MB/s",
        "1563/1563 [==============================] - 5s 3ms/step - loss: 0.1",
        "8/8 ━━━━━━━━━━━━━━━━━━━━ 0s 12ms/step",
        "Working ━━━━━━━━━━ 100% 0:00:01",
        "     ━━━━━━━━━━━━ 3.4/3.4 MB 5.6 MB/s eta 0:00:00",
        "Working ━━━━━━ 3/8",
        "100%|██████████| 9/9 [00:01<00:00, 8.1it/s]",
        "  0%|          | 0/9 [00:00<?, ?it/s]",
        " 62%|######    | 5/8",
        "8it [00:00, 9.1it/s]",
        "0it [00:00, ?it/s]",
        "4.10MB [00:03, 1.3MB/s]",
        "12tiles [01:02:03,  1.20s/tiles]",
        "|████████████████████| 100/100 [100%] in 0.5s",
        "Epoch 1/5 : |████----| 40.00% [2/5 00:12<00:18]",
        "Epoch 2/5 [2/5 00:12<00:18 0.3]",
        "train:  37%|███▋      | 4.1M/11.2M [00:03<00:05, 1.3MB/s]",
    ],
)
def test_lines_that_progress_bars_left_go(line):
    assert (
        clean_text(f"before\n{line}\nafter") == clean_text(f"before\n\x1b[32m{line}\x1b[0m\nafter") == "before\nafter"
    )


def test_clean_text():
    assert clean_text("a\rb\nc  \n\n\n\nd") == "b\nc\n\nd"
    assert clean_text("mAP 74% | F1 0.57 | solved 25%") == "mAP 74% | F1 0.57 | solved 25%", "not a progress bar"
    assert clean_text("tensor([0, 1, 2])\n[2/5] of them") == "tensor([0, 1, 2])\n[2/5] of them"


# Safety

EVIL = [
    "<script>evil()</script>ok",
    "<img src=x onerror=evil()>ok",
    "<a href='javascript:evil()'>ok</a>",
    "<a href=' java\nscript:evil()'>ok</a>",
    "<svg onload=evil()><script>evil()</script></svg>ok",
    "<iframe src='https://elsewhere.example'></iframe>ok",
    "<style>@import 'https://elsewhere.example'</style>ok",
    "<div style='background:url(https://elsewhere.example/x)'>ok</div>",
    "<img src='//elsewhere.example/x.png'>ok",
    "<img src='https://elsewhere.example/x.png'>ok",
    "<form action='https://elsewhere.example'><button formaction='javascript:evil()'>ok</button></form>",
    "<math><mi xlink:href='javascript:evil()'>x</mi></math>ok",
    "<base href='https://elsewhere.example'>ok",
    "<meta http-equiv=refresh content='0;url=https://elsewhere.example'>ok",
    "<link rel=stylesheet href=https://elsewhere.example>ok",
    "<video src='https://elsewhere.example/x' autoplay></video>ok",
    "<a href='data:text/html,<script>evil()</script>'>ok</a>",
    "<object data='https://elsewhere.example'></object>ok",
    "<p onclick=evil()>ok</p>",
    "<details ontoggle=evil() open>ok</details>",
    "<noscript><p title='</noscript><img src=x onerror=evil()>'></noscript>ok",
]


@pytest.mark.parametrize("place", ["output", "markdown"])
@pytest.mark.parametrize("html", EVIL)
def test_nothing_runs_and_nothing_loads(blog, html, place):
    if "src=x" in html:
        (blog.notebooks / "x").write_text("no picture")
    body = blog.body(new_markdown_cell(html) if place == "markdown" else code("run()", html_output(html)))
    assert "ok" in text_of(body)
    assert "evil" not in text_of(body).replace("ok", "")
    for tag in re.findall(r"<[^>]*>", body):
        assert not re.search(
            r"\son\w+=|javascript:|src=[\"']?(https?:)?//|url\(|<(script|style|iframe|object|base|meta|link|form|video|svg)",
            tag,
            re.I,
        ), tag


def test_output_cannot_close_the_page_or_claim_its_ids(blog):
    body = blog.body(
        code("a", html_output("</div></div></article><b id='main' class='site-title'>ok")), code("mark = 1")
    )
    assert "</article>" not in body and 'id="site-main"' not in body and "site-title" not in body
    assert body.count("<div") == body.count("</div>")


def test_clean_keeps_what_is_harmless():
    kept = '<table><tbody><tr><td colspan="2" style="text-align:right">x</td></tr></tbody></table>'
    assert clean(kept) == kept


def test_liquid_in_code_and_output_is_left_alone(blog):
    body = blog.body(
        code("a = '{{ site.title }}' # {% if x %}", stream("{{ x }} {% endraw %}")), new_markdown_cell("`{{ y }}`")
    )
    assert (
        "{{ site.title }}" in text_of(body)
        and "{% if x %}" in text_of(body)
        and "{{ x }} {% endraw %}" in body
        and "{{ y }}" in body
    )
