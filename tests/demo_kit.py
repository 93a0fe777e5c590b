"""What the tests of the demo page share: one page in a browser, pictures to hand it, and waiting for its answers."""

import base64
import io
import re

import pytest
from browser_kit import wait, watch

FILE = "const file = new File([Uint8Array.from(atob(content), letter => letter.charCodeAt(0))], name);"
HAND = (
    """([kind, name, content]) => {
  %s
  const transfer = new DataTransfer();
  transfer.items.add(file);
  const how = {bubbles: true, cancelable: true};
  document.body.dispatchEvent(kind === "drop" ? new DragEvent("drop", {dataTransfer: transfer, ...how})
                                              : new ClipboardEvent("paste", {clipboardData: transfer, ...how}));
}"""
    % FILE
)
OPEN = (
    """async ([name, content]) => {
  %s
  const {openPicture} = await import(document.querySelector("link[rel=modulepreload][href*='/picture.mjs']").href);
  const {width, height, data} = await openPicture(file);
  return {width, height, data: [...data]};
}"""
    % FILE
)


def png(picture, kind="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def text(content):
    return base64.b64encode(content).decode()


def opened(page):
    """The page, when its network is loaded and the first sample answered."""
    wait(page, "() => document.querySelector('#demo-stage').dataset.ready", why="the network does not get ready")
    return page


def answered(page, act):
    """Does `act`, waits for the answer that it brings, and gives its words."""
    before = page.evaluate("performance.getEntriesByName('demo answer').length")
    act()
    wait(page, "before => performance.getEntriesByName('demo answer').length > before", before, "there is no answer")
    page.evaluate("() => new Promise(done => setTimeout(done))")
    return page.inner_text("#demo-answer")


@pytest.fixture(scope="module")
def first(browser, site, address):
    """The page of a reader who has not been here before: without its service worker, and so with one thread.

    It may not complain in the course of any test.
    """
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(20_000)
    complaints = watch(page, address)
    page.goto(address + site.base + "/demo/")
    yield opened(page)
    page.context.close()
    assert not complaints


@pytest.fixture(scope="module")
def page(first):
    """The page of a reader who has been here before: all is kept, and handed out isolated from other origins.

    It is the same tab as `first`, so tests of that one come before.
    """
    wait(first, "() => document.querySelector('#demo-kept').textContent", why="nothing is kept")
    first.reload()
    return opened(first)


@pytest.fixture(scope="module")
def base(site, address):
    return f"{address}{site.base}/demo/"


@pytest.fixture(scope="module")
def samples(site):
    """(file, target, the right tiles) of each sample, as the page has them."""
    found = re.findall(
        r'data-target="([^"]+)" data-tiles="([^"]+)"><img src="[^"]*/demo/made/([^"?]+)\?v=',
        site.pages["demo/index.html"].html,
    )
    assert 4 <= len(found) <= 6
    return [
        (site.root / "demo" / "made" / name, target, [int(tile) for tile in tiles.split()])
        for target, tiles, name in found
    ]
