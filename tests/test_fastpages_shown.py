"""What is drawn, played or linked on a page, and what is left out of it with a warning: formulas, charts, films."""

import base64
import html
import re

import pytest
from nbformat.v4 import new_markdown_cell, new_output
from notebook_kit import HEAD, code, html_output, picture_output, png, text_of

from _fastpages.interactive import is_loader, kind_of, link_frames
from _fastpages.losses import Losses
from _fastpages.media import suffix_of
from _fastpages.tex import Formula, Numbers, readable

POST = "2026-03-04-01_one.html"


def converted(blog, capsys, *cells, head=HEAD):
    """(the body of a notebook with these cells, what was said)."""
    blog.add(*cells, head=head)
    capsys.readouterr()
    status, told = blog.convert(), capsys.readouterr().err
    assert status == 0, told
    return blog.posts()[POST].split("\n---\n", 1)[1], told


def annotations(body):
    """The TeX of each formula that was drawn."""
    return [html.unescape(tex) for tex in re.findall(r"<annotation[^>]*>(.*?)</annotation>", body, re.S)]


# Formulas


@pytest.mark.parametrize(
    "tex, made",
    [
        (r"\begin{eqnarray*} a &=& b \\ &=& c \end{eqnarray*}", r"\begin{align*} a &=  b \\ &=  c \end{align*}"),
        (r"\begin{multline} a\\ b\end{multline}", r"\begin{gather} a\notag \\ b\end{gather}"),
        (r"\begin{flalign} a &= b\end{flalign}", r"\begin{align} a &= b\end{align}"),
        (r"\begin{xalignat}{2} a &= b\end{xalignat}", r"\begin{alignat}{2} a &= b\end{alignat}"),
        (r"\begin{displaymath}x\end{displaymath}", "x"),
        (r"\begin{subequations}\begin{align}a\end{align}\end{subequations}", r"\begin{align}a\end{align}"),
        (r"\begin{psmallmatrix}a\end{psmallmatrix}", r"\left(\begin{smallmatrix}a\end{smallmatrix}\right)"),
        (r"\begin{numcases}{f=} a & b\end{numcases}", r"f= \begin{cases} a & b\end{cases}"),
        (r"\begin{IEEEeqnarray}{rCl} a&=&b\end{IEEEeqnarray}", r"\begin{array}{rcl} a&=&b\end{array}"),
        (r"\DeclareMathOperator*{\am}{arg\,min}", r"\gdef\am{\operatorname*{arg\,min}}"),
        (r"\DeclarePairedDelimiter{\abs}{\lvert}{\rvert}", r"\gdef\abs#1{\lvert#1\rvert}"),
        (r"\newcommand\R{\mathds{R}}", r"\providecommand{\R}{}\renewcommand{\R}{\mathbb{R}}"),
        (r"\require{cancel}\cancel{x}", r"\cancel{x}"),
        (r"\begin{pmatrix}a&b\\c&d\end{pmatrix}", r"\begin{pmatrix}a&b\\c&d\end{pmatrix}"),
        (r"\begin{align} a \end{gather}", r"\begin{align} a \end{gather}"),
    ],
)
def test_what_katex_lacks_becomes_what_it_knows(tex, made):
    assert readable(tex) == made


UNKNOWN = ["tikzpicture", "tabular", "itemize", "theorem", "algorithm"]


def test_every_environment_is_drawn_or_shown(blog, capsys):
    known = ["eqnarray", "eqnarray*", "multline", "flalign", "flalign*", "displaymath", "math", "dmath", "subequations"]
    sources = [f"\\begin{{{name}}}\na = b\n\\end{{{name}}}" for name in [*known, *UNKNOWN]]
    body, told = converted(blog, capsys, *map(new_markdown_cell, sources))
    assert len(annotations(body)) == len(known)
    shown = text_of(body)
    for place, name in enumerate(UNKNOWN, 2 + len(known)):
        assert f"\\begin{{{name}}}" in shown and f"01_one.ipynb: cell {place}: formula " in told


