"""Captions have numbers, references name them, and tables have captions and headings that say what they head."""

import base64

import pytest
from nbformat.v4 import new_markdown_cell
from notebook_kit import code, html_output, picture_output, png, stream

TABLE = "<table><thead><tr><th></th><th>mAP</th></tr></thead><tbody><tr><th>Car</th><td>1</td></tr></tbody></table>"


def figure(label: str, caption="A caption.", *outputs):
    return code(f"#| label: {label}\n#| fig-cap: {caption}\nplot()", *(outputs or [picture_output()]))


def table(label: str, caption="A caption."):
    return code(f"#| label: {label}\n#| tbl-cap: {caption}\nrows", html_output(TABLE))


def numbers(body: str) -> list:
    return [part.partition("<")[0] for part in body.split('<span class="number">')[1:]]


def test_figures_and_tables_are_numbered_apart(blog, capsys):
    (blog.notebooks / "a.png").write_bytes(base64.b64decode(png()))
    body = blog.body(
        figure("fig-one"),
        table("tbl-one"),
        new_markdown_cell('![x](a.png "In *text*"){#fig-two}'),
        figure("fig-three", '["A", "B"]', picture_output(), picture_output("blue")),
        table("tbl-two"),
    )
    assert numbers(body) == ["Figure 1.", "Table 1.", "Figure 2.", "Figure 3.", "Figure 4.", "Table 2."]
    assert '<figure id="fig-one">' in body and '<figure id="fig-two">' in body and '<div id="tbl-two">' in body
    assert "warning" not in capsys.readouterr().err


def test_a_table_has_its_caption_and_says_what_its_headings_head(blog):
    body = blog.body(table("tbl-one", "Scores in **%**"))
    caption = '<caption><span><span class="number">Table 1.</span> Scores in <strong>%</strong></span></caption>'
    assert f"<table>{caption}<thead>" in body and "<figure" not in body
    assert '<th class="num" scope="col">mAP</th>' in body and '<th scope="row">Car</th>' in body


def test_a_table_of_text_has_a_caption_behind_it(blog, capsys):
    body = blog.body(
        new_markdown_cell("|a|b|\n|-|-|\n|1|x|\n\nTable: Of `text` {#tbl-text}\n\nSee [Table 1](#tbl-text)."),
        new_markdown_cell("|a|\n|-|\n|1|\n\n: Another *one*\n\nTable: is a word.\n\n"),
    )
    assert numbers(body) == ["Table 1.", "Table 2."]
    caption = '<table id="tbl-text"><caption><span><span class="number">Table 1.</span> Of <code>text</code>'
    assert caption in body.replace("\n", "")
    assert "Another <em>one</em></span></caption>" in body and "<p>Table: is a word.</p>" in body and "{#" not in body
    assert '<a href="#tbl-text" rel="noopener">Table 1</a>' in body and "warning" not in capsys.readouterr().err


def test_a_caption_of_what_is_no_table_stands_below(blog):
    body = blog.body(code("#| tbl-cap: As text\nprint(1)", stream("1\n")), table("tbl-one"))
    assert "</pre><figcaption>" in body and numbers(body) == ["Table 1.", "Table 2."]


def test_a_picture_and_a_table_of_one_cell_have_a_caption_each(blog):
    outputs = picture_output(), html_output(TABLE)
    body = blog.body(code("#| fig-cap: Drawn\n#| tbl-cap: Listed\nboth", *outputs))
    assert body.index("</span> Drawn</figcaption>") < body.index("</span> Listed</span></caption>")


def test_a_label_belongs_to_what_has_the_caption_and_not_to_what_is_printed_before(blog, capsys):
    body = blog.body(
        code("#| label: tbl-a\n#| tbl-cap: Listed\nrows", stream("Two rows\n"), html_output(TABLE)),
        code("#| label: tbl-b\n#| fig-cap: Drawn\n#| tbl-cap: Both\nx", picture_output(), html_output(TABLE)),
        code("#| label: fig-c\nplot()", stream("A line\n"), picture_output()),
        new_markdown_cell("[Table 1](#tbl-a), [Table 2](#tbl-b)"),
    )
    assert numbers(body) == ["Table 1.", "Figure 1.", "Table 2."]
    assert body.index("Two rows") < body.index('id="tbl-a"') < body.index("Listed")
    assert body.index("Drawn") < body.index('id="tbl-b"') < body.index("Both")
    assert body.index("A line") < body.index('id="fig-c"') and "warning" not in capsys.readouterr().err


def test_references_name_the_right_number(blog, capsys):
    body = blog.body(
        new_markdown_cell("[Figure 1](#fig-b), [Figure 2](#fig-a), [as **seen** there](#fig-b), [](#fig-b)"),
        new_markdown_cell("# 7 things\n\n[Table&nbsp;1](#tbl-a), [the 7 things](#7-things)"),
        figure("fig-b"),
        figure("fig-a"),
        table("tbl-a"),
    )
    shown = [part.partition("</a>")[0].partition(">")[2] for part in body.split('<a href="#')[1:]]
    assert shown[:4] == ["Figure 1", "Figure 2", "as <strong>seen</strong> there", "Figure 1"]
    assert "Table\xa01" in body or "Table&nbsp;1" in body
    assert "the 7 things" in body and "warning" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([new_markdown_cell("See [Figure 3](#fig-a)."), figure("fig-a")],
         "cell 2: [Figure 3](#fig-a): it is Figure 1; so it says on the page"),
        ([new_markdown_cell("See [Figure 3](#fig-b)."), figure("fig-a")],
         "cell 2: [Figure 3](#fig-b): no figure or table on this page has this label"),
        ([figure("fig-a"), figure("fig-a")],
         "cell 3: the label fig-a stands on the page twice; the second is left out"),
        ([code("#| label: fig-a\nplot()", picture_output()), new_markdown_cell("See [Figure 1](#fig-a).")],
         "cell 3: [Figure 1](#fig-a): what has this label has no caption, and so no number"),
    ],
    ids=["wrong number", "unknown", "twice", "without a caption"],
)  # fmt: skip
def test_what_is_wrong_with_a_label_is_told(blog, capsys, cells, told):
    body = blog.body(*cells)
    assert f"warning: 01_one.ipynb: {told}" in capsys.readouterr().err
    assert "Figure 3" not in body or "fig-b" in told


def test_a_labels_heading_keeps_its_name(blog, capsys):
    body = blog.body(new_markdown_cell("## fig-a\n\n[there](#fig-a)"), figure("fig-a"))
    assert body.count('id="fig-a"') == 1 and "stands on the page twice" in capsys.readouterr().err
