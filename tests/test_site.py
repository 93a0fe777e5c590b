"""The built blog: the repository's notebooks and two of our own, built by Jekyll into a temporary folder and read page by page."""
import configparser
import datetime
import html
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_kit import ROOT, html_output, picture_output, stream

SITE_PARTS = {"_config.yml", "Gemfile", "_layouts", "_includes", "_sass", "_data", "_pages", "_posts", "assets", "index.html", "settings.ini"}
LOADS = {"img": {"src", "srcset"}, "script": {"src"}, "iframe": {"src"}, "source": {"src", "srcset"}, "video": {"src", "poster"},
         "audio": {"src"}, "object": {"data"}, "embed": {"src"}, "use": {"href", "xlink:href"}, "image": {"href", "xlink:href"}}
LIQUID = "{{ site.title }} {% if true %} {{ 'x' | upcase }} {% endraw %}"


def run(*command, cwd):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "BUNDLE_SILENCE_ROOT_WARNING": "1", "BUNDLE_GEMFILE": str(ROOT / "Gemfile"),
                   "JEKYLL_ENV": "production"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def our_notebooks(folder):
    """Two notebooks with what a post can hold; the second is hidden from the home page."""
    table = '<table border="1" class="dataframe"><thead><tr><th></th><th>mAP</th></tr></thead><tbody><tr><th>Car</th><td>0.75</td></tr></tbody></table>'
    first = new_notebook(cells=[
        new_markdown_cell("# Ours: <first> & \"best\" {{ 1 | plus: 1 }}\n> A *summary* & more.\n\n- date: 2031-02-03\n- toc: true\n- author: A. Writer\n- categories: [one, two]"),
        new_markdown_cell("## A part\n\nSee [the other](99_hidden.ipynb#Its-end) and [up](#A-part).\n\n> Tip: try *it*.\n\n$a_1 * b_2 * c$"),
        new_code_cell(f"#| alt: A red field\nprint(\"\"\"{LIQUID}\"\"\")", outputs=[stream(LIQUID + "\n"), picture_output()]),
        new_markdown_cell("## Another part"),
        new_code_cell("df", outputs=[html_output(table)]),
    ])
    hidden = new_notebook(cells=[new_markdown_cell("# Hidden part\n> Not listed.\n\n- date: 2031-02-04\n- hide: true\n- badges: false"),
                                 new_markdown_cell("## Its end\n\n[back](98_ours.ipynb)")])
    nbformat.write(first, folder / "98_ours.ipynb")
    nbformat.write(hidden, folder / "99_hidden.ipynb")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if not shutil.which("bundle"):
        pytest.skip("Ruby's bundler is not installed")
    source = tmp_path_factory.mktemp("site")
    listed = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT)  # what a developer keeps beside is not looked at
    names = {name.split("/")[0] for name in listed.stdout.split("\n")} if listed.returncode == 0 else set(os.listdir(ROOT))
    for path in (ROOT / name for name in names | {"results", "models", "data"} if name):  # all of the repository by name, only the site's parts with content
        if path.name in SITE_PARTS:
            (shutil.copytree if path.is_dir() else shutil.copy)(path, source / path.name)
        elif path.name in {"_notebooks", "images"}:
            continue
        elif path.is_dir() or not path.exists():
            (source / path.name).mkdir()
            (source / path.name / "inside.md").write_text("---\n---\nnot for the site")
        elif path.is_file() and path.name not in {"Gemfile.lock", "_settings.yml"}:
            (source / path.name).write_text("---\n---\nnot for the site")
    if (ROOT / "images").is_dir():
        shutil.copytree(ROOT / "images", source / "images")
    for path in (source / "_posts").glob("*.html"):
        path.unlink()
    shutil.copytree(ROOT / "_notebooks", source / "_notebooks")
    our_notebooks(source / "_notebooks")
    if run("bundle", "check", cwd=source).returncode:
        pytest.skip("the gems of the Gemfile are not installed: run `bundle install`")
    done = subprocess.run([sys.executable, "-m", "_fastpages", "--notebooks", source / "_notebooks", "--out", source], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    built = run("bundle", "exec", "jekyll", "build", "--config", "_config.yml,_settings.yml", "-d", "_site", "--trace", cwd=source)
    assert built.returncode == 0, built.stderr + built.stdout
    assert not re.search(r"Warning:|Deprecation:|Conflict:|Invalid date", built.stderr + built.stdout), built.stderr + built.stdout
    return Site(source)


class Site:
    def __init__(self, source):
        self.source, self.root = source, source / "_site"
        ini = configparser.ConfigParser()
        ini.read(ROOT / "settings.ini", encoding="utf-8")
        self.settings = ini["DEFAULT"]
        self.base, self.repository = self.settings["doc_baseurl"], f"{self.settings['user']}/{self.settings['repo']}"
        self.pages = {path.relative_to(self.root).as_posix(): Page(path) for path in sorted(self.root.rglob("*.html"))}
        self.posts = {}
        for path in sorted((source / "_posts").glob("*.html")):
            front = dict(line.split(": ", 1) for line in path.read_text(encoding="utf-8").split("\n---\n")[0].split("\n")[1:])
            front = {key: json.loads(value) for key, value in front.items()}
            self.posts[front["notebook"]] = front | {"page": self.pages[front["permalink"].lstrip("/")]}

    def file_of(self, address):
        """The built file that an address of the site's own (with its base) is served from."""
        path = unquote(address.removeprefix(self.base)).lstrip("/")
        return self.root / (path + "index.html" if path == "" or path.endswith("/") else path)


class Page(HTMLParser):
    """A page's tags, ids and text."""

    def __init__(self, path):
        super().__init__()
        self.html = path.read_text(encoding="utf-8")
        self.tags, self.ids, self.text, self.skipped = [], [], "", 0
        self.feed(self.html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.ids += [value for name, value in attributes if name == "id"]
        self.skipped += tag in {"script", "style"}

    def handle_endtag(self, tag):
        self.skipped -= tag in {"script", "style"}

    def handle_data(self, data):
        self.text += "" if self.skipped else data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def entries(page):
    """(address, title, the rest) of each post that a home page lists, as HTML text."""
    return re.findall(r'<li class="post-entry">.*?<a class="post-link" href="([^"]+)">([^<]+)</a>(.*?)</li>', page, re.S)


def test_home_lists_the_series_in_order(site):
    home = site.pages["index.html"]
    shown = [post for name, post in sorted(site.posts.items()) if not post.get("hide")]
    listed = [entry for entry in entries(home.html) if any(entry[0] == site.base + post["permalink"] for post in shown)]
    assert [entry[0] for entry in listed] == [site.base + post["permalink"] for post in shown]
    for (_, title, rest), post in zip(listed, shown):
        assert html.unescape(title) == post["title"]
        assert html.unescape(rest).count(post["description"]) == 1
        day = datetime.date.fromisoformat(post["date"])
        assert f"{day.day} {day:%B %Y}</time>" in rest and f'datetime="{post["date"]}T00:00:00+00:00"' in rest
    assert "Hidden part" not in home.text
    assert home.text.count('Ours: <first> & "best" {{ 1 | plus: 1 }}') == 1
    assert {path.name for path in (site.source / "_notebooks").glob("[0-9][0-9]*.ipynb")} == set(site.posts)


def test_posts_have_code_pictures_and_tables(site):
    ours = site.posts["98_ours.ipynb"]["page"]
    picture, = ours.all("img")
    assert picture["alt"] == "A red field" and (picture["width"], picture["height"], picture["loading"]) == ("30", "20", "lazy")
    assert site.file_of(picture["src"]).read_bytes()[:4] == b"\x89PNG"
    assert '<span class="nb">print</span>' in ours.html and '<td class="num">0.75</td>' in ours.html
    assert "A. Writer" in ours.text and "3 February 2031" in ours.text and "A summary & more." in ours.text
    assert "$a_1 * b_2 * c$" in ours.text and '<div class="callout tip"' in ours.html
    contents = re.search(r'<details class="contents".*?</details>', ours.html, re.S)[0]
    assert re.findall(r'href="#([^"]+)"', contents) == ["A-part", "Another-part"]


def test_every_notebook_page_shows_all_its_code(site):
    from _fastpages.directives import read_directives
    for name, post in site.posts.items():
        nb = nbformat.read(site.source / "_notebooks" / name, 4)
        shown = [source for wishes, source in (read_directives(cell.source) for cell in nb.cells if cell.cell_type == "code")
                 if source.strip() and not wishes.get("hide") and not wishes.get("hide_input")]
        page = post["page"]
        assert page.html.count('<pre class="highlight"') >= len(shown)
        for source in shown:
            assert source.strip("\n").rstrip() in page.text, f"{name}: code is missing or changed"
        assert len(page.all("h1")) == 1 and "#| " not in re.sub(r"<pre.*?</pre>", "", page.html, flags=re.S)


def test_liquid_in_a_notebook_reaches_the_page_as_it_is(site):
    assert site.posts["98_ours.ipynb"]["page"].text.count(LIQUID) == 2


def test_source_and_neighbours(site):
    names = sorted(name for name in site.posts if not site.posts[name].get("hide"))
    for number, name in enumerate(names):
        page, links = site.posts[name]["page"], site.posts[name]["page"].all("a")
        place = f"{site.repository}/blob/{site.settings['branch']}/{site.settings['nbs_path']}/{name}"
        hrefs = [link.get("href") for link in links]
        if site.posts[name].get("badges", True):
            assert f"https://github.com/{place}" in hrefs and f"https://colab.research.google.com/github/{place}" in hrefs
        rel = {link["rel"]: link["href"] for link in links if link.get("rel") in {"prev", "next"}}
        beside = {"prev": names[number - 1] if number else None, "next": (names + [None])[number + 1]}
        assert rel == {key: site.base + site.posts[other]["permalink"] for key, other in beside.items() if other}, page
    hidden = site.posts["99_hidden.ipynb"]["page"]
    assert 'class="badge"' not in hidden.html and site.base + site.posts[names[-1]]["permalink"] in [link.get("href") for link in hidden.all("a")]


def test_links_anchors_and_pictures_resolve(site):
    checked = 0
    for name, page in site.pages.items():
        assert len(page.ids) == len(set(page.ids)), f"{name}: an id twice"
        for tag, attributes in page.tags:
            for key in {"href", "src"} & attributes.keys():
                address, anchor = urldefrag(attributes[key])
                if re.match(r"(https?|mailto):", address):
                    continue
                assert address == "" or address.startswith(f"{site.base}/"), f"{name}: {attributes[key]} leaves the site's path"
                target = site.file_of(address) if address else None
                assert target is None or target.is_file(), f"{name}: {attributes[key]} leads nowhere"
                if anchor:
                    there = page if target is None else site.pages[target.relative_to(site.root).as_posix()]
                    assert unquote(anchor) in there.ids, f"{name}: {attributes[key]} names no place on that page"
                checked += 1
    assert checked > 30


def test_nothing_is_loaded_from_another_host(site):
    for name, page in site.pages.items():
        for tag, attributes in page.tags:
            assert not any(key.startswith("on") for key in attributes), f"{name}: {tag} has an event handler"
            keys = LOADS.get(tag, set()) | ({"href"} if tag == "link" and attributes.get("rel") not in {"canonical", "alternate", "next", "prev"} else set())
            for key in keys & attributes.keys():
                assert not re.match(r"\s*([a-z]+:)?//|\s*data:", attributes[key]), f"{name}: {tag} loads {attributes[key]}"
            assert "url(" not in attributes.get("style", ""), f"{name}: {attributes['style']}"
        assert not [script for script in page.all("script") if script.get("type") != "application/ld+json"], name
    for path in [*site.root.rglob("*.css"), *site.root.rglob("*.svg")]:
        assert not re.search(r"@import|url\(['\"]?\s*(https?:)?//|href=\"https?://[^\"]*\"|<script", path.read_text(encoding="utf-8")), path.name


def test_feed_and_addresses(site):
    feed = ET.parse(site.root / "feed.xml").getroot()
    atom = {"a": "http://www.w3.org/2005/Atom"}
    links = {entry.find("a:link", atom).get("href") for entry in feed.findall("a:entry", atom)}
    host = site.settings["doc_host"] + site.base
    assert {host + post["permalink"] for post in site.posts.values()} <= links
    titles = [entry.find("a:title", atom).text for entry in feed.findall("a:entry", atom)]
    assert any("Ours: " in title and "{{ 1 | plus: 1 }}" in title for title in titles)
    canonical, = [link["href"] for link in site.pages["index.html"].all("link") if link["rel"] == "canonical"]
    assert canonical == host + "/"


def test_only_the_site_is_in_the_site(site):
    years = {post["permalink"].split("/")[1] for post in site.posts.values()} | {path.name[:4] for path in (site.source / "_posts").iterdir()}
    assert {path.name for path in site.root.iterdir()} <= {"index.html", "404.html", "about", "assets", "feed.xml", "images"} | years
    assert not [path for path in site.root.rglob("*") if path.is_file() and b"not for the site" in path.read_bytes()]


def test_about_and_missing_pages(site):
    assert "never drives a browser against reCAPTCHA" in " ".join(site.pages["about/index.html"].text.split())
    assert site.settings["title"] in site.pages["about/index.html"].text and site.base + "/" in [a.get("href") for a in site.pages["404.html"].all("a")]