def test_macros_hold_for_the_whole_page(blog, capsys):
    cells = (
        "early $\\late$",
        "$$\\newcommand{\\vect}[1]{\\mathbf{#1}} \\def\\half{\\tfrac12} \\DeclareMathOperator{\\rank}{rank}$$",
        "$\\vect{x} + \\half \\rank A$ and $\\newcommand{\\vect}[1]{\\vec{#1}}\\vect{y}$",
        "$\\newcommand{\\plus}[2][1]{#1+#2}\\plus{z} \\plus[3]{z}$ $\\gdef\\late{L}$ $\\let\\old=\\alpha \\old$",
    )
    body, told = converted(blog, capsys, *map(new_markdown_cell, cells))
    assert told == "" and "<code>" not in body and len(annotations(body)) == 7


def numbered(*sources):
    losses, formulas = Losses("01_x.ipynb"), [Formula(tex, True, 2) for tex in sources]
    Numbers(losses).number(formulas)
    return formulas, losses.lines


def test_labels_number_rows_and_links_lead_to_them():
    formulas, told = numbered(
        r"\begin{align} a &= b \label{a} \\ c &= d \\ e &= f \label{e}\end{align}",
        r"\begin{equation}\begin{aligned} y \\ z \label{yy}\end{aligned}\end{equation}",
        r"\label{q} a = b \tag{A}",
        r"\eqref{e}",
        r"\ref{yy}",
        r"x \text{ by } \eqref{q}",
    )
    assert [formula.tex for formula in formulas[:3]] == [
        r"\begin{align*} a &= b  \tag{1}\\ c &= d \\ e &= f \tag{2}\end{align*}",
        r"\begin{equation*}\begin{aligned} y \\ z\end{aligned} \tag{3}\end{equation*}",
        r" a = b \tag{A}",
    ]
    assert [formula.name for formula in formulas[:3]] == ["eq:1", "eq:3", "eq:A"]
    assert [formula.link for formula in formulas[3:5]] == [("eq:1", "(2)"), ("eq:3", "3")]
    assert formulas[5].tex == r"x \text{ by } \text{(A)}" and told == []


def test_without_labels_the_numbers_are_katexs():
    tex = r"\begin{align} a &= b \\ c &= d\end{align}"
    assert numbered(tex)[0][0].tex == tex


def test_links_to_formulas_across_cells(blog, capsys):
    cells = (
        "By \\eqref{eq:two_b} and \\ref{eq:none}; `\\eqref{eq:two_b}` is code.",
        "$$x \\label{eq:one}$$",
        "\\begin{eqnarray}\na &=& b \\label{eq:two_b}\n\\end{eqnarray}",
    )
    body, told = converted(blog, capsys, *map(new_markdown_cell, cells))
    assert 'By <a href="#eq:2">(2)</a> and eq:none; <code>\\eqref{eq:two_b}</code> is code.' in body
    assert body.count('id="eq:1"') == body.count('id="eq:2"') == 1
    assert told == "warning: 01_one.ipynb: cell 2: \\ref{eq:none}: no formula of the page has this label\n"


def test_latex_outputs_with_text_and_environments(blog, capsys):
    body, told = converted(
        blog,
        capsys,
        code("a", new_output("display_data", {"text/latex": "The value is $x^2$, or $y$."})),
        code("b", new_output("display_data", {"text/latex": "\\begin{tabular}{lr}\na & 1\n\\end{tabular}"})),
    )
    assert len(annotations(body)) == 2 and "The value is " in body and "tabular" in text_of(body)
    assert told.count("warning: ") == 1 and "cell 3: formula " in told


# Charts, maps, widgets

