"""What the tests of the demo page share: one page in a browser, pictures to hand it, and waiting for its answers."""
import base64
import io
import re

import pytest
from browser_kit import wait, watch

FILE = "const file = new File([Uint8Array.from(atob(content), letter => letter.charCodeAt(0))], name);"
HAND = """([kind, name, content]) => {
  %s
  const transfer = new DataTransfer();
  transfer.items.add(file);
  document.body.dispatchEvent(kind === "drop" ? new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true})
                                              : new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true, cancelable: true}));
}""" % FILE
OPEN = """async ([base, name, content, choice]) => {
  %s
  const {openPicture} = await import(base + "picture.js"), {boxesOf, locate} = await import(base + "challenge.js");
  const picture = await openPicture(file);
  if (!choice) return {width: picture.width, height: picture.height, data: [...picture.data]};
  try { return boxesOf(locate(picture, choice), picture); } catch (error) { return error.word; }
}""" % FILE


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
def page(browser, site, address):
    """One page for the tests that leave nothing behind, in a browser without service workers; it may not complain in the course of any of them."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'serviceWorker', {value: undefined})")
    page.set_default_timeout(20_000)
    complaints = watch(page, address)
    page.goto(address + site.base + "/demo/")
    yield opened(page)
    page.context.close()
    assert not complaints


@pytest.fixture(scope="module")
def base(site, address):
    return f"{address}{site.base}/demo/"


@pytest.fixture(scope="module")
def samples(site):
    """(file, target, the right tiles) of each sample, as the page has them."""
    found = re.findall(r'data-target="([^"]+)" data-tiles="([^"]+)"><img src="[^"]*/demo/made/([^"]+)"', site.pages["demo/index.html"].html)
    assert 4 <= len(found) <= 6
    return [(site.root / "demo" / "made" / name, target, [int(tile) for tile in tiles.split()]) for target, tiles, name in found]
