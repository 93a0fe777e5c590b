"""`python -m _fastpages import FOLDER`: an old fastpages blog comes over, and what cannot be taken is named."""

import json
import os
import re
import shutil
from html import unescape
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from notebook_kit import ROOT, Blog, code, command, front, html_output, png, text_of

from _fastpages.importer import bring
from _fastpages.importer.blog import read_blog
from _fastpages.importer.heads import read_notebook_head, read_post_head
from _fastpages.importer.kramdown import plain
from _fastpages.importer.liquid import Liquid
from _fastpages.importer.numbered import Numbered

OLD = ROOT / "tests" / "old_blog"


def run(folder, blog, *more) -> int:
    return command.main(["import", str(folder), "--to", str(blog.root), *more])


def contents(folder) -> dict:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def told(capsys, kind) -> list:
    """The lines of the report of one kind, without it."""
    lines = capsys.readouterr().out.splitlines() if not isinstance(capsys, list) else capsys
    return [line.removeprefix(f"{kind}: ") for line in lines if line.startswith(f"{kind}: ")]


@pytest.fixture
def old(tmp_path_factory):
    "A small blog, to be added to"
    folder = tmp_path_factory.mktemp("old")
    for name in ("_notebooks", "_posts", "images"):
        (folder / name).mkdir()
    shutil.copy(OLD / "_config.yml", folder)
    return folder


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    "A site with the old blog brought in and converted; tests only read it"
    blog = Blog(tmp_path_factory.mktemp("site"))
    assert run(OLD, blog) == 1 and blog.convert() == 0
    return blog


def add_post(folder, text, name="2020-06-01-more.md"):
    (folder / "_posts" / name).write_text(text, encoding="utf-8")


def add_notebook(folder, *cells, name="2020-06-02-more.ipynb"):
    cells = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    nbformat.write(new_notebook(cells=cells), folder / "_notebooks" / name)


# A whole blog


def test_a_whole_blog_is_taken_and_every_loss_named(blog, capsys):
    assert run(OLD, blog) == 1, "some of it cannot be taken"
    lines = capsys.readouterr().out.splitlines()
    assert {line.partition(": as ")[0] for line in told(lines, "taken")} == {
        "_notebooks/2020-02-20-a-notebook.ipynb",
        "_notebooks/2020-03-01-Second Post.ipynb",
        "_notebooks/2020-04-05_no-title.ipynb",
        "_notebooks/drafts/an-idea.ipynb",
        "_notebooks/my_icons/a tree.png",
        "_pages/talks.md",
        "_posts/2020-01-14-test-markdown-post.md",
        "_posts/2020-01-15-plain.md",
        "files/paper.pdf",
        "images/2020-01-14/plot.png",
        "images/logo.png",
    }
    lost = told(lines, "not taken")
    for place, what in (
        ("_notebooks/2020-02-20-a-notebook.ipynb, front matter", "metadata_key1"),
        ("_notebooks/2020-02-20-a-notebook.ipynb, front matter", "https://example.org/me"),
        ("_notebooks/2020-02-20-a-notebook.ipynb, cell 2, line 3", "my_icons/lost.png"),
        ("_notebooks/2020-02-20-a-notebook.ipynb, cell 2, line 5", ":+1:"),
        ("_posts/2020-01-14-test-markdown-post.md, line 33", "{% cite knuth %}"),
        ("_posts/2020-01-14-test-markdown-post.md, line 33", "/2019/01/01/nothing.html"),
        ("_posts/2020-01-14-test-markdown-post.md, line 43", "{% include mine.html %}"),
        ("_pages/about.md", "never overwritten"),
        ("_pages/tags.html", "its old address /categories/"),
        ("_posts/notes.txt", "no post"),
        ("_word/2020-01-01-a-word-post.docx", "Word files are not converted"),
        ("CNAME", "domain"),
        ("_includes/mine.html", "your own theme"),
        ("_sass/minima/custom-styles.scss", "your own theme"),
        ("files/unasked.csv", "no document asks for it"),
        ("index.html", "home page"),
        ("_config.yml", "title = An old blog"),
        ("_config.yml", "doc_baseurl = /notes"),
        ("_config.yml", "twitter_username"),
        ("_config.yml", "annotations"),
        ("_config.yml", "paginate: 15"),
        ("_config.yml", "linkedin: somebody"),
        ("_config.yml", "jekyll-scholar"),
    ):
        assert [line for line in lost if line.startswith(f"{place}: ") and what in line], (place, what)
    assert re.fullmatch(r"11 taken, 0 there already, \d+ changed, \d+ left out, \d+ not taken", lines[-1])


