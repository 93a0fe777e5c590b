"""What the tests of the demo page share: one page in a browser, pictures to hand it, and waiting for its answers."""

import base64
import io

from browser_kit import wait

FILE = "const file = new File([Uint8Array.from(atob(content), letter => letter.charCodeAt(0))], name);"
HAND = """([kind, name, content]) => {
  %s
  const transfer = new DataTransfer();
  transfer.items.add(file);
  const how = {bubbles: true, cancelable: true};
  document.body.dispatchEvent(kind === "drop" ? new DragEvent("drop", {dataTransfer: transfer, ...how})
                                              : new ClipboardEvent("paste", {clipboardData: transfer, ...how}));
}""".replace("%s", FILE)
OPEN = """async ([name, content]) => {
  %s
  const {openPicture} = await import(document.querySelector("link[rel=modulepreload][href*='/picture.mjs']").href);
  const {width, height, data} = await openPicture(file);
  return {width, height, data: [...data]};
}""".replace("%s", FILE)


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
