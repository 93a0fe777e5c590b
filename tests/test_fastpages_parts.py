"""What trusted pages are allowed, which licences the site carries, what the service worker is told: by small parts."""

import base64
import hashlib
import json
from xml.etree import ElementTree

import pytest
from notebook_kit import ROOT

from _fastpages import feed, licences, search_words
from _fastpages.errors import NotebookError
from _fastpages.offline import EMPTY, WORKER, build_list, loaded, worker
from _fastpages.policy import needs
from _fastpages.versions import digest, versioned

LINES, HANDLER = "\na < 1 && b\n", "say('&')"


def hash_of(script):
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def test_a_trusted_page_may_run_what_was_saved_in_it_and_no_more():
    assert needs("<p>nothing</p>") == {"scripts": "", "hosts": ""}
    assert needs("<script>\r\na < 1 && b\n</script>")["scripts"] == f" {hash_of(LINES)}"
    pressed = needs("<p onclick=\"say('&amp;')\">x</p>")["scripts"]
    assert pressed == f" {hash_of(HANDLER)} 'unsafe-hashes'"
    drawn = needs(
        '<script src="https://cdn.example/vega@5.js"></script><script>load("https://data.example:8443/x.json")</script>'
    )
    assert drawn["hosts"] == " https://cdn.example https://data.example:8443"
    assert drawn["scripts"].endswith(" 'unsafe-eval'" + drawn["hosts"]) and "unsafe-inline" not in drawn["scripts"]
    assert needs('<a href="https://example.com">a link</a> https://example.com')["hosts"] == ""


def test_a_package_without_a_licence_stops_the_build(tmp_path, monkeypatch):
    monkeypatch.setattr(licences, "MODULES", tmp_path)
    (tmp_path / "bare").mkdir()
    with pytest.raises(NotebookError, match=r"^bare 1\.0 brings no licence: put its release's into .*bare@1\.0/$"):
        licences.package_notices("bare", "1.0")
    (tmp_path / "bare" / "LICENCE.md").write_text("its own")
    assert licences.package_notices("bare", "1.0") == {"LICENCE.md": b"its own"}


def test_kept_notices_are_of_the_version_that_is_installed():
    """A new version of a package that brings no licence needs its own release's: an old one stands in for nothing."""
    wanted = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for folder in licences.KEPT.iterdir():
        name, _, version = folder.name.rpartition("@")
        assert wanted[f"node_modules/{name}"]["version"] == version