def test_nothing_of_the_blog_is_passed_over(tmp_path, blog, capsys):
    """Each file is named in the report, by itself or as one of a folder of fastpages' own."""
    folder = tmp_path / "old"
    shutil.copytree(OLD, folder)
    more = "_pages/.ipynb_checkpoints/about.md _pages/deep/page.md _drafts/a.md .DS_Store .vscode/settings.json "
    more += "_posts/pic.png assets/img/b.png assets/own.css _notebooks/_private.ipynb x/y/z.bin _pages/data.json"
    for place in more.split():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text("{}")
    run(folder, blog)
    report = capsys.readouterr().out
    of_fastpages = {"_includes/alert.html", "assets/badges/colab.svg"}
    for place in contents(folder).keys() - of_fastpages:
        named = place if place != ".vscode/settings.json" else ".vscode"
        assert re.search(rf"^[a-z ]+: (.*, )?{re.escape(named)}(?!\w)", report, re.M), place
    assert "left out: _includes/: files of fastpages' theme: 1" in report and "left out: assets/: " in report


def test_a_second_run_changes_nothing(blog, capsys):
    run(OLD, blog)
    first, before = capsys.readouterr().out, contents(blog.root)
    assert run(OLD, blog) == 1
    second = capsys.readouterr().out
    assert contents(blog.root) == before and not told(second.splitlines(), "taken")
    without_counts = [text.replace("\nthere already: ", "\ntaken: ").splitlines()[:-1] for text in (first, second)]
    assert without_counts[0] == without_counts[1]


def test_a_dry_run_tells_the_same_and_writes_nothing(blog, capsys):
    before = contents(blog.root)
    assert run(OLD, blog, "--dry-run") == 1
    dry = capsys.readouterr().out
    assert contents(blog.root) == before
    run(OLD, blog)
    assert capsys.readouterr().out == dry


def test_the_old_blog_is_left_as_it_was(blog):
    before = contents(OLD)
    run(OLD, blog)
    assert contents(OLD) == before


def pages(blog) -> dict:
    """{document: (front matter, body)} of the converted pages."""
    posts = {name: text for name, text in blog.posts().items() if name.endswith(".html")}
    return {front(text)["generated_from"]: (front(text), text.split("\n---\n", 1)[1]) for text in posts.values()}


def test_the_converter_takes_what_was_brought_without_a_lost_cell(converted):
    made, shown = pages(converted), 0
    assert len(made) == 5
    for path in sorted(converted.notebooks.glob("*.ipynb")):
        body = unescape(text_of(made[path.name][1]))
        for cell in nbformat.read(path, as_version=4).cells:
            lines = cell.source.split("\n")
            if cell.cell_type == "code" and lines[0] not in {"#hide", "#hide_input"}:
                assert "\n".join(line for line in lines if not line.startswith("#")) in body, cell.source
                shown += 1
            for output in cell.get("outputs", []):
                assert output.get("text", "").strip() in body
    assert shown == 6


