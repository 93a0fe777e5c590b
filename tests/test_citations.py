"""Citations: from one BibTeX file to links, a list of references and the ways back; and the lists of the repository."""

import json
import re

import pytest
from nbformat.v4 import new_markdown_cell
from notebook_kit import ROOT, front, text_of

from _fastpages.citations import CITATION, ONE
from _fastpages.errors import NotebookError
from _fastpages.feed import simplified
from _fastpages.references import read_references

BIB = r"""
@inproceedings{cole2021,
  author = {Cole, Elijah and Mac Aodha, Oisin and M{\"u}ller, Jean-Luc},
  title = {{Multi-Label} Learning from Single Positive Labels},
  booktitle = {CVPR}, year = {2021}, url = {https://arxiv.org/abs/2106.09708},
}
@article{efron1979, author = {Efron, B.}, title = {Bootstrap Methods}, journal = {Annals of Statistics}, volume = {7},
  number = {1}, year = {1979}}
@misc{smith2018, author = {Smith, L. N. and others}, title = {Rates <&>}, year = {2018}}
@misc{smith2018b, author = {Smith, A. and Jones, B. and Low, C.}, title = {Rates for \$2 or \$3}, year = {2018}}
"""
POST = "2026-03-04-01_one.html"


@pytest.fixture
def cited(blog, capsys):
    """(the body of a notebook with these markdown cells, what was said)."""
    (blog.root / "_data" / "references.bib").write_text(BIB, encoding="utf-8")

    def convert(*sources):
        blog.add(*map(new_markdown_cell, sources))
        capsys.readouterr()
        assert blog.convert() == 0
        return blog.posts()[POST].split("\n---\n", 1)[1], capsys.readouterr().err

    return convert


def test_the_file_becomes_lines(tmp_path):
    path = tmp_path / "references.bib"
    path.write_text(BIB, encoding="utf-8")
    works = read_references(path)
    names = [work.name for work in works.values()]
    assert names == ["Cole et al. 2021", "Efron 1979", "Smith et al. 2018a", "Smith et al. 2018b"]
    assert works["cole2021"].markdown == (
        "- E. Cole, O. Mac Aodha and J.-L. Müller, [Multi-Label Learning from Single Positive Labels]"
        "(https://arxiv.org/abs/2106.09708), CVPR 2021."
    )
    assert works["efron1979"].markdown == "- B. Efron, *Bootstrap Methods*, Annals of Statistics 7(1), 1979."
    assert works["smith2018"].html == "L. N. Smith et al., <em>Rates &lt;&amp;&gt;</em>, 2018."
    priced = works["smith2018b"]
    assert r"*Rates for \$2 or \$3*" in priced.markdown and "<em>Rates for $2 or $3</em>" in priced.html
    assert read_references(tmp_path / "none.bib") == {}


