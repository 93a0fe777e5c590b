"""Nobody takes an address: of the site's own pages, of another document, of a page that stays, however spelt."""

import json

import pytest
from nbformat.v4 import new_markdown_cell
from notebook_kit import HEAD, code, front

from _fastpages.addresses import file_of, own_places, place_of, refuse, tidy
from _fastpages.documents import read_documents

POST = "2026-03-04-01_one.html"


def told(blog, capsys) -> list:
    """The lines that a conversion, in which something is wrong, has to say of it."""
    capsys.readouterr()
    assert blog.convert() == 1
    return capsys.readouterr().err.strip().split("\n")


def refusals(blog) -> dict:
    """What the documents are told that ask for an address which they can't have."""
    documents, problems = read_documents(blog.notebooks, blog.root / "_posts")
    assert not problems
    return refuse(documents, [], own_places(blog.root), {})


@pytest.mark.parametrize(
    "spelling",
    [
        "/about/",
        "/About/",
        "/about/index.html",
        "//about//",
        "/./about/index.html",
        "/about.html",
        "/x/../about/",
        "/%61bout/",
        "/%2561bout/",
        "\\about\\",
        "/about/?x=1",
        "/about/#here",
        "/ab\N{FULLWIDTH LATIN SMALL LETTER O}ut/",
    ],
)
def test_every_spelling_of_an_address_is_one_place(spelling):
    assert place_of(spelling) == "about"


def test_a_place_has_one_page():
    assert place_of("/") == place_of("//") == place_of("/./index.html") == place_of("/a/..") == ""
    assert place_of("/caf\u00e9/") == place_of("/cafe\u0301/")
    assert file_of("/a.html") != file_of("/a/") and place_of("/a.html") == place_of("/a/"), "a host shows either for /a"
    assert place_of("/a/b.html") != place_of("/a/")
    assert place_of("/" + "%25" * 2000) is not None, "comes to an end"


@pytest.mark.parametrize(
    "written, tidied",
    [
        ("/a.html", "/a.html"),
        ("//a//b.html", "/a/b.html"),
        ("/./a/", "/a/"),
        ("/a/index.html", "/a/"),
        ("//", "/"),
        ("/cafe\u0301/", "/caf\u00e9/"),
    ],
)
def test_an_address_is_written_in_one_way(written, tidied):
    assert tidy(written) == tidied


@pytest.mark.parametrize(
    "path",
    [
        "a.html",
        "/a",
        "/../a.html",
        "/%61.html",
        "/a?.html",
        "/a#/",
        "\\a.html",
        "/a.html/b.html",
        "/A.HTML/",
        "/.a/b.html",
        "/.html",
        f"/{'a' * 201}.html",
        "/a" * 300 + "/",
    ],
)
def test_what_is_no_address_is_refused(path):
    with pytest.raises(ValueError, match="expected"):
        tidy(path)


@pytest.mark.parametrize(
    "address, owner",
    [
        ("//", "the home page"),
        ("/index.html", "the home page"),
        ("/demo/", "the demo"),
        ("/Demo/index.html", "the demo"),
        ("/demo.html", "the demo"),
        ("/about/", "_pages/about.md"),
        ("/./about/index.html", "_pages/about.md"),
        ("/ABOUT.html", "_pages/about.md"),
        ("/tags/deep/", "_pages/tags.html"),
        ("/search/", "_pages/search.html"),
        ("/404.html", "_pages/404.html"),
        ("/404/", "_pages/404.html"),
        ("/feed.xml/", "the feed"),
        ("/sitemap.xml/x.html", "what search engines read"),
        ("/pagefind/pagefind.html", "the search index"),
        ("/images/01_one/", "the pictures"),
        ("/assets/x.html", "the theme"),
        ("/contact/", "_pages/contact.html"),
        ("/extra/", "extra.html"),
        ("/shelf/x.html", "shelf"),
    ],
)
@pytest.mark.parametrize("key", ["permalink", "redirect_from"])
def test_addresses_of_the_site_are_its_own(blog, key, address, owner):
    (blog.root / "_pages" / "contact.html").write_text("---\npermalink: /contact/\n---\n")
    (blog.root / "extra.html").write_text("---\n---\n")
    (blog.root / "shelf").mkdir()
    blog.add(name="00_good")
    blog.add(name="01_bad", head=f"{HEAD}- {key}: {address}\n")
    lines = refusals(blog)
    assert list(lines) == ["01_bad.ipynb"] and lines["01_bad.ipynb"].startswith(f"01_bad.ipynb: {key}: /")
    assert f"the site's own address ({owner}" in lines["01_bad.ipynb"]