SPEC = {"mark": "bar"}
CHARTS = [
    ({"application/vnd.vegalite.v5+json": SPEC, "text/plain": "<VegaLite 5 object>"}, "Altair"),
    ({"application/vnd.vega.v5+json": SPEC}, "Altair"),
    ({"text/html": "<div id='vis'></div><script>vegaEmbed('#vis', {})</script>"}, "Altair"),
    ({"application/vnd.plotly.v1+json": {"data": []}}, "plotly"),
    ({"text/html": "<div><script>Plotly.newPlot('a', [])</script></div>"}, "plotly"),
    ({"text/html": "<div data-root-id='p1001'></div>", "application/vnd.bokehjs_exec.v0+json": ""}, "Bokeh"),
    ({"application/vnd.holoviews_exec.v0+json": "", "text/html": "<div id='1002'></div>"}, "HoloViews"),
    ({"text/html": "<div><iframe srcdoc='&lt;html&gt;'></iframe></div>"}, "iframe"),
    ({"text/html": "<iframe srcdoc='x'></iframe>Make this Notebook Trusted to load map"}, "Folium"),
    ({"application/vnd.jupyter.widget-view+json": {"model_id": "a"}, "text/plain": "IntSlider(value=1)"}, "ipywidgets"),
    ({"text/html": "<div id='c1'></div><script>Highcharts.chart('c1', {})</script>"}, "JavaScript"),
    ({"application/pdf": "JVBERg==", "text/plain": "<IPython.core.display.PDF object>"}, "application/pdf"),
    ({"image/bmp": "Qk0=", "text/plain": "<PIL.Image object>"}, "image/bmp"),
]


@pytest.mark.parametrize("data, kind", CHARTS, ids=lambda value: value if isinstance(value, str) else "")
def test_an_output_that_comes_about_in_a_browser_is_a_line_or_its_picture(blog, capsys, data, kind):
    data = {key: value for key, value in data.items() if key != "text/plain"} | {"text/plain": "<x object at 0x1>"}
    with_picture = data | {"image/png": png()}
    body, told = converted(
        blog,
        capsys,
        code("draw()", new_output("display_data", data)),
        code("draw()", new_output("display_data", with_picture)),
    )
    assert body.count(f'<p class="cut">Not shown on this page: {kind}.</p>') == 1
    assert "object at" not in body and "Trusted" not in body and "<script" not in body
    assert "01_one.ipynb: cell 2: " in told
    if kind != "JavaScript":  # whose HTML might be anything
        assert body.count("<img ") == 1


def test_loaders_and_bars_are_left_out_without_a_word(blog, capsys):
    widget, loader = "application/vnd.jupyter.widget-view+json", "application/vnd.bokehjs_load.v0+json"
    body, told = converted(
        blog,
        capsys,
        code("a", new_output("display_data", {loader: "", "text/html": "<div>x</div>"})),
        code("b", html_output('<div class="bk-root"><a class="bk-logo"></a><span>Loading BokehJS ...</span></div>')),
        code("c", new_output("display_data", {widget: {}, "text/plain": "HBox(children=(FloatProgress(value=0.0)))"})),
        code("d", html_output("<script>require.undef('plotly');</script>")),
        code("e", new_output("display_data", {widget: {}, "text/plain": "Output()"})),
    )
    assert 'class="outputs"' not in body and told == ""


def test_kinds_are_told_by_what_is_drawn():
    assert kind_of({"text/html": "<table><tr><td>plotly</td></tr></table>"}) is None
    assert kind_of({"text/plain": "1", "image/png": ""}) is None
    assert not is_loader({"text/html": "<p>Loading ...</p>"})


def test_a_trusted_notebook_keeps_its_charts(blog, capsys):
    chart = "<div id='c'></div><script>vegaEmbed('#c', {})</script>"
    body, told = converted(blog, capsys, code("draw()", html_output(chart)), head=HEAD + "- trusted: true\n")
    assert chart in body and told == ""


def test_an_animation_of_frames_shows_the_first(blog, capsys):
    frames = f'<script>frames[0] = "data:image/png;base64,{png(20, 10)}"\n</script><img id="_anim_imga">'
    body, _ = converted(blog, capsys, code("HTML(anim.to_jshtml())", html_output(frames)))
    assert 'width="20" height="10"' in body and "Not shown" not in body


