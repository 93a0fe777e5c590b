"""The service worker of all pages: the home page and what was seen are there without a network, and never a mixture of
two builds; with a network, everything comes from it.
"""

import json
import re
from pathlib import Path

import pytest
from browser_kit import wait
from worker_kit import Answer, host

from _fastpages import offline
from _fastpages.versions import versioned

HOME, POST, OTHER = "/site/", "/site/2026/01/31/post.html", "/site/other/"
READY = """async () => {
  const shelf = await navigator.serviceWorker.ready;
  while (shelf.active.state !== "activated") await new Promise(done => setTimeout(done, 20));
}"""
KEPT = """async () => Object.fromEntries((await Promise.all((await caches.keys()).map(async name =>
  (await (await caches.open(name)).keys()).map(({url}) => [url.replace(location.origin, ""), name])))).flat())"""
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="9"/>'
SCRIPT = (Path(__file__).parent.parent / "assets" / "site.js").read_text(encoding="utf-8")
# What the real script needs of a page, and what the tests read.
PAGE = """<!DOCTYPE html>
<title>{build} {name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/site/assets/main.css">
<script defer src="/site/{script}"></script>
<button id="site-theme"></button>
<main id="site-main"><img src="/site/images/one/cell.svg" alt="a picture"><a href="/site/other/">other</a></main>
"""


class Blog:
    """Three pages with a style, a picture and the site's own script, of one build at a time."""

    def __init__(self, site):
        self.site, self.answers, self.asked = site, site.answers, site.asked

    def publish(self, build: str, width: int) -> None:
        script = versioned("assets/site.js", SCRIPT.encode())
        pages = {"index.html": "home", "2026/01/31/post.html": "post", "other/index.html": "other"}
        files = {path: PAGE.format(build=build, name=name, script=script) for path, name in pages.items()}
        files |= {"assets/main.css": f"main {{ width: {width}px; }}", "assets/site.js": SCRIPT}
        files |= {"images/one/cell.svg": PICTURE.format(width)}
        for name, content in files.items():
            path = self.site.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        offline.main(self.site.folder)
        self.answers.clear()
        for name in [*files, "sw.js"]:
            content = (self.site.folder / name).read_bytes()
            self.answers[f"/site/{name.removesuffix('index.html')}"] = Answer(content, TYPES[Path(name).suffix])


@pytest.fixture
def blog(tmp_path):
    with host(tmp_path) as site:
        blog = Blog(site)
        blog.publish("one", 11)
        yield blog


@pytest.fixture
def page(browser, blog):
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(5000)
    yield page
    context.close()


def see(page, blog, address, build, width):
    """The page of a build, with its own style and picture."""
    page.goto(blog.site.address + address)
    assert page.title().startswith(build), address
    assert page.evaluate("document.querySelector('main').clientWidth") == width
    wait(page, "width => document.images[0].naturalWidth === width", width, "the picture is of another build, or none")


def keeps(page, *addresses):
    """Waits until these are kept."""
    page.evaluate(READY)
    for address in addresses:
        wait(page, f"async address => address in await ({KEPT})()", address, f"{address} is not kept")


def test_home_and_what_was_seen_are_there_without_a_network(page, blog):
    see(page, blog, POST + "?from=somewhere", "one", 11)
    keeps(page, HOME, POST, "/site/images/one/cell.svg")
    page.context.set_offline(True)
    blog.answers.clear()
    for address in (HOME, HOME + "index.html", POST, POST + "?found=word#place"):
        see(page, blog, address, "one", 11)
    with pytest.raises(Exception, match="ERR_"):
        page.goto(blog.site.address + OTHER)


def test_with_a_network_nothing_is_stale(page, blog):
    see(page, blog, HOME, "one", 11)
    keeps(page, HOME)
    see(page, blog, POST, "one", 11)
    blog.publish("two", 22)
    del blog.answers["/site/sw.js"]  # the browser has not noticed the new build
    for address in (HOME, POST, OTHER):
        see(page, blog, address, "two", 22)


def test_builds_are_never_mixed(page, blog):
    """Under the old worker the new build is shown and not kept; the new worker forgets the old build."""
    see(page, blog, HOME, "one", 11)
    keeps(page, HOME)
    see(page, blog, POST, "one", 11)
    keeps(page, POST)
    blog.publish("two", 22)
    see(page, blog, POST, "two", 22)
    page.context.set_offline(True)
    see(page, blog, POST, "one", 11)
    page.context.set_offline(False)
    page.goto("about:blank")
    wait_for_new = page.context.new_page()
    for _ in range(10):
        see(wait_for_new, blog, HOME, "two", 22)
        wait_for_new.evaluate("navigator.serviceWorker.getRegistration().then(shelf => shelf.update())")
        wait_for_new.wait_for_timeout(200)
        names = set(wait_for_new.evaluate(KEPT).values())
        if len(names) == 1 and POST not in wait_for_new.evaluate(KEPT):
            break
        wait_for_new.goto("about:blank")  # no page of the old worker is open
    keeps(wait_for_new, HOME)
    wait_for_new.context.set_offline(True)
    see(wait_for_new, blog, HOME, "two", 22)
    wait_for_new.close()


def test_what_is_not_of_the_build_is_not_kept(page, blog):
    portal = Answer(b"<title>portal</title>")
    blog.answers["/site/images/one/cell.svg"] = portal
    page.goto(blog.site.address + POST)
    keeps(page, HOME, POST)
    assert "/site/images/one/cell.svg" not in page.evaluate(KEPT)
    blog.answers[None] = portal
    page.goto(blog.site.address + POST)
    assert page.title() == "portal"
    page.context.set_offline(True)
    page.goto(blog.site.address + POST)
    assert page.title() == "one post"


def test_the_list_is_of_what_readers_load(tmp_path):
    page = '<link href="/base/assets/main.css"><img src="/base/images/social/one.webp"><a href="/base/a/">'
    apart = ["demo/index.html", "pagefind/pagefind.js", "images/social/one.png", "feed.xml"]
    for name in [*apart, "a/index.html", "9,b'(c) é.html", "images/social/one.webp", "assets/main.css", "assets/x.js"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('"base": "/base/demo/"' if name.startswith("demo") else name, encoding="utf-8")
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    offline.main(tmp_path)
    text = (tmp_path / "sw.js").read_text(encoding="utf-8")
    build = json.loads(re.search("const BUILD = (.*?);\n\nconst STORES", text, re.S)[1])
    style, script = (versioned(f"/base/{name}", name.encode()) for name in ("assets/main.css", "assets/x.js"))
    cover = "/base/images/social/one.webp"
    assert set(build["files"]) == {"/base/", "/base/a/", "/base/9,b'(c)%20%C3%A9.html", style, script, cover}
    assert build["home"] == ["/base/", style, cover]
    assert f'href="{style}"' in (tmp_path / "index.html").read_text(encoding="utf-8")
    offline.main(tmp_path)  # once more changes nothing
    assert (tmp_path / "sw.js").read_text(encoding="utf-8") == text