def test_the_page_of_a_notebook(converted):
    second = pages(converted)["2020-03-01-Second-Post.ipynb"][0]
    assert second["redirect_from"] == ["/deep learning/2020/03/01/Second-Post.html"]
    values, body = pages(converted)["2020-02-20-a-notebook.ipynb"]
    assert values["title"] == "Trees: a notebook" and values["description"] == "What grows, and how fast."
    assert values["author"] == "Some Body" and values["categories"] == ["jupyter", "trees"]
    assert values["hide_binder_badge"] is True, "as default_badges had it"
    assert values["redirect_from"] == ["/jupyter/trees/2020/02/20/a-notebook.html"]
    assert values["cover"], "the picture beside the notebook, which fastpages had copied"
    assert '<img src="/base/images/2020-02-20-a-notebook/a-tree.webp"' in body and "<em>a lost tree</em>" in body
    assert 'href="/base/2020/01/14/test-markdown-post.html#lists"' in body
    assert 'href="/base/2020/03/01/Second-Post.html"' in body
    assert "Use {{ site.title }} in a template" in body and "<code>{% fn 2 %}</code>" in body
    assert "The <em>note</em>, with a " in body and body.count('class="preview youtube"') == 2
    assert 'class="callout important"' in body and 'class="callout tip"' in body and 'class="katex"' in body


def test_the_page_of_a_post(converted):
    values, body = pages(converted)["2020-01-14-test-markdown-post.md"]
    assert values["toc"] is True and values["cover"] and "layout" in values
    assert body.count("src=\"/base/images/logo.png\"") == 3 and "/base/images/posts/2020-01-14/plot.png" in body
    assert 'class="callout warning"' in body and 'class="callout note"' in body and 'class="preview twitter"' in body
    assert "{:" not in text_of(body) and "TOC" not in text_of(body)
    assert 'href="/base/2020/02/20/a-notebook.html"' in body and 'href="/base/files/paper.pdf"' in body
    assert 'tree = "{{ oak }}"' in unescape(text_of(body)) and "password: ${{ secrets.token }}" in text_of(body)
    assert pages(converted)["2020-01-15-plain.md"][0]["title"] == "A plain title"


def test_a_page_of_the_site_stays_liquid(converted):
    text = (converted.root / "_pages" / "talks.md").read_text()
    assert "{{ site.title }}: ![]({{ site.baseurl }}/images/logo.png)" in text and "> Note: No talks yet" in text
    assert "[trees]({{ site.baseurl }}/2020/02/20/a-notebook.html)" in text
    assert "[more]({{ site.baseurl }}/2020/01/15/plain.html)" in text


def test_settings_are_written_where_none_stand(old, blog, capsys):
    add_post(old, "---\ntitle: T\n---\nText.")
    blog.settings.unlink()
    run(old, blog)
    assert "_config.yml: as settings.ini" in told(capsys, "taken")
    assert blog.convert() == 0
    written = (blog.root / "_settings.yml").read_text(encoding="utf-8")
    assert 'title: "An old blog"' in written and 'description: "Notes: mostly mine, 100% typed"' in written
    assert 'url: "https://somebody.github.io"' in written and 'repository: "somebody/notes"' in written


# Names, dates and addresses


@pytest.mark.parametrize(
    "name, head, old_address, new_name",
    [
        ("2020-01-02-A Post.md", "categories: [ML]", "/ml/2020/01/02/A-Post.html", "2020-01-02-A-Post.md"),
        ("2020-1-3-single.md", "categories: a b", "/a/b/2020/01/03/single.html", "2020-01-03-single.md"),
        ("2020-01-04-C++ & x.md", "category: One Two", "/one two/2020/01/04/C++-&-x.html", "2020-01-04-C-x.md"),
        ("2020-01-05-dot.3.1.md", "categories: []", "/2020/01/05/dot.3.1.html", "2020-01-05-dot-3-1.md"),
        ("2020-01-06-d.md", "date: 2020-03-08 23:30:00 -0500", "/2020/03/09/d.html", "2020-01-06-d.md"),
        ("2020-01-06-e.md", "date: 2020-03-08 00:30 +02:00", "/2020/03/07/e.html", "2020-01-06-e.md"),
        ("2020-01-07-p.md", "permalink: /my-post", "/my-post", "2020-01-07-p.md"),
        ("2020-01-08-x.md", "slug: other slug", "/2020/01/08/other-slug.html", "2020-01-08-x.md"),
        ("2020-01-09-_u_.md", "categories: [A, a, 3]\ncategory: x", "/a/3/x/2020/01/09/_u_.html", "2020-01-09-u_.md"),
    ],
)
def test_old_addresses_are_those_that_jekyll_made(old, name, head, old_address, new_name):
    """The addresses are what Jekyll 4.3 wrote for these files."""
    add_post(old, f"---\n{head}\n---\nx", name)
    source = read_blog(old).find(f"_posts/{name}")
    assert (source.old, source.name) == (old_address, new_name)


