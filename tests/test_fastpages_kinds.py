"""Other inputs of the kinds in `cases/cases.csv`: names, encodings, front matter, directives, Liquid, tables."""

import base64
import json

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from notebook_kit import HEAD, code, front, html_output, picture_output, png, stream, text_of

from _fastpages.amounts import is_money
from _fastpages.destinations import mend_addresses
from _fastpages.directives import read_directives, read_metadata
from _fastpages.front_matter import read
from _fastpages.liquid import Liquid
from _fastpages.losses import Losses
from _fastpages.names import address_of, date_in, is_document, slug_of
from _fastpages.pipes import BAR, even_tables
from _fastpages.prose import outside_code
from _fastpages.repair import repaired

# Names


@pytest.mark.parametrize(
    "name, date, address",
    [
        ("2020-05-01-Old-Name.ipynb", "2020-05-01", "Old-Name"),
        ("2020-5-1-name.ipynb", "2020-05-01", "name"),
        ("2020-05-01-a name (2).ipynb", "2020-05-01", "a-name-2"),
        ("2020-05-01_name.md", "2020-05-01", "name"),
        ("2020-05-01-what? & why!.markdown", "2020-05-01", "what-why"),
        ("28_with space.ipynb", None, "28_with-space"),
        ("28 with space.ipynb", None, "28-with-space"),
        ("28-a.b.ipynb", None, "28-a-b"),
        ("28_größe.ipynb", None, "28_größe"),
        ("28_gro\u0308ße.ipynb", None, "28_größe"),
        ("toolkit/a tool.ipynb", None, "toolkit-a-tool"),
        ("2020-05-01-数据.md", "2020-05-01", "数据"),
    ],
)
def test_a_name_has_a_date_and_a_clean_address(name, date, address):
    assert is_document(name) and date_in(name) == date and address_of(name) == address
    assert not set(slug_of(name)) & set(" ?&!()./")


@pytest.mark.parametrize("name", ["notes.ipynb", "1_one.ipynb", "other/01_one.ipynb", "_draft.ipynb", "draft.md"])
def test_what_is_no_document_by_its_name_is_told(blog, capsys, name):
    (blog.root / "_posts").mkdir()
    path = (blog.root / "_posts" if name.endswith(".md") else blog.notebooks) / name
    path.parent.mkdir(exist_ok=True)
    if name.endswith(".md"):
        path.write_text("Text")
    else:
        nbformat.write(new_notebook(cells=[new_markdown_cell(HEAD)]), path)
    blog.add()
    assert blog.convert() == 0
    told = capsys.readouterr().err
    assert (f"warning: {name}: not published: " in told) != name.startswith("_")


def test_a_dated_notebook_is_linked_and_keeps_a_date_of_its_own(blog):
    blog.add(new_markdown_cell("[a](2020-05-01-Old%20Name.ipynb) [b](<2020-05-01-Old Name.ipynb>)"))
    blog.add(name="2020-05-01-Old Name", head="# Old\n> S\n")
    blog.add(name="2020-05-02-Other", head=HEAD)
    blog.add(name="2020-13-40-Bad", head=HEAD)
    assert blog.convert() == 0
    posts = blog.posts()
    assert sorted(posts)[:1] == ["2020-05-01-Old-Name.html"]
    assert posts["2026-03-04-01_one.html"].count('href="/base/2020/05/01/Old-Name.html"') == 2
    assert front(posts["2026-03-04-Other.html"])["date"] == "2026-03-04"
    assert "part" not in front(posts["2020-05-01-Old-Name.html"])


def test_an_impossible_date_in_a_name_is_told(blog, capsys):
    blog.add(name="2020-13-40-Bad", head="# T\n> S\n")
    assert blog.convert() == 1
    assert capsys.readouterr().err.startswith("2020-13-40-Bad.ipynb: date: expected YYYY-MM-DD, got '2020-13-40'")


# Front matter

DATES = [
    "2026-03-08 09:00:00 -0500",
    "2026-03-08 09:00:00 +01:00",
    "2026-03-08T09:00:00Z",
    "2026-03-08 09:00",
    "2026-03-08 9:00 PM UTC",
    "2026-3-8",
    "2026/03/08",
    "March 8, 2026",
    "8 Mar 2026",
    "Sun, 8th March 2026 09:00:00 GMT",
    "2026-03-08 09:00:00 America/New_York",
    "2026-03-08 9am",
    '"2026-03-08"',
]


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("kind", ["raw", "markdown"])
def test_a_date_may_have_a_time_and_other_spellings(kind, date):
    source = f"---\ntitle: T\ndate: {date}\n---" if kind == "raw" else f"# T\n> S\n\n- date: {date}"
    assert read([{"cell_type": kind, "source": source}], "01_x.ipynb").date.isoformat() == "2026-03-08"