def test_the_worker_is_told_of_all_that_the_page_loads(tmp_path):
    script = b"export const one = 1;"
    address = f"/base/{versioned('demo/made/page.mjs', script)}"
    page = f'"base": "/base/demo/" <link href="/base/assets/main.css"> <script src="{address}"> "{address}"'
    page += ' <a href="/base/about/"> <a href="/base/feed.xml"> <meta content="https://host/base/images/card.png">'
    for name, content in {
        "demo/index.html": page.encode(),
        "demo/made/page.mjs": script,
        "assets/main.css": b"p {}",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert loaded(page, "/base") == ["/base/assets/main.css", address]
    build = build_list(tmp_path)
    assert {name: file["sha256"] for name, file in build["files"].items()} == {
        "/base/demo/": digest(page.encode()),
        "/base/assets/main.css": digest(b"p {}"),
        address: digest(script),
    }
    assert build["files"][address]["type"] == "text/javascript"
    assert WORKER.read_text().count(EMPTY) == 1 and f'"version": "{build["version"]}"' in worker(build)
    (tmp_path / "assets" / "main.css").write_bytes(b"p { margin: 0 }")
    assert build_list(tmp_path)["version"] != build["version"], "a change of a style sheet is no new build"


FEED = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<link href="https://host/base/" rel="alternate" type="text/html"/><title>T</title>
<entry><link href="https://host/base/2026/a.html"/><summary>S</summary></entry>
<entry><link href="https://host/base/toolkit/b.html"/><summary>S</summary></entry>
<entry><link href="https://host/base/gone.html"/></entry>
</feed>"""
PAGE = """<html><body><p class="post-part">{}</p><div class="post-content">
<h2 id="A">A <a class="anchor" href="#A">#</a></h2>
<p>x<a class="fnref" href="#fn-1">1</a><span class="sidenote">note</span> <a href="/base/c.html" rel="noopener">c</a>
<span class="math"><span class="katex"><annotation>a &lt; b</annotation><span>drawn</span></span></span> after</p>
<div class="code"><pre class="highlight" tabindex="0"><code><span class="k">if</span> x</code></pre></div>
<script>evil()</script>
<img src="/base/images/p.webp" alt="p" loading="lazy" style="width:50%"></div></body></html>"""


def test_the_feed_has_the_text_of_lessons_and_posts(tmp_path):
    (tmp_path / "toolkit").mkdir()
    (tmp_path / "2026").mkdir()
    (tmp_path / "2026" / "a.html").write_text(PAGE.format("Part 1"))
    (tmp_path / "toolkit" / "b.html").write_text(PAGE.format("<a href='/base/#toolkit'>The toolkit</a>"))
    (tmp_path / "feed.xml").write_text(FEED)
    for _ in range(2):  # the second time there is nothing to add
        feed.main(tmp_path)
        text = (tmp_path / "feed.xml").read_text()
        assert text.count("<content") == 1 and text.count("<entry>") == 3
    shown = ElementTree.fromstring(text).find(".//{*}content").text
    assert '<img src="https://host/base/images/p.webp" alt="p">' in shown
    assert "note" not in shown and "evil" not in shown
    assert '<a href="https://host/base/c.html">c</a>' in shown
    assert '<a href="https://host/base/2026/a.html#fn-1">1</a>' in shown
    assert "<code>a &lt; b</code></span> after" in shown and "drawn" not in shown
    assert "<pre><code>if x</code></pre>" in shown and "#</a>" not in shown


def test_a_site_without_a_feed_stays_as_it_is(tmp_path):
    feed.main(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_search_is_told_of_words(tmp_path):
    """The prose of what is searched, not its code; other names from the table and from the blog's own list."""
    for name, page in {
        "search/index.html": "<p>Search</p>",
        "one.html": "<p>menu</p><article data-pagefind-body><p>Threshold of a café</p><pre>code_word</pre>"
        "<p data-pagefind-ignore>ignored</p><p>threshold</p></article>",
    }.items():
        (tmp_path / "_site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "_site" / name).write_text(page, encoding="utf-8")
    (tmp_path / "_data").mkdir()
    names = tmp_path / "_data" / "search.yml"
    names.write_text("Heatmap: [heat map]", encoding="utf-8")
    search_words.main(tmp_path / "_site", tmp_path)
    words = json.loads((tmp_path / "_site" / "search" / "words.json").read_text(encoding="utf-8"))
    assert words["known"] == "threshold cafe"
    same = words["same"]
    assert same["heatmap"] == ["heat map"] and same["bro"] == ["bridge"] and same["fodgaengerfelt"] == ["crosswalk"]
    assert same["zebra crossing"] == ["crosswalk"] and "bridge" not in same and "bridges" not in same
    names.write_text("heatmap: 1", encoding="utf-8")
    with pytest.raises(NotebookError, match=r"search\.yml: .*write lines as"):
        search_words.main(tmp_path / "_site", tmp_path)
    (tmp_path / "_site" / "search" / "index.html").unlink()
    search_words.main(tmp_path / "_site", tmp_path)  # a site without the page needs none of this


def test_the_searchs_other_names_lead_to_words_of_the_site():
    """A word of `_data/search.yml` that no notebook, post or page has would find nothing."""
    sources = [*ROOT.glob("_notebooks/**/*.ipynb"), *ROOT.glob("_posts/*.md"), *ROOT.glob("_pages/*.md")]
    text = " ".join(path.read_text(encoding="utf-8") for path in sources).casefold()
    names = search_words.other_names(ROOT / "_data" / "search.yml")
    lost = [(name, other) for name, others in names.items() for other in others if other.casefold() not in text]
    assert len(names) > 15 and lost == []