def test_embedded_pages_become_links(blog, capsys):
    frames = (
        '<iframe src="https://www.youtube.com/embed/ab-c?x=1" allowfullscreen></iframe>',
        "<iframe width=1 src='https://example.org/a'></iframe>",
        '<iframe src="report.html"></iframe>',
    )
    assert link_frames(frames[0]) == '<a href="https://youtu.be/ab-c">youtu.be/ab-c</a>'
    outputs = [code("x", html_output(frame)) for frame in frames]
    body, _ = converted(blog, capsys, new_markdown_cell(frames[1]), *outputs)
    assert body.count('href="https://example.org/a"') == 2 and body.count('href="https://youtu.be/ab-c"') == 1
    assert "/_notebooks/report.html" in body and "<iframe" not in body
    assert link_frames("<iframe src='javascript:evil()'></iframe>") == "<iframe src='javascript:evil()'></iframe>"


def test_pictures_of_other_hosts_become_links_or_the_words_of_a_link(blog, capsys):
    badge = "https://elsewhere.example/badge.svg"
    body, _ = converted(
        blog,
        capsys,
        new_markdown_cell(f"[![Open in Colab]({badge})](https://colab.example/a)"),
        new_markdown_cell(f'<a href="https://colab.example/b"><img src="{badge}" alt="Open it"/></a>'),
        new_markdown_cell(f"<img width=3 src='{badge}' alt='A &amp; b'> ![c](<{badge}> \"t\")"),
        code("x", html_output(f'<p>shown <img src="{badge}"></p>')),
    )
    assert re.search(r'<a href="https://colab.example/a"[^>]*>Open in Colab</a>', body)
    assert re.search(r'<a href="https://colab.example/b"[^>]*>Open it</a>', body)
    assert re.search(rf'<a href="{badge}"[^>]*>A &amp; b</a>', body)
    assert re.search(rf'<a href="{badge}" title="t"[^>]*>c</a>', body)
    assert re.search(rf'<a href="{badge}"[^>]*>{badge}</a>', body) and "<img" not in body


def test_what_runs_is_told_where_it_stood(blog, capsys):
    _, told = converted(
        blog,
        capsys,
        new_markdown_cell("<script>evil()</script>\n\n<style>p {}</style>"),
        code("x", html_output("<p>shown</p><script>evil()</script>")),
        code("y", new_output("display_data", {"application/javascript": "evil()", "text/plain": "<x>"})),
    )
    assert [re.search(r"cell \d: \S+", line)[0] for line in told.strip().split("\n")] == [
        "cell 2: <script>",
        "cell 3: <script>",
        "cell 4: a",
    ]


def test_buttons_of_colab_leave_no_icons_and_other_drawings_stay(blog, capsys):
    icon = '<svg width="24" height="24"><path d="M4 4h9"/></svg>'
    body, _ = converted(
        blog, capsys, code("df", html_output(f"<table><tr><td>1</td></tr></table><button>{icon}</button>{icon}"))
    )
    assert body.count("<img ") == 1 and "<table" in body


def test_pictures_that_cannot_be_read_are_told(blog, capsys):
    (blog.notebooks / "odd.bmp").write_bytes(b"BM no picture")
    broken = new_output("display_data", {"image/png": "AAAA", "text/plain": "<Figure size 1x1 with 1 Axes>"})
    _, told = converted(blog, capsys, new_markdown_cell("![x](odd.bmp)"), code("plot()", broken))
    assert "01_one.ipynb: cell 2: odd.bmp: no picture that a page can show; left out" in told
    assert "01_one.ipynb: cell 3: an output of the type image/png is no picture that can be read" in told


# Sounds and films

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
SOUNDS = {
    "audio/wav": (WAV, "wav"),
    "audio/mpeg": (b"ID3\x04", "mp3"),
    "audio/mp3": (b"\xff\xfb\x90", "mp3"),
    "audio/ogg": (b"OggS\x00", "ogg"),
    "audio/flac": (b"fLaC\x00", "flac"),
    "audio/mp4": (b"\x00\x00\x00\x20ftypM4A ", "m4a"),
    "video/mp4": (b"\x00\x00\x00\x20ftypisom", "mp4"),
    "video/webm": (b"\x1aE\xdf\xa3", "webm"),
    "video/ogg": (b"OggS\x00", "ogv"),
}