@pytest.mark.parametrize(
    "text, said",
    [
        ("@misc{one, title = {No end", "premature end of file"),
        ("@misc{one, year = 2020}", "one: no title; give each entry one"),
        ("@misc{one, title = {a}, url = {javascript:b()}}", "one: url: write an address that opens with https://"),
        ("@misc{one, title = {a}}\n@misc{one, title = {b}}", "repeated bibliography entry: one"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_of_in_a_line(tmp_path, text, said):
    path = tmp_path / "references.bib"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NotebookError, match=re.escape(said)) as error:
        read_references(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


def test_a_citation_links_to_the_list_and_back(cited):
    body, told = cited(
        "As shown before [@cole2021, section 3; @efron1979], and again [@cole2021].\n\n## References\n\n"
        "- E. Cole, O. Mac Aodha and J.-L. Müller, [Multi-Label Learning from Single Positive Labels]"
        "(https://arxiv.org/abs/2106.09708), CVPR 2021. The first of its kind.\n- [Another](https://example.com)"
    )
    assert told == ""
    assert '(<span class="cited"><a class="cite" id="cite-cole2021-1" href="#ref-cole2021"' in body
    assert ">Cole et al. 2021</a>, section 3<span" in body and "#ref-efron1979" in body
    (item,) = re.findall('<li id="ref-cole2021">(.*?)</li>', body)
    assert "The first of its kind." in item
    assert re.findall('href="#(cite-[^"]+)"', item) == ["cite-cole2021-1", "cite-cole2021-2"]
    lists = re.findall('<ul class="references">.*?</ul>', body, re.S)
    assert len(lists) == 1 and lists[0].count("<li") == 3, "what the list leaves out is not added"
    assert text_of(re.search('<li id="ref-efron1979">(.*?)</li>', body)[1]).startswith("B. Efron, Bootstrap Methods, ")
    for name in re.findall('(?:href="#|aria-describedby=")([^"]+)"', body):
        assert body.count(f'id="{name}"') == 1, name


def test_a_page_without_a_list_gets_one(cited, blog):
    body, told = cited(
        "Fast [@smith2018], as Smith et al. [-@smith2018] say.", "## Last\n\nMore[^1].\n\n[^1]: See [@smith2018b]."
    )
    assert told == "" and body.index('id="Last"') < body.index('<h2 id="References">') < body.index('class="footnotes"')
    assert re.search('as Smith et al. [(]<span class="cited"><a class="cite"[^>]*>2018a</a>', body)
    assert '<li id="ref-smith2018">' in body and '<li id="ref-smith2018b">' in body
    assert '"id": "References"' in blog.posts()[POST], "the page's contents leave the list out"


def test_what_is_no_citation_stays(cited):
    source = "`[@cole2021]`, [@cole2021](https://example.com), me@example.com, [@dataclass as such]"
    body, told = cited(source)
    assert told == "" and "#ref-" not in body and "References" not in body
    assert "<code>[@cole2021]</code>" in body and "[@dataclass as such]" in body


def test_an_unknown_key_is_told_of(cited):
    body, told = cited("Text.", "See [@cole2020], [@nobody1900].")
    first, second = told.splitlines()
    assert first.startswith("warning: 01_one.ipynb: cell 3: [@cole2020]: _data/references.bib has no such entry")
    assert first.endswith("Did you mean @cole2021?") and second.endswith("Add it there.")
    assert "[@cole2020]" in body


def test_a_blog_without_the_file_knows_no_citations(blog, capsys):
    assert "[@someone]" in blog.body(new_markdown_cell("Thanks, [@someone]."))
    assert capsys.readouterr().err == ""


def test_a_line_that_differs_from_the_file_is_told_of(cited):
    body, told = cited("## References\n\n- Efron, *Bootstrap Methods*, 1980.")
    assert told.count("\n") == 1 and "@efron1979 is not listed as _data/references.bib has it" in told
    assert "write: - B. Efron, *Bootstrap Methods*, Annals of Statistics 7(1), 1979." in told
    assert "Efron, <em>Bootstrap Methods</em>, 1980." in body


def test_a_page_is_made_anew_when_a_work_of_its_changes(cited, blog, capsys):
    cited("Fast [@smith2018].")
    path = blog.root / "_data" / "references.bib"
    path.write_text(BIB.replace("Bootstrap Methods", "Another title"), encoding="utf-8")
    assert blog.convert() == 0 and "0 converted, 1 unchanged" in capsys.readouterr().out
    path.write_text(BIB.replace("Rates", "Speeds"), encoding="utf-8")
    assert blog.convert() == 0 and "Speeds" in blog.posts()[POST]


def test_feeds_leave_out_what_only_a_pointer_shows(cited):
    from lxml.html import fragment_fromstring

    body, _ = cited("Fast [@smith2018].")
    text = simplified(fragment_fromstring(body, create_parent="div"), "https://example.com/post.html")
    assert text.count("L. N. Smith et al.") == 1


def test_a_post_says_how_to_cite_it(blog):
    from pybtex.database import parse_string

    blog.add(head="# 50% of $x_1$ {a} & ~b\n> Summary.\n\n- date: 2026-03-04\n- author: A. Writer", name="02b_one")
    assert blog.convert() == 0
    text = front(blog.posts()["2026-03-04-02b_one.html"])["cite"]
    (key, work), *_ = parse_string(text, "bibtex").entries.items()
    assert key == "b-one-2026" and work.type == "misc" and work.fields["year"] == "2026"
    assert work.fields["title"] == r"{50\% of \$x\_1\$ \{a\} \& \textasciitilde{}b}"
    assert work.fields["url"].endswith("/base/2026/03/04/02b_one.html")
    assert str(work.persons["author"][0]) == "{A. Writer}"


def test_a_notebook_of_the_toolkit_is_cited_as_the_software(blog):
    (blog.notebooks / "toolkit").mkdir()
    blog.add(name="toolkit/files")
    assert blog.convert() == 0
    (post,) = blog.posts().values()
    assert "cite" not in front(post)


def texts():
    """(name, the markdown) of each notebook and written post of the repository."""
    for path in sorted(ROOT.glob("_notebooks/**/*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield path.name, "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    for path in sorted(ROOT.glob("_posts/*.md")):
        yield path.name, path.read_text(encoding="utf-8")


WORKS = read_references(ROOT / "_data" / "references.bib")
TEXTS = dict(texts())
HEADING = re.compile(r"^## (?:References|Litteratur)\n", re.M)


@pytest.mark.parametrize("name", TEXTS)
def test_the_repositorys_lists_and_citations_agree_with_the_file(name):
    text, *below = HEADING.split(TEXTS[name], maxsplit=1)
    lines = [line for line in "".join(below).splitlines() if line.startswith("- ")]
    written = {key: line for key, work in WORKS.items() for line in lines if line.startswith(work.markdown)}
    differ = [
        (line, work.markdown)
        for line in lines
        for work in WORKS.values()
        if (work.address and work.address in line or work.title.casefold() in line.casefold())
        and line not in written.values()
    ]
    assert differ == []
    cited = [ONE.fullmatch(one.strip())["key"] for found in re.findall(CITATION, text) for one in found.split(";")]
    assert [key for key in cited if key not in written] == [], "cited, and in no line of the list"


def test_every_work_of_the_file_is_listed_somewhere():
    lines = "\n".join(TEXTS.values())
    assert len(WORKS) > 70 and [key for key, work in WORKS.items() if work.markdown not in lines] == []