def test_a_notebook_without_a_date_gets_that_of_its_last_change(old, blog, capsys):
    add_notebook(old, "# Undated\n> One.", name="12-undated thing.ipynb")
    os.utime(old / "_notebooks" / "12-undated thing.ipynb", (1_600_000_000, 1_600_000_000))
    run(old, blog)
    lines = capsys.readouterr().out.splitlines()
    assert (blog.notebooks / "2020-09-13-12-undated-thing.ipynb").is_file()
    assert any("it has no date in its name" in line for line in told(lines, "changed"))


def test_two_documents_do_not_get_one_place(old, blog, capsys):
    add_post(old, "---\ntitle: One\n---\nx", "2020-06-01-a b.md")
    add_post(old, "---\ntitle: Two\n---\ny", "2020-06-01-a-b.md")
    assert run(old, blog) == 1
    assert any("its place, _posts/2020-06-01-a-b.md, is that of" in line for line in told(capsys, "not taken"))


def test_an_address_that_is_the_sites_own_is_not_asked_for(old, blog, capsys):
    """A category may be called as a folder of this site is; the converter would refuse the whole document."""
    add_post(old, "---\ntitle: One\ncategories: [images]\npermalink: /about/\n---\nx")
    add_post(old, "---\ntitle: Two\ncategories: [images]\n---\nx", "2020-06-02-two.md")
    run(old, blog)
    lost = [line for line in told(capsys, "not taken") if "the site's own address" in line]
    assert [line.split(",")[0] for line in lost] == ["_posts/2020-06-01-more.md", "_posts/2020-06-02-two.md"]
    assert blog.convert() == 0


def test_two_documents_do_not_get_one_page(old, blog, capsys):
    """At fastpages, the page of the notebook took the place of the post's."""
    add_notebook(old, "# One\n> s", name="2020-06-01-same.ipynb")
    add_post(old, "---\ntitle: Two\n---\nx", "2020-06-01-same.md")
    add_post(old, "---\ntitle: Three\ncategories: [x]\n---\nx", "2020-06-03-three.md")
    blog.add(name="01_one", head="# T\n> s\n\n- date: 2020-06-03\n- permalink: /x/2020/06/03/three.html")
    run(old, blog)
    lost = told(capsys, "not taken")
    assert any(line.startswith("_posts/2020-06-01-same.md: date: its page would be") for line in lost)
    assert any("/x/2020/06/03/three.html is 01_one.ipynb's already" in line for line in lost)
    assert blog.convert() == 0


def test_own_addresses_are_kept(old, blog):
    add_post(old, "---\ntitle: One\npermalink: /trees\nredirect_from: [/trees.html, /oaks]\n---\nx")
    run(old, blog)
    assert blog.convert() == 0
    values, _ = pages(blog)["2020-06-01-more.md"]
    assert (values["permalink"], values["redirect_from"]) == ("/trees.html", ["/oaks.html"])


# Front matter


def test_front_matter_in_the_forms_that_blogs_have():
    cell = {"cell_type": "markdown"}
    joined = read_notebook_head([cell | {"source": '# "A: b"\n\n> "c"\n- toc: true- branch: master- badges: no'}], "x")
    assert (joined.title, joined.summary) == ("A: b", "c")
    assert joined.values == {"toc": True, "branch": "master", "badges": False}
    apart = read_notebook_head([cell | {"source": "#A b\n> c\n"}, cell | {"source": "- hide: true\n- toc: false"}], "x")
    assert (apart.title, apart.values, apart.keys_cell) == ("A b", {"hide": True, "toc": False}, 1)
    mixed = read_notebook_head([cell | {"source": '---\n# "A"\n- description: c\n- toc: true\n---\nrest'}], "x")
    assert (mixed.title, mixed.summary, mixed.values, mixed.rest) == ("A", "c", {"toc": True}, "rest")
    raw = read_notebook_head([{"cell_type": "raw", "source": "---\ntitle: A\ntags: [x]\n---"}], "x")
    assert (raw.title, raw.values) == ("A", {"tags": ["x"]})
    later = read_notebook_head([cell | {"source": "A badge"}, cell | {"source": "# A\n> b\nText\n- toc: true"}], "x")
    assert (later.cell, later.title, later.rest, later.values) == (1, "A", "Text", {"toc": True})
    none = read_notebook_head([{"cell_type": "code", "source": "# A"}], "2020-01-02-my_first tree")
    assert (none.cell, none.title) == (None, "My First Tree")