def embedded(mime, content):
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize("mime", SOUNDS)
def test_embedded_sounds_and_films_get_a_player(blog, capsys, mime):
    content, suffix = SOUNDS[mime]
    tag, address = mime.split("/")[0], embedded(mime, content)
    opening = f'<{tag} controls autoplay loop width="300" onplay="evil()">'
    source = f'{opening}<source src="{address}" type="{mime}"/>No.</{tag}>'
    body, told = converted(
        blog,
        capsys,
        code("a", html_output(source)),
        code("b", new_output("display_data", {mime: address.partition(",")[2], "text/plain": "<x object>"})),
        new_markdown_cell(f'<{tag} src="{address}"></{tag}>'),
    )
    player = rf'<{tag} src="/base(/images/01_one/cell-\d+-\d+\.{suffix})" controls preload="metadata"'
    addresses = re.findall(player, body)
    assert len(addresses) == 3 and len(set(addresses)) == 1 and told == ""
    assert (blog.root / addresses[0].lstrip("/")).read_bytes() == content
    assert "autoplay" not in body and "evil" not in body and "No." not in body and " loop" in body
    assert (' width="300"' in body) == (tag == "video")
    assert blog.convert() == 0 and "1 unchanged" in capsys.readouterr().out


@pytest.mark.parametrize(
    "mime, content",
    [
        ("audio/wav", b"<script>evil()</script>"),
        ("video/mp4", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("audio/wav", b"RIFF\x24\x00\x00\x00AVI LIST"),
        ("video/mp4", WAV),
        ("audio/midi", b"MThd\x00"),
    ],
)
def test_what_is_no_sound_or_film_is_left_out(blog, capsys, mime, content):
    assert suffix_of(mime.split("/")[0], content) == ""
    tag, address = mime.split("/")[0], embedded(mime, content)
    body, told = converted(
        blog,
        capsys,
        code("a", html_output(f'<{tag} src="{address}"></{tag}>')),
        code("b", new_output("display_data", {mime: address.partition(",")[2]})),
    )
    assert f"<{tag}" not in body and f"Not shown on this page: {tag}." in body
    assert f"cell 2: <{tag}>: data:" in told and f"cell 3: {mime}: no sound or film" in told
    assert not (blog.root / "images" / "01_one").exists()


def test_films_beside_the_notebook_are_played_and_others_linked(blog, capsys):
    (blog.notebooks / "my clip.mp4").write_bytes(SOUNDS["video/mp4"][0])
    (blog.root.parent / "secret.mp4").write_bytes(SOUNDS["video/mp4"][0])
    body, told = converted(
        blog,
        capsys,
        new_markdown_cell('<video src="my clip.mp4" controls></video>'),
        new_markdown_cell('<video src="https://elsewhere.example/x.mp4"></video>'),
        new_markdown_cell('<video src="../../secret.mp4"></video>'),
        new_markdown_cell("<audio controls>\x01</audio> \ue0300\ue031"),
    )
    assert body.count("<video ") == 2, "a mark of somebody else's shows a player of this page at most"
    assert 'href="https://elsewhere.example/x.mp4"' in body
    assert "cell 4: <video>: ../../secret.mp4: no such file" in told and "cell 5: <audio>: it names no file" in told


def test_a_film_stands_beside_a_picture(blog, capsys):
    address = embedded("video/mp4", b"0000ftypx")
    body, _ = converted(blog, capsys, code("x", html_output(f'<video src="{address}"></video>')))
    assert "cover" not in blog.posts()[POST].split("\n---\n")[0] and "<video" in body
    body, _ = converted(blog, capsys, code("y", picture_output()))
    assert "<img" in body and not list((blog.root / "images" / "01_one").glob("*.mp4"))