def head_of(*lines):
    source = "\n".join(("---", "title: T", "date: 2026-03-08", *lines, "---"))
    return read([{"cell_type": "raw", "source": source}], "01_x.ipynb")


@pytest.mark.parametrize(
    "line, key, value",
    [
        ("tags: [a, b]", "categories", ["a", "b"]),
        ("category: a", "categories", ["a"]),
        ("categories: [a]\ntags: [b, a, 2020]", "categories", ["a", "b", "2020"]),
        ("Search-Exclude: true", "search_exclude", True),
        ("toc: 'true'", "toc", True),
        ("mathjax: false", "use_math", False),
        ("hide_colab_badge: true", "hide_colab_badge", True),
        ("author: [A, B]", "author", "A, B"),
        ("aliases: [/old.html]", "redirect_from", ["/old.html"]),
        ("draft: true", "published", False),
        ("permalink: /a/b", "permalink", "/a/b.html"),
        ("image: {path: images/x.png, alt: x}", "image", "images/x.png"),
        ("toc: true  # contents", "toc", True),
    ],
)
def test_keys_of_jekyll_and_fastpages_have_their_effect(line, key, value):
    found = head_of(line)
    assert found.values[key] == value and found.warnings == []


def test_keys_without_an_effect_are_told_and_layouts_are_not():
    assert head_of("layout: post", "show_tags: true", "nb_path: x", "skip_exec: true").warnings == []
    found = head_of("layout: gallery", "slug: x", "toc-sticky: true", "permalink: /:year/:title/")
    assert [warning.split(":")[0] for warning in found.warnings] == ["layout", "slug", "toc_sticky", "permalink"]
    assert set(found.values) == {"date"}


def test_a_subtitle_or_an_excerpt_is_a_summary():
    assert head_of("subtitle: Sub").summary == "Sub" and head_of("excerpt: Ex", "description: D").summary == "D"


def test_what_is_not_published_is_told_and_loses_its_page(blog, capsys):
    blog.add(name="02_two")
    blog.add()
    assert blog.convert() == 0 and len(blog.posts()) == 2
    blog.add(name="02_two", head=HEAD + "- published: false\n")
    capsys.readouterr()
    assert blog.convert() == 0 and list(blog.posts()) == ["2026-03-04-01_one.html"]
    assert capsys.readouterr().err == "warning: 02_two.ipynb: not published, as its front matter says\n"


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_post_in_another_encoding_is_read(blog, encoding, end):
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    (blog.root / "_posts").mkdir()
    text = end.join(("---", "title: Größe", "---", "Body ü"))
    (blog.root / "_posts" / "2026-03-02-a.md").write_bytes(mark + text.encode(encoding))
    assert blog.convert() == 0
    post = (blog.root / "_posts" / "2026-03-02-a.html").read_text(encoding="utf-8")
    assert front(post)["title"] == "Größe" and "Body ü" in post


def test_a_byte_order_mark_within_a_cell_or_the_settings_is_none_of_the_text(blog):
    blog.settings.write_text("\ufeff" + blog.settings.read_text(encoding="utf-8"), encoding="utf-8")
    blog.add(head="\ufeff" + HEAD)
    assert blog.convert() == 0 and front(blog.posts()["2026-03-04-01_one.html"])["title"] == "A title"


# Notebooks that lack what they need