def test_front_matter_that_is_no_yaml_is_read_by_its_lines():
    comment = read_post_head("# hide: true\ntitle: T", "text", "x")
    assert (comment.title, comment.values, comment.remarks) == ("T", {}, [])
    head = read_post_head("title: Trees: a start\ntoc: true\ncategories: [a, b]", "text", "x")
    assert head.title == "Trees: a start" and head.values == {"toc": True, "categories": ["a", "b"]}
    assert "no YAML" in head.remarks[0]


def test_keys_have_the_names_that_they_have_here(old, blog, capsys):
    head = "title: T\nauthors: [A B, '[C](https://c.org)']\nmath: true\ntag: x y\nDraft: true\nodd: 1"
    add_post(old, f"---\n{head}\n---\nx")
    run(old, blog)
    lost = [line.partition(": ")[2] for line in told(capsys, "not taken") if line.startswith("_posts/")]
    assert lost == ["odd: 1: no such key here", "author: the link in A B, [C](https://c.org); the name alone is shown"]
    text = (blog.root / "_posts" / "2020-06-01-more.md").read_text(encoding="utf-8")
    assert "\nauthor: A B, C\n" in text and "\nuse_math: true\n" in text and "\npublished: false\n" in text
    assert "\ncategories:\n- x\n- y\n" in text


def test_text_that_reads_like_keys_has_a_cell_of_its_own(old, blog, capsys):
    add_notebook(old, "---\ntitle: T\n---\n- oak: a tree\n- elm: another")
    add_notebook(old, "# T\n> s\n\n> Note: what follows", name="2020-06-03-quote.ipynb")
    run(old, blog)
    assert blog.convert() == 0
    made = pages(blog)
    assert "oak: a tree" in made["2020-06-02-more.ipynb"][1]
    assert made["2020-06-03-quote.ipynb"][0]["description"] == "s"
    assert 'class="callout note"' in made["2020-06-03-quote.ipynb"][1]


def test_a_notebook_of_an_old_format_comes_over(old, blog):
    cells = [{"cell_type": "heading", "level": 1, "source": ["Old"], "metadata": {}}]
    cells += [{"cell_type": "markdown", "source": ["# T\n", "> s"], "metadata": {}}]
    cells += [{"cell_type": "code", "input": ["old()"], "outputs": [], "metadata": {}, "language": "python"}]
    text = json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]})
    (old / "_notebooks" / "2020-06-02-old.ipynb").write_text(text)
    run(old, blog)
    assert blog.convert() == 0
    values, body = pages(blog)["2020-06-02-old.ipynb"]
    assert values["title"] == "T" and "Old" in body and "old()" in unescape(text_of(body))


def test_a_heading_gives_the_title_where_the_front_matter_gives_none(old, blog):
    add_post(old, "---\ntoc: true\n---\n\n# The heading\n\nText.")
    add_post(old, "---\ntoc: true\n---\nText.", "2020-06-02-no_heading.md")
    run(old, blog)
    blog.convert()
    made = pages(blog)
    values, body = made["2020-06-01-more.md"]
    assert values["title"] == "The heading" and "The heading" not in body
    assert made["2020-06-02-no_heading.md"][0]["title"] == "No Heading"


def test_a_long_summary_opens_the_text(old, blog):
    add_post(old, f"---\ntitle: T\ndescription: {'word ' * 300}\n---\nText.")
    run(old, blog)
    assert blog.convert() == 0 and pages(blog)["2020-06-01-more.md"][1].count("word") == 300


