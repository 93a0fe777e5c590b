"""Inputs from public reports on fastpages, nbdev and nbconvert, a test for each row of `cases/cases.csv`."""

import csv
import html
import re
import shutil
from pathlib import Path

import pytest
from notebook_kit import front, text_of

CASES = Path(__file__).with_name("cases")
ROWS = list(csv.DictReader((CASES / "cases.csv").open(encoding="utf-8")))


class Converted:
    """What came out of some inputs: each page's body and front matter by the input's name, and what was said."""

    def __init__(self, blog, capsys, *names):
        shutil.copytree(CASES / "_notebooks" / "pics", blog.notebooks / "pics", dirs_exist_ok=True)
        (blog.root / "_posts").mkdir(exist_ok=True)
        for name in names:
            shutil.copy(CASES / name, blog.root / name)
        capsys.readouterr()
        self.status, self.told = blog.convert(), capsys.readouterr().err
        posts = [text for name, text in blog.posts().items() if name.endswith(".html")]
        self.fronts = {front(text)["generated_from"]: front(text) for text in posts}
        self.bodies = {front(text)["generated_from"]: text.split("\n---\n", 1)[1] for text in posts}
        self.root = blog.root

    def body(self, name):
        return self.bodies[Path(name).name]

    def front(self, name):
        return self.fronts[Path(name).name]


def old_name(done, name):
    assert done.front(name)["date"] == "2020-05-01"
    assert done.front(name)["permalink"] == "/2020/05/01/Old-Name.html" and "Body" in done.body(name)


def space_in_name(done, name):
    assert done.front(name)["permalink"] == "/2026/01/27/28_with-space.html" and "Body of" in done.body(name)


def layout(done, name):
    assert "Heading" in done.body(name) and "{%" not in done.body(name)
    assert 'class="language-python"' in done.body(name), "a block that Jekyll highlights"
    assert done.told == ""


def date_with_zone(done, name):
    assert done.front(name)["date"] == "2026-03-08" and done.front(name)["categories"] == ["x"]


def byte_order_mark(done, name):
    assert done.front(name)["title"] == "Bom" and "Body" in done.body(name)


def byte_order_mark_in_notebook(done, name):
    assert done.front(name)["title"] == "Speed: 50% & <fast> – it's {{ ok }}"
    assert done.front(name)["categories"] == ["a b", "c"] and "Body." in done.body(name)


def liquid(done, name):
    body = done.body(name)
    prose, code = body.split('<div class="cell">')
    assert "{%" not in prose and "fndetail" not in prose and "Use {{ site.title }} here" in prose
    assert 'class="sidenote-number">1</span> The note.' in body and 'id="fn-1">The note.' in body
    assert re.search(r'class="callout note".*?<p>An info</p>', body, re.S)
    assert body.count('class="preview twitter"') == 2 and body.count('class="preview youtube"') == 1
    assert "{{ y }} {% z %}" in code and "{{x}}" in text_of(code)


def captions(done, name):
    body = done.body(name)
    assert re.search(r"<figure><div[^>]*><a[^>]*><img [^>]*></a></div><figcaption>.*Credit: me</figcaption>", body)
    assert body.count("<img ") == 8 and 'title="Credit' not in body
    assert "{" not in text_of(body) and 'width="200" height="133"' in body and 'style="width:50%"' in body


def space_in_address(done, name):
    assert re.search(r'<img src="/base/images/12c_local_space/a-b\.(webp|png)" alt="w"', done.body(name))


def label(done, name):
    body = done.body(name)
    number = re.search(r'<div class="math display" tabindex="0" id="([^"]+)"', body)[1]
    assert f'See <a href="#{number}">(1)</a>.' in body and "<mtext>(1)</mtext>" in body


def macro(done, name):
    assert re.search(r'<mi mathvariant="bold">x</mi>', done.body(name)) and done.told == ""


def eqnarray(done, name):
    tex = html.unescape(re.search(r"<annotation[^>]*>(.*?)</annotation>", done.body(name), re.S)[1])
    assert " ".join(tex.split()) == r"\begin{align} a &= b \\ c &= d \end{align}"


def money(done, name):
    body = done.body(name)
    assert "From $1,000 to $2,000 in a year." in body and "A budget of $100k_a and b_$200k" in body
    assert "<strong>$5</strong> or <em>$6</em>" in body and "$ 5 $" in text_of(body) and "<code>$PATH</code>" in body
    assert body.count('class="katex"') == 1, "$HOME$ alone stays the formula that Jupyter makes of it"