def test_a_document_that_asks_for_a_page_of_the_site_is_told_and_left_out(blog, capsys):
    blog.add(name="00_good")
    blog.add(name="01_bad", head=HEAD + "- permalink: //\n")
    blog.add(name="02_bad", head=HEAD + "- redirect_from: [/old/, /./about/index.html]\n")
    assert told(blog, capsys) == [
        "01_bad.ipynb: permalink: / is the site's own address (the home page); choose another",
        "02_bad.ipynb: redirect_from: /about/ is the site's own address (_pages/about.md); choose another",
    ]
    assert list(blog.posts()) == ["2026-03-04-00_good.html"]


def test_what_is_not_on_the_site_leaves_its_address_free(blog):
    (blog.root / "_config.yml").write_text("exclude: [models/, '*.egg-info']\n")
    (blog.root / "models").mkdir()
    blog.add(head=HEAD + "- permalink: /models/\n")
    assert blog.convert() == 0 and front(blog.posts()[POST])["permalink"] == "/models/"


@pytest.mark.parametrize(
    "first, second, problem",
    [
        ("permalink: /p.html", "permalink: /P/", "02_two.ipynb: permalink: /P/ is 01_one.ipynb's already"),
        (
            "permalink: /p/",
            "redirect_from: [/x.html, //p/./index.html]",
            "02_two.ipynb: redirect_from: /p/ is 01_one.ipynb's already",
        ),
        (
            "redirect_from: /p/",
            "redirect_from: /p.html",
            "02_two.ipynb: redirect_from: /p.html is 01_one.ipynb's already",
        ),
        ("redirect_from: /p/", "permalink: /p/", "01_one.ipynb: redirect_from: /p/ is 02_two.ipynb's already"),
        (
            "redirect_from: /2026/03/04/02_TWO/",
            "toc: true",
            "01_one.ipynb: redirect_from: /2026/03/04/02_TWO/ is 02_two.ipynb's already",
        ),
    ],
)
def test_addresses_of_other_documents(blog, first, second, problem):
    blog.add(name="01_one", head=f"{HEAD}- {first}\n")
    blog.add(name="02_two", head=f"{HEAD}- {second}\n")
    assert [line.startswith(problem) for line in refusals(blog).values()] == [True]


def test_a_page_cannot_be_replaced_by_what_leads_to_it(blog, capsys):
    blog.add(head=HEAD + "- permalink: /p/\n- redirect_from: /p/index.html\n")
    assert told(blog, capsys)[0].startswith("01_one.ipynb: redirect_from: /p/ is where the page itself is")
    blog.add(head=HEAD + "- permalink: /p.html\n- redirect_from: /p/\n")
    assert blog.convert() == 0, "another file, from which a reader may come"


def test_a_notebook_and_a_post_cannot_have_one_file(blog, capsys):
    blog.add()
    (blog.root / "_posts").mkdir()
    (blog.root / "_posts" / "2026-03-04-01_one.md").write_text("---\ntitle: T\npermalink: /other.html\n---\nText.\n")
    assert told(blog, capsys) == [
        "2026-03-04-01_one.md: date: its page would be 2026-03-04-01_one.html, which is 01_one.ipynb's already; "
        "give it another date or name"
    ]
    assert front(blog.posts()[POST])["notebook"] == "01_one.ipynb"


@pytest.mark.parametrize(
    "head, line",
    [
        ("permalink: /mine.html", "/mine.html"),
        ("redirect_from: [/mine.html]", "/mine.html"),
        ("title: T", "/2026/01/01/by_hand.html"),
    ],
)
def test_a_page_written_by_hand_keeps_its_addresses_and_its_file(blog, capsys, head, line):
    by_hand = blog.root / "_posts" / "2026-01-01-by_hand.html"
    by_hand.parent.mkdir()
    by_hand.write_text(f"---\n{head}\n---\nby hand")
    blog.add(head=f"{HEAD}- permalink: {line}\n")
    assert told(blog, capsys) == [
        f"01_one.ipynb: permalink: {line} is 2026-01-01-by_hand.html's already; choose another"
    ]
    blog.add()
    (blog.root / "_posts" / POST).write_text("---\ntitle: T\npermalink: /other.html\n---\nby hand")
    assert "which is 2026-03-04-01_one.html's already" in told(blog, capsys)[0]
    assert blog.posts()[POST].endswith("by hand") and by_hand.read_text().endswith("by hand")