def test_dollars_stay_money_where_the_blog_showed_no_formulas(old, blog):
    config = (old / "_config.yml").read_text().replace("use_math: true", "use_math:")
    (old / "_config.yml").write_text(config)
    add_post(old, "---\ntitle: T\n---\nFrom $1 to $2 more.")
    run(old, blog)
    blog.convert()
    assert "From $1 to $2 more." in pages(blog)["2020-06-01-more.md"][1]


def test_a_notebook_that_needs_no_change_comes_byte_by_byte(old, blog):
    text = '{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [{"cell_type": "markdown", "metadata": {}, '
    text += '"source": "# T\\n> s\\n\\n- toc: true\\n- hide_binder_badge: true"}]}'
    (old / "_notebooks" / "2020-06-02-same.ipynb").write_text(text)
    run(old, blog)
    assert (blog.notebooks / "2020-06-02-same.ipynb").read_text() == text


# Liquid and kramdown


@pytest.mark.parametrize(
    "source, written",
    [
        ("a{% fn 3 %}.", "a[^3]."),
        ("{{ \"Even \"x\" is.\" | fndetail: 3 }}", '[^3]: Even "x" is.'),
        ("{% raw %}{% fn 1 %} {{ x }}{% endraw %}", "{% raw %}{% fn 1 %} {{ x }}{% endraw %}"),
        ("{% raw %}\n```\na\n```\n{% endraw %} b", "\n```\na\n```\n b"),
        ("`{% fn 1 %}` {% fn 1 %}", "`{% fn 1 %}` [^1]"),
        ("```\n{% raw %}{% fn 1 %}{% endraw %}\n```", "```\n{% raw %}{% fn 1 %}{% endraw %}\n```"),
        ("![]({{ site.baseurl }}/images/a.png)", "![](/images/a.png)"),
        ("![]({{ '/images/a.png' | relative_url }})", "![](/images/a.png)"),
        ("{{ page.title }}", "The title"),
        ("$\\frac{{a}}{{b}}$", "$\\frac{{a}}{{b}}$"),
        ("[p]({% post_url 2020-01-14-post %})", "[p](/_posts/2020-01-14-post.md)"),
        ("{% post_url 2020-01-14-post %}", "[2020-01-14-post](/_posts/2020-01-14-post.md)"),
        ("[f]({% link files/a.pdf %})", "[f](/files/a.pdf)"),
        ("a\n{% include tip.html content='Do\nit' %}\nb", "a\n\n> Tip: Do\n> it\n\nb"),
        ("- a\n  {% include info.html text=\"b\" %}\n- c", "- a\n  \n  > Note: b\n\n- c"),
        ("<center>{% twitter https://t.co/a %}</center>", "<center>\n\n> twitter: https://t.co/a\n\n</center>"),
        ("{% include youtube.html content='abcdefghijk' %}", "> youtube: https://youtu.be/abcdefghijk"),
        ("{% youtube \"https://youtu.be/a\" %}", "> youtube: https://youtu.be/a"),
        ("{% include screenshot url=\"a b.png\" caption=\"C\" %}", '![C](</images/a b.png> "C")'),
        ("{% include image.html file='/i/a.png' alt='A' url='https://b' %}", "[![A](</i/a.png>)](https://b)"),
        ("{% include video.html url='/v/a.mp4' %}", '<video controls src="/v/a.mp4"></video>'),
        ("{% include image.html file='/i/a.png' max-width='20' %}", "![](</i/a.png>){width=20}"),
        ("{% gist a/b1 %}", "[gist a/b1](https://gist.github.com/a/b1)"),
        ("{% comment %}x{% endcomment %}y", "y"),
        ("{% highlight c++ linenos %}\nx;\n{% endhighlight %}", "```c++\nx;\n```"),
        ("{% cite a %} {% raw %}", "{% cite a %} {% raw %}"),
    ],
)
def test_liquid_is_written_as_markdown(source, written):
    text = Numbered(source)
    places = {"2020-01-14-post": "/_posts/2020-01-14-post.md"}
    Liquid(places.get, {"page.title": "The title"}, lambda kind, line, what: None).translate(text)
    assert text.text == written


