"""What the tests in a browser share: the browser, what a page of the blog says against itself, keys and waiting."""

import shutil
from contextlib import contextmanager

from playwright.sync_api import TimeoutError, sync_playwright
from site_kit import needed

# Serious barriers to access on a page, by axe-core; and what is wider than the window.
AXE = """async rules => (await axe.run(document, {resultTypes: ["violations"], ...rules})).violations
  .filter(found => ["serious", "critical"].includes(found.impact))
  .flatMap(found => found.nodes.slice(0, 3).map(node => `${found.id}: ${node.target.flat().join(" ")}`))"""
TOO_WIDE = """() => {
  const page = document.scrollingElement, edge = innerWidth;
  const clips = element => ["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(element).overflowX);
  const boxed = element => element && element !== document.body && (clips(element) || boxed(element.parentElement));
  if (page.scrollWidth <= edge) return [];
  const sticksOut = element => element.getBoundingClientRect().right > edge + 1 && !boxed(element.parentElement);
  const wide = [...document.body.querySelectorAll("*")].filter(sticksOut).slice(0, 3);
  const told = element => `${element.tagName}.${element.className} ${element.textContent.trim().slice(0, 40)}`;
  return [`${page.scrollWidth} px`, ...wide.map(told)];
}"""
LEFT = "net::ERR_ABORTED"  # what was still loading when the reader went on to another page


@contextmanager
def chromium():
    """Debian's Chromium, or else Playwright's own, which finds no host but this machine."""
    with sync_playwright() as playwright:
        path = needed(shutil.which("chromium") or playwright.chromium.executable_path, "Chromium", "browser")
        quiet = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        ]
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


def watch(page, address):
    """A list that fills with what goes wrong on a page: its console, requests that fail or go to another host."""
    found = []
    page.on(
        "console", lambda message: message.type in {"error", "warning"} and found.append(f"console: {message.text}")
    )
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on(
        "requestfailed",
        lambda request: request.failure == LEFT or found.append(f"failed: {request.url} {request.failure}"),
    )
    page.on(
        "response",
        lambda response: response.status >= 400 and found.append(f"status {response.status}: {response.url}"),
    )
    page.on(
        "request",
        lambda request: (
            request.url.startswith((f"{address}/", "data:", "blob:")) or found.append(f"another host: {request.url}")
        ),
    )
    return found


def tab_to(page, selector, most=60):
    """Presses Tab until the focus is on what `selector` names."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(
        f"{most} times Tab do not lead to {selector}, but to {page.evaluate('document.activeElement.outerHTML')[:200]}"
    )


def wait(page, condition, argument=None, why=""):
    try:
        page.wait_for_function(condition, arg=argument, timeout=30_000)
    except TimeoutError:
        raise AssertionError(why or condition) from None