def tables(done, name):
    body = done.body(name)
    assert body.count("<table>") == 11 and not re.search(r"<p>[^<]*\|", body) and "|---|" not in body
    assert body.count("<code>x|y</code>") == 2
    assert re.search(r"<li><p>item</p>\s*<div class=\"scroll\"", body)
    assert [text for text in re.findall(r"<td[^>]*>([^<]*)</td>", body) if text in {"1", "2", "3"}].count("3") == 2


def colab(done, name):
    body = done.body(name)
    assert "<img" not in body and "<svg" not in body and body.count("<table") == 1 and ">0.5</td>" in body


def charts(done, name):
    body = done.body(name)
    assert body.count("<img ") == 1 and "Trust" not in body and "VegaLite" not in body
    shown = re.findall(r'<p class="cut">Not shown on this page: (\w+)\.</p>', body)
    assert shown == ["Altair", "plotly", "Bokeh", "Folium"]
    for cell, kind in enumerate(shown, 3):
        assert f"15_charts.ipynb: cell {cell}: an output of {kind} " in done.told


def media(done, name):
    body = done.body(name)
    address = re.search(r'<audio src="/base(/images/24_media/[^"]+\.wav)" controls', body)[1]
    assert (done.root / address.lstrip("/")).read_bytes() == b"RIFF"
    assert "does not support" not in body and "24_media.ipynb: cell 4: <video>: x.mp4: no such file" in done.told
    assert '<figcaption><a href="https://youtu.be/x"' in body and body.count("<img ") == 3
    assert "Not shown on this page: ipywidgets" in body and "24_media.ipynb: cell 6: " in done.told
    assert "a" in text_of(body) and "&#34;a&#34;: 1" in body


def names(done, name):
    assert re.search(r'<a href="/base/2026/01/18/18_gr%C3%B6%C3%9Fe-s%C3%BC%C3%9F.html"[^>]*>x</a>', done.body(name))
    assert "links to 19_数据.ipynb, which is no notebook" in done.told


def no_execution_count(done, name):
    assert "x = 1" in text_of(done.body(name)) and done.told == ""


def hiding(done, name):
    seen, body = text_of(done.body(name)), done.body(name)
    shown = {int(number) for number in re.findall(r"HH(\d+)", seen)}
    assert shown == {10, 11, 12, 13, 15, 17, 19}
    assert set(re.findall(r"out\d+", seen)) == {"out5", "out6", "out7", "out12", "out18"}
    assert "<summary>Show</summary>" in body and "</span> A caption words</figcaption>" in body
    assert not re.search(r"#\s*\|?\s*(hide|collapse|export|echo)", seen, re.I)


CHECKS = {
    "2020-05-01-Old-Name.ipynb": old_name,
    "28_with space.ipynb": space_in_name,
    "2026-03-01-layout.md": layout,
    "2026-03-08-yes.md": date_with_zone,
    "2026-03-02-bom.md": byte_order_mark,
    "32_bom.ipynb": byte_order_mark_in_notebook,
    "21_liquid.ipynb": liquid,
    "12_local.ipynb": captions,
    "12c_local_space.ipynb": space_in_address,
    "14_m_label.ipynb": label,
    "14_m_newcommand.ipynb": macro,
    "14_m_eqnarray.ipynb": eqnarray,
    "23_money.ipynb": money,
    "16_tables.ipynb": tables,
    "16_colab.ipynb": colab,
    "15_charts.ipynb": charts,
    "24_media.ipynb": media,
    "17_names.ipynb": names,
    "12_noexec.ipynb": no_execution_count,
    "19_hide.ipynb": hiding,
}
BESIDE = {"17_names.ipynb": ["_notebooks/18_größe-süß.ipynb"]}  # what a case needs


@pytest.mark.parametrize("row", ROWS, ids=lambda row: Path(row["input"]).stem)
def test_a_reported_input_comes_out_as_it_should(blog, capsys, row):
    name = Path(row["input"]).name
    done = Converted(blog, capsys, row["input"], *BESIDE.get(name, []))
    assert done.status == 0, done.told
    CHECKS[name](done, row["input"])


def test_all_reported_inputs_stand_beside_each_other(blog, capsys):
    done = Converted(blog, capsys, *(row["input"] for row in ROWS), "_notebooks/18_größe-süß.ipynb")
    assert done.status == 0 and len(done.bodies) == len(ROWS) + 1