@pytest.mark.parametrize(
    "source, written",
    [
        ("Contents:\n\n* TOC\n{:toc .large}\n\nText", "Contents:\n\n\n\nText"),
        ('A [b](c){:target="_blank"}\n{: .x #y}', "A [b](c)\n"),
        ('![](a.png){: width="40%" .x}', "![](a.png){width=40%}"),
        ("`{: .x}` and {:.2f} and {x}", "`{: .x}` and {:.2f} and {x}"),
        ("Let $$x$$ be\n\n$$y$$\n\n```\na $$z$$\n```", "Let $x$ be\n\n$$y$$\n\n```\na $$z$$\n```"),
    ],
)
def test_kramdown_is_written_as_markdown(source, written):
    text, said = Numbered(source), []
    assert plain(text, lambda *what: said.append(what)) == ("TOC" in source)
    assert text.text == written


def test_lines_keep_their_numbers_however_often_they_are_rewritten(old, blog, capsys):
    text = "---\ntitle: T\n---\n{% include info.html text='a' %}\nb\n{% comment %}\n\n{% endcomment %}\n{% cite x %}\n"
    add_post(old, text + "\n[gone](/gone.html)\n")
    run(old, blog)
    lost = [line for line in told(capsys, "not taken") if line.startswith("_posts/2020-06-01-more.md")]
    assert [line.split(": ")[0].rpartition(" ")[2] for line in lost] == ["9", "11"]


# What must not happen


def test_nothing_is_overwritten(blog, capsys):
    (blog.root / "images").mkdir()
    (blog.root / "images" / "logo.png").write_bytes(b"mine")
    (blog.root / "_posts").mkdir()
    (blog.root / "_posts" / "2020-01-15-plain.md").write_text("mine")
    assert run(OLD, blog) == 1
    lost = told(capsys, "not taken")
    for place in ("images/logo.png", "_posts/2020-01-15-plain.md"):
        assert f"{place}: {place} is there already with another content, and is never overwritten" in lost
        assert (blog.root / place).read_bytes() == b"mine"


def test_pictures_stay_out_of_folders_that_the_converter_empties(converted):
    assert (converted.root / "images" / "posts" / "2020-01-14" / "plot.png").is_file()


def test_only_files_of_the_blog_are_read(old, blog):
    secret = old.parent / "secret.png"
    secret.write_bytes(b"secret")
    for folder in (old, old / "_posts", old / "images"):
        (folder / "link.png").symlink_to(secret)
    (old.parent / "elsewhere").mkdir()
    (old.parent / "elsewhere" / "a.png").write_bytes(b"secret")
    (old / "_notebooks" / "beside").symlink_to(old.parent / "elsewhere")
    (old / "_posts" / "2020-06-02-link.md").symlink_to(secret)
    text = "![a](../../secret.png) ![a](/../secret.png) ![a](link.png) ![a](/images/link.png) [a](/link.png)"
    add_post(old, f"---\ntitle: T\nimage: ../secret.png\n---\n{text}")
    assert run(old, blog) == 1
    assert b"secret" not in contents(blog.root).values()
    assert blog.convert() == 0


def test_a_document_that_cannot_be_read_is_named_and_the_others_come(old, blog, capsys):
    (old / "_notebooks" / "2020-06-01-broken.ipynb").write_text('{"cells": [{"source": ["# A\\n", ]}]}')
    (old / "_notebooks" / "2020-06-02-deep.ipynb").write_text("[" * 100_000)
    (old / "_posts" / "2020-06-03-bytes.md").write_bytes(b"\xff\xfe\x00")
    add_post(old, "---\ntitle: T\n---\nText.", "2020-06-04-good.md")
    assert run(old, blog) == 1
    lines = capsys.readouterr().out.splitlines()
    lost = [line for line in told(lines, "not taken") if ": not a " in line]
    assert [Path(line.split(": ")[0]).name[:10] for line in lost] == ["2020-06-01", "2020-06-02", "2020-06-03"]
    assert told(lines, "taken") == ["_posts/2020-06-04-good.md"]