def incomplete(**lacking) -> dict:
    cells = [
        {"cell_type": "markdown", "source": [HEAD], "metadata": None, "attachments": None},
        {"cell_type": "heading", "level": 2, "source": "Old heading", "metadata": {}},
        {"cell_type": "code", "source": "x = 'kept'", "id": "same"},
        {"cell_type": "code", "source": "y", "id": "same", "metadata": {}, "execution_count": "*", "outputs": None},
        {
            "cell_type": "code",
            "source": "z",
            "id": "a b",
            "metadata": {},
            "outputs": [
                {"output_type": "stream", "text": ["streamed"]},
                {"output_type": "pyout", "data": {"text/plain": ["a ", "value"]}},
                {"output_type": "display_data", "data": None},
                {"output_type": "error", "ename": "E", "evalue": "wrong", "traceback": None},
                None,
            ],
        },
        {"cell_type": "markdown", "source": "end", "metadata": {}, "outputs": [], "execution_count": None},
        {"cell_type": "slide", "source": "what no program knows", "metadata": {}},
    ]
    return {"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}} | lacking


@pytest.mark.parametrize("lacking", [{}, {"metadata": None}, {"nbformat_minor": 0}])
def test_an_incomplete_notebook_is_a_page(blog, lacking):
    (blog.notebooks / "01_one.ipynb").write_text(json.dumps(incomplete(**lacking)))
    assert blog.convert() == 0
    body = text_of(blog.posts()["2026-03-04-01_one.html"])
    for words in ("Old heading", "kept", "streamed", "a value", "E: wrong", "end"):
        assert words in body


def test_what_is_repaired_is_valid_and_what_is_valid_stays():
    nbformat.validate(nbformat.from_dict(repaired(incomplete())), relax_add_props=True)
    whole = new_notebook(cells=[code("x", stream("y")), new_markdown_cell("z")])
    assert repaired(json.loads(nbformat.writes(whole))) == json.loads(nbformat.writes(whole))


# Directives


@pytest.mark.parametrize(
    "source, wishes, kept",
    [
        ("#HIDE\nx", {"hide": True}, "x"),
        ("#Hide_Input\nx", {"hide_input": True}, "x"),
        ("# a comment\n#hide-output\nx", {"hide_output": True}, "# a comment\nx"),
        ("import x\n#hide", {"hide": True}, "import x"),
        ("x = 1\n#| echo: false", {"hide_input": True}, "x = 1"),
        ("%matplotlib inline\n#collapse-show\nx", {"collapse_show": True}, "%matplotlib inline\nx"),
        ("#hide\r\nx\r\ny", {"hide": True}, "x\ny"),
        ("#| remove-cell\nx", {"hide": True}, "x"),
        ("#| include: FALSE\nx", {"hide": True}, "x"),
        ("#| hide_input: true\nx", {"hide_input": True}, "x"),
        ("#| hide: false\nx", {}, "x"),
        ("#| warning: false\nx", {"hide_stderr": True}, "x"),
        ('#| fig-cap: "A: b"\nx', {"caption": "A: b"}, "x"),
        ("#| fig-cap:\n#|   - One\n#|   - Two\nx", {"caption": ["One", "Two"]}, "x"),
        ('#| fig-cap: ["One", "Two"]\nx', {"caption": ["One", "Two"]}, "x"),
        ("#| label: fig-a\n#| fig-alt: Bars\nx", {"label": "fig-a", "alt": "Bars"}, "x"),
        ("x\ny #| hide_line\nz", {}, "x\nz"),
        ("s = '''\n#hide\n'''", {}, "s = '''\n#hide\n'''"),
        ("f(\n    #hide\n)", {}, "f(\n    #hide\n)"),
        ("# Export\nx", {}, "# Export\nx"),
        ("# hide the top row\nx", {}, "# hide the top row\nx"),
        ("x\n#hide this\ny", {}, "x\n#hide this\ny"),
    ],
)
def test_directives_of_any_spelling_and_place(source, wishes, kept):
    assert read_directives(source) == (wishes, kept)


@pytest.mark.parametrize(
    "metadata, wishes",
    [
        ({"tags": ["hide-input"]}, {"hide_input": True}),
        ({"tags": ["remove_cell", "other"]}, {"hide": True}),
        ({"tags": ["remove-output"]}, {"hide_output": True}),
        ({"tags": "hide"}, {}),
        ({"hide_input": True}, {"hide_input": True}),
        ({"jupyter": {"source_hidden": True, "outputs_hidden": True}}, {"collapse": True, "collapse_output": True}),
        ({"fig-cap": "A caption"}, {"caption": "A caption"}),
        ({"collapsed": False, "tags": None}, {}),
    ],
)
def test_tags_of_a_cell_are_honoured(metadata, wishes):
    assert read_metadata(metadata) == wishes


def test_tags_hide_cells_of_both_kinds(blog):
    hidden, prose, shown = code("secret = 1"), new_markdown_cell("for us"), code("kept = 1", stream("out"))
    hidden.metadata["tags"], prose.metadata["tags"] = ["remove-cell"], ["hide-cell"]
    shown.metadata["tags"] = ["hide-input"]
    seen = text_of(blog.body(hidden, prose, shown, new_markdown_cell("#HIDE\nnor this"), new_markdown_cell("# Hide")))
    assert "out" in seen and "Hide" in seen
    assert not any(words in seen for words in ("secret", "for us", "kept", "nor this"))


def test_captions_go_to_their_pictures(blog):
    body = blog.body(
        code(
            '#| fig-cap: ["One *a*", "Two"]\n#| fig-alt: ["A", "B"]\nplot()',
            picture_output(),
            picture_output("blue"),
        ),
        code("#| fig-cap: Under the last\nplot()", picture_output(), picture_output("green")),
        code("#| tbl-cap: A table\ndf", html_output("<table><tr><td>1</td></tr></table>")),
        code("#| fig-cap: <script>evil()</script>safe\nplot()", picture_output()),
    )
    assert body.count("<figure") == 4 and "</span> One <em>a</em></figcaption>" in body and "evil" not in body
    assert body.index('alt="A"') < body.index("One <em>") < body.index('alt="B"') < body.index(" Two<")
    assert body.count("Under the last") == 1 and "</span> A table</span></caption>" in body


# Pictures and links in markdown


@pytest.mark.parametrize(
    "source, mended",
    [
        ("![w](pics/a b.png)", "![w](<pics/a b.png>)"),
        ('![w](pics/a b.png "t")', '![w](<pics/a b.png> "t")'),
        ("![w](a (1) b.PNG)", "![w](<a (1) b.PNG>)"),
        ("[x](28_with space.ipynb#Part) and [y](z.png)", "[x](<28_with space.ipynb#Part>) and [y](z.png)"),
        ("[ref]: pics/a b.png", "[ref]: <pics/a b.png>"),
        ("[![i](a b.png)](c d.md)", "[![i](<a b.png>)](<c d.md>)"),
        ("`![w](a b.png)` ![w](<a b.png>)", "`![w](a b.png)` ![w](<a b.png>)"),
        ("    ![w](a b.png)", "    ![w](a b.png)"),
        ("[x](y) as said (see a b.png)", "[x](y) as said (see a b.png)"),
        ("f[0](some words, e.g. this)", "f[0](some words, e.g. this)"),
    ],
)
def test_addresses_with_spaces_are_mended(source, mended):
    assert mend_addresses(source) == mended


def test_a_picture_is_found_however_its_name_is_written(blog):
    folder = blog.notebooks / "pics"
    folder.mkdir()
    for number, name in enumerate(("a b.png", "Gru\u0308n.png", "Upper.PNG"), 5):
        (folder / name).write_bytes(base64.b64decode(png(number, 4)))
    names = ["pics/a b.png", "pics/a%20b.png", "pics/Grün.png", "pics/upper.png", "pics\\Upper.PNG"]
    body = blog.body(*(new_markdown_cell(f"![x]({name})") for name in [*names, "pics/a%20b.png?raw=true"]))
    assert body.count("<img ") == 6 and body.count('width="5"') == 3 and body.count('width="7"') == 2


def test_a_pictures_size_is_one_that_html_knows(blog):
    (blog.notebooks / "a.png").write_bytes(base64.b64decode(png(60, 40)))
    sizes = ('width="50%"', 'width="30px"', 'width="auto" height="20"', 'width="33.5%"')
    body = blog.body(new_markdown_cell("\n\n".join(f'<img src="a.png" {size}>' for size in sizes)))
    assert 'style="width:50%"' in body and 'width="30"' in body and 'height="20"' in body
    assert 'style="width:33.5%"' in body and "auto" not in body


def test_captions_under_pictures_of_markdown(blog):
    (blog.notebooks / "a.png").write_bytes(base64.b64decode(png(60, 40)))
    body = blog.body(
        new_markdown_cell('![](a.png "One <b>")'),
        new_markdown_cell('- item ![](a.png "Two")\n\n![](a.png "Three")\n![](a.png "Four")'),
        new_markdown_cell('[![](a.png "Five")](https://example.org)'),
        new_markdown_cell('Within ![](a.png "a title") a sentence.'),
        new_markdown_cell('![b](a.png){: width="30" .shadow } ![c](a.png){height=20px} [l](#x){:target="_blank"}'),
    )
    captions = ["One &lt;b&gt;", "Two", "Three", "Four", "Five"]
    assert all(f"</span> {caption}</figcaption>" in body for caption in captions)
    assert body.count("<figure>") == 5 and 'title="a title"' in body and "<p></p>" not in body
    assert body.count('width="30" height="20"') == 2 and "{" not in body


def test_attributes_behind_a_heading_are_no_text(blog):
    source = "# One {#first .big}\n\n## Two {-}\n\n### Three {: .no_toc }\n\n## A set {x} {y}"
    body = blog.body(new_markdown_cell(source))
    contents = front(blog.posts()["2026-03-04-01_one.html"])["contents"]
    assert [(heading["id"], heading["text"]) for heading in contents] == [
        ("first", "One"),
        ("Two", "Two"),
        ("Three", "Three"),
        ("A-set-x-y", "A set {x} {y}"),
    ]
    assert '<h2 id="first">One <a' in body


# Tables


@pytest.mark.parametrize(
    "table, cells",
    [
        ("| a | b |\n|---|---|\n| 1 |", [["a", "b"], ["1", ""]]),
        ("| a |\n|---|\n| 1 | 2 | 3 |", [["a", "", ""], ["1", "2", "3"]]),
        ("a | b\n--|--\n1 | 2 | 3\n4", [["a", "b", ""], ["1", "2", "3"]]),
        ("| a | b\n|---|---\n| 1 | 2", [["a", "b"], ["1", "2"]]),
        ("| a | b |\n|---|---|\n| <code>x|y</code> | 2 |", [["a", "b"], ["x|y", "2"]]),
        ("> | a | b |\n> |:-:|---|\n> | 1 |", [["a", "b"], ["1", ""]]),
        ("1. x\n\n   | a | b |\n   |---|---|\n   | 1 |", [["a", "b"], ["1", ""]]),
        ("| a | b |\n|---|---|\n| `` x|`y `` | 2 |", [["a", "b"], ["x|`y", "2"]]),
        ("| a | b |\n|---|---|\n| $5 | $6 |", [["a", "b"], ["$5", "$6"]]),
        ("| a | b |\n|---|---|\n| ` | ` |", [["a", "b"], ["`", "`"]]),
        ("| a | b |\n|---|---|\n| x \\| y | 2 |", [["a", "b"], ["x | y", "2"]]),
    ],
)
def test_uneven_tables_lose_no_cell(blog, table, cells):
    from _fastpages.tree import parse

    rows = parse(blog.body(new_markdown_cell(table))).iter("tr")
    assert [["".join(cell.itertext()).strip() for cell in row] for row in rows] == cells


def test_what_is_no_table_stays():
    for source in ("```\n| a | b |\n|---|---|\n| 1 |\n```", "a | b\n\n--|--", "text\n---\nmore | text", "| a | b |"):
        assert even_tables(source) == source
    assert even_tables("| a | b |\n|---|---|\n| `x|y` | $p|q$ |").count(BAR) == 2


# Amounts


@pytest.mark.parametrize(
    "body, after",
    [
        ("1,000 to ", "2"),
        ("5-", "1"),
        ("5 and US", " "),
        ("100k_a and b_", "2"),
        (" 5 ", " "),
        ("5, or 6", "."),
        ("3 million per year and ", "4"),
        (" and the other ", "5"),
        ("10; US", " "),
        ("20. Then he paid", " "),
    ],
)
def test_amounts_are_no_formulas(body, after):
    assert is_money(body, after)


@pytest.mark.parametrize(
    "body, after",
    [
        ("x", " "),
        ("2", "."),
        ("10^{-3}", "2"),
        (r"5 \text{ and } 6", " "),
        ("2x + 3", ","),
        ("0.5", " "),
        (" x ", " "),
        ("a_1", "2"),
        ("HOME", " "),
        ("3 = 1 + 2", " "),
    ],
)
def test_formulas_are_no_amounts(body, after):
    assert not is_money(body, after)


def test_dollars_behind_amounts_and_before_names():
    assert is_money(" to 10", " ", "5") and is_money("HOME and ", "P") and not is_money(" x ", " ", "n")


def test_prose_and_formulas_beside_each_other(blog):
    body = blog.body(new_markdown_cell("It costs $5 to $6, and $x^2$ is \\$7. From US$1 to R$2, or $20."))
    assert "It costs $5 to $6, and" in body and "is $7. From US$1 to R$2, or $20." in body
    assert body.count('class="katex"') == 1


# Liquid


def liquid(source, posts=()):
    losses = Losses("01_x.ipynb")
    losses.cell = 3
    taker = Liquid(dict(posts), losses)
    made = taker.take(source)
    taker.finish()
    return " ".join(made.split()), losses.lines


POSTS = {"2020-01-02-a post.md": "/base/2020/01/02/a-post.html", "01_x.ipynb": "/base/x.html"}


@pytest.mark.parametrize(
    "source, made",
    [
        ("a {% fn 1 %}\n\n{{ 'b \"c\"' | fndetail: 1 }}", 'a [^fn-1] [^fn-1]: b "c"'),
        ('{%- include warning.html content="Mind [x](y)" -%}', "> Warning: Mind [x](y)"),
        ("{% include tip.html text='t' %}{% include alert.html text='u' %}", "> Tip: t > Warning: u"),
        ('{% include youtube.html content="abc" %}', "> youtube: https://youtu.be/abc"),
        ("{% youtube https://youtu.be/abc %}", "> youtube: https://youtu.be/abc"),
        ('{% include image.html file="/images/a b.png" alt="x" caption="y" %}', '![x](</images/a b.png> "y")'),
        ("[x]({% post_url 2020-01-02-a post %})", "[x](#)"),
        ("[x]({{ site.baseurl }}{% link _notebooks/01_x.ipynb %})", "[x](/base/x.html)"),
        ("![x]({{ site.baseurl }}/images/x.png)", "![x](/images/x.png)"),
        ("![x]({{ '/images/x.png' | relative_url }})", "![x](/images/x.png)"),
        ("{% highlight python linenos %}\nx\n{% endhighlight %}", "```python x ```"),
        ("{% raw %}{{ x }} {% y %}{% endraw %}", "{{ x }} {% y %}"),
        ("{% raw %}\n```\n{{ x }}\n```\n{% endraw %}", "``` {{ x }} ```"),
        ("`{% fn 1 %}` and\n\n```\n{% include info.html %}\n```", "`{% fn 1 %}` and ``` {% include info.html %} ```"),
        ("{{ 'use `x` or }} or %}' | fndetail: 2 }}", "[^fn-2]: use `x` or }} or %}"),
        ('{% include note.html text="it\'s `x` 50%" %}', "> Note: it's `x` 50%"),
        ('{% include image.html url="x.png" description="d" %}', '![](</x.png> "d")'),
        ("{% comment %}secret{% endcomment %}x", "x"),
        ("* TOC\n{:toc}\n\ntext", "text"),
        ("{% gist ab/12 %}", "<https://gist.github.com/ab/12>"),
    ],
)
def test_liquid_becomes_markdown(source, made):
    assert liquid(source, POSTS)[0] == made


@pytest.mark.parametrize(
    "source, left, told",
    [
        ("{% include evil.html %}x", "x", "{% include evil.html %}: a tag of Liquid"),
        ("{% if a %}x{% endif %}", "x", "{% if a %}: a tag of Liquid"),
        ("{{ site.title }}", "{{ site.title }}", "{{ site.title }}: values of Liquid are not filled in"),
        ("x\n{: .center}", "x", "{: .center}: attributes of kramdown"),
        ("{% fn 7 %}", "[^fn-7]", "{% fn 7 %}: no text of a footnote"),
        ("[x]({% post_url 2020-09-09-none %})", "[x](#)", "{% post_url 2020-09-09-none %}: no notebook or post"),
    ],
)
def test_liquid_that_means_nothing_here_is_told(source, left, told):
    made, lines = liquid(source)
    assert made == left and lines[0].startswith(f"01_x.ipynb: cell 3: {told}")


def test_prose_is_told_from_code():
    source = "a\n\n    code\n\n- item\n\n    text\n\n```\nb\n```\nc `d` e ``f ` g`` h\n~~~\ni\n<pre>j</pre> k"
    assert outside_code(source, str.upper) == (
        "A\n\n    code\n\n- ITEM\n\n    TEXT\n\n```\nb\n```\nC `d` E ``f ` g`` H\n~~~\ni\n<pre>j</pre> k"
    )
    assert outside_code("a <pre>b</pre> c `d", str.upper) == "A <pre>b</pre> C `D"


# Callouts in GitHub's spelling


@pytest.mark.parametrize("kind", ["NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"])
def test_githubs_alerts_are_callouts(blog, kind):
    body = blog.body(
        new_markdown_cell(f"> [!{kind}]\n> mind *this*\n>\n> - and that"),
        new_markdown_cell(f"> [!{kind.lower()}] A title\n> text"),
        new_markdown_cell("> [!OTHER]\n> text"),
    )
    name = kind.lower()
    box = f'<div class="callout {name}" role="note"><p class="callout-name">'
    assert f"{box}{kind.title()}</p><p>mind <em>this</em></p>\n<ul>" in body
    assert f"{box}A title</p><p>text</p>" in body and body.count("<blockquote>") == 1