def test_the_last_good_page_of_a_broken_document_keeps_its_addresses(blog, capsys):
    blog.add(name="01_one", head=HEAD + "- permalink: /p.html\n- redirect_from: /old.html\n")
    assert blog.convert() == 0
    (blog.notebooks / "01_one.ipynb").write_text("{broken")
    blog.add(name="02_two", head=HEAD + "- permalink: /p.html\n")
    blog.add(name="03_three", head=HEAD + "- redirect_from: /old/\n")
    lines = told(blog, capsys)
    assert [line.split(" is ")[-1] for line in lines[1:]] == ["01_one.ipynb's already; choose another"] * 2
    assert list(blog.posts()) == [POST]


def test_links_lead_to_the_last_good_page_of_a_broken_document(blog, capsys):
    blog.add(name="01_one", head=HEAD + "- permalink: /p.html\n")
    assert blog.convert() == 0
    (blog.notebooks / "01_one.ipynb").write_text("{broken")
    blog.add(new_markdown_cell("[there](01_one.ipynb)"), name="02_two")
    assert len(told(blog, capsys)) == 1 and '<a href="/base/p.html"' in blog.posts()["2026-03-04-02_two.html"]


def test_addresses_that_are_exchanged_are_the_new_ones(blog):
    for pages in (("/a.html", "/b.html"), ("/b.html", "/a.html")):
        for name, page in zip(("01_one", "02_two"), pages):
            blog.add(name=name, head=f"{HEAD}- permalink: {page}\n")
        assert blog.convert() == 0
        assert [front(post)["permalink"] for post in blog.posts().values()] == list(pages)


def test_two_pages_never_stand_at_one_address(blog, capsys):
    blog.add(name="01_one", head=HEAD + "- permalink: /a.html\n")
    assert blog.convert() == 0
    blog.add(new_markdown_cell("![x](none.png)"), name="01_one", head=HEAD + "- permalink: /b.html\n")
    blog.add(name="02_two", head=HEAD + "- permalink: /a.html\n")
    assert told(blog, capsys) == ["01_one.ipynb: none.png: no such picture"]
    assert [front(post)["permalink"] for post in blog.posts().values()] == ["/a.html"] and list(blog.posts()) == [
        "2026-03-04-02_two.html"
    ]


def test_a_mark_in_a_page_removes_no_other_pictures(blog):
    (blog.root / "images" / "demo").mkdir(parents=True)
    (blog.root / "images" / "demo" / "tiles.webp").write_bytes(b"tiles")
    (blog.root / "_posts").mkdir()
    (blog.root / "_posts" / "2026-01-01-x.html").write_text(f"---\ngenerated_from: {json.dumps('demo.ipynb')}\n---\n")
    blog.add(code("x = 1"))
    assert blog.convert() == 0
    assert (blog.root / "images" / "demo" / "tiles.webp").is_file()


def test_an_old_address_may_be_what_jekyll_made_of_categories(blog, capsys):
    """`categories: [Deep Learning, C++]` gave folders of these names; a page's own address stays plain."""
    blog.add(head=HEAD + "- redirect_from: [/deep%20learning/c++/2020/01/01/it's.html, /größe & mehr/]\n")
    assert blog.convert() == 0
    assert front(blog.posts()[POST])["redirect_from"] == ["/deep learning/c++/2020/01/01/it's.html", "/größe & mehr/"]
    capsys.readouterr()
    blog.add(name="02_two", head=HEAD + "- redirect_from: /Deep%20Learning/C++/2020/01/01/it's.html\n")
    blog.add(name="03_three", head=HEAD + "- permalink: /deep learning/\n")
    blog.add(name="04_four", head=HEAD + '- redirect_from: /a"b.html\n')
    problems = told(blog, capsys)
    assert [problem.split(": ")[:2] for problem in problems] == [
        ["03_three.ipynb", "permalink"],
        ["04_four.ipynb", "redirect_from"],
        ["02_two.ipynb", "redirect_from"],
    ]