def test_what_a_converter_would_refuse_is_mended_or_named(old, blog, capsys):
    cell = new_markdown_cell("![](attachment:mark.png) ![](attachment:gone.png) <img alt='b' src='gone.png'>")
    cell.attachments = {"mark.png": {"image/png": png()}}
    add_notebook(old, "# T\n> s\n- toc: perhaps\n- sticky_rank: first", cell, code("1"))
    (old / "images" / "bad.png").write_bytes(b"no picture")
    add_post(old, "---\ntitle: T\nimage: images/bad.png\n---\n![p](/_posts/2020-06-01-more.md)")
    run(old, blog)
    lost = [line.split(": ", 1)[1] for line in told(capsys, "not taken") if not line.startswith("_config.yml")]
    expected = (
        "toc: expected true or false",
        "sticky_rank: expected a whole number",
        "the picture attachment:gone.png is not",
        "the picture gone.png is not",
        "image: images/bad.png: not a picture that can be read",
        "the picture /_posts/2020-06-01-more.md is not",
    )
    assert len(lost) == len(expected) and all(map(str.startswith, lost, expected)), lost
    assert blog.convert() == 0


def test_a_chart_that_a_script_draws_is_named(old, blog, capsys):
    chart = code("chart", html_output("<div id='vis'></div><script>draw('vis')</script>"))
    table = code("table", html_output("<table><tr><td>1</td></tr></table><script>sort()</script>"))
    add_notebook(old, "# T\n> s", chart, table)
    add_notebook(old, "# T\n> s\n\n- trusted: true", chart, name="2020-06-03-trusted.ipynb")
    run(old, blog)
    lost = [line for line in told(capsys, "not taken") if "runs a script" in line]
    assert [line.partition(": ")[0] for line in lost] == ["_notebooks/2020-06-02-more.ipynb, cell 2"]


def test_a_text_in_which_nothing_is_closed_ends_in_time(old, blog):
    openings = ["{% raw %}", "{% a ", "{{ ", "<img ", "<iframe ", "<script", "![a](b", "](", "{: .a ", "$$a", "``` "]
    for number, opening in enumerate(openings):
        add_post(old, "---\ntitle: T\n---\n" + opening * (100_000 // len(opening)), f"2020-07-{number + 1:02}-long.md")
    report = bring(old, blog.root, dry_run=True)
    assert report.count("taken") == len(openings)


@pytest.mark.parametrize("made", ["nothing", "empty", "same", "config"])
def test_where_there_is_no_blog_nothing_is_done(tmp_path, blog, capsys, made):
    folder = blog.root if made == "same" else tmp_path / "elsewhere"
    if made in {"empty", "config"}:
        folder.mkdir()
    if made == "config":
        (folder / "_posts").mkdir()
        (folder / "_config.yml").write_text("title: [")
    before = contents(blog.root)
    assert run(folder, blog) == 2
    output = capsys.readouterr()
    assert not output.out and len(output.err.splitlines()) == 1 and str(folder) in output.err
    assert contents(blog.root) == before


def test_help_shows_how(capsys):
    with pytest.raises(SystemExit) as exit:
        command.main(["import", "--help"])
    text = capsys.readouterr().out
    assert exit.value.code == 0 and "--dry-run" in text and "examples:" in text and "Exit status" in text


def test_all_is_taken_where_nothing_is_out_of_the_ordinary(tmp_path, blog, capsys):
    folder = tmp_path / "small"
    (folder / "_notebooks").mkdir(parents=True)
    (folder / "_config.yml").write_text("use_math: true\n")
    add_notebook(folder, "# T\n> s\n\n- toc: true\n- layout: post", code("1"))
    assert run(folder, blog) == 0
    assert capsys.readouterr().out.splitlines()[0] == "taken: _notebooks/2020-06-02-more.ipynb"
    saved = json.loads((blog.notebooks / "2020-06-02-more.ipynb").read_text(encoding="utf-8"))
    assert "".join(saved["cells"][0]["source"]) == "# T\n> s\n\n- toc: true"
