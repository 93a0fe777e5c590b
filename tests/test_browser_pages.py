"""Every page of the built blog, visited once in a browser: what it loads and says, weight, speed, access, width."""

from dataclasses import dataclass

import pytest
from browser_kit import AXE, TOO_WIDE, watch
from site_kit import MODULES, needed

HOME_BYTES, POST_BYTES = 300_000, 1_500_000
PAINT_MS, MOST_SHIFT = 1500, 0.05
READY = """async () => {
  await document.fonts.ready;
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
SCROLL = """async () => {
  const seen = 0.8 * innerHeight, frame = () => new Promise(done => requestAnimationFrame(done));
  for (let y = 0; y < document.documentElement.scrollHeight; y += seen) {
    scrollTo({top: y, behavior: "instant"});
    await frame();
    await frame();
  }
}"""
PICTURES = """async () => {
  document.querySelectorAll("main details").forEach(fold => fold.open = true);
  const shown = [...document.images].filter(image => image.getClientRects().length);
  for (const image of shown) {
    image.scrollIntoView({behavior: "instant"});
    const late = new Promise(done => setTimeout(done, 5000));
    if (!image.complete) await Promise.race([image.decode().catch(() => 0), late]);
  }
  return shown.filter(image => !image.naturalWidth).map(image => image.currentSrc || image.src);
}"""
# When the largest thing was painted, in ms; and the sum of all layout shifts, no less than the window of them that
# browsers report.
PAINT = """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries().at(-1).startTime))
  .observe({type: "largest-contentful-paint", buffered: true}))"""
SHIFT = """() => new Promise(done => {
  let sum = 0;
  const add = list => list.forEach(entry => sum += entry.hadRecentInput ? 0 : entry.value);
  const observer = new PerformanceObserver(list => add(list.getEntries()));
  observer.observe({type: "layout-shift", buffered: true});
  setTimeout(() => { add(observer.takeRecords()); done(sum); }, 50);
})"""


# Of spans in code, outputs and formulas, one of each kind: thousands have the same classes all the way up, and so the
# same colours. The text stays.
THIN = """() => {
  const seen = new Set(), name = element => `${element.tagName}.${element.className}`;
  const way = element => element.matches("main") ? "" : `${way(element.parentElement)} ${name(element)}`;
  for (const span of [...document.querySelectorAll("main pre span, main .katex-html span")].reverse()) {
    const kind = span.childElementCount ? null : way(span);
    if (seen.has(kind)) span.replaceWith(...span.childNodes);
    else if (kind) seen.add(kind);
  }
}"""
DESKTOP, PHONE = {"width": 1400, "height": 900}, {"width": 360, "height": 740}


@dataclass
class Visit:
    complaints: list  # of the console, and about requests
    broken: list  # pictures that do not show
    bytes: int  # over the wire, all pictures included
    paint: float
    shift: float
    barriers: list  # what axe calls serious or critical, in either theme
    wide: list  # what makes the page scroll sideways on a phone


def barriers_of(page, axe):
    """Of a page on a phone's screen, which it leaves on a desktop's."""
    page.evaluate(axe)
    page.evaluate(THIN)
    found = [
        f"phone: {barrier}" for barrier in page.evaluate(AXE, {"rules": {"color-contrast": {"enabled": False}}})
    ]  # the slow one, seen below
    page.set_viewport_size(DESKTOP)
    found += [f"light: {barrier}" for barrier in page.evaluate(AXE, {})]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")  # the themes differ in nothing but colours
    return found + [
        f"dark: {barrier}" for barrier in page.evaluate(AXE, {"runOnly": ["color-contrast", "link-in-text-block"]})
    ]


class Reader:
    """One tab in which a page is looked at after the other, each with nothing of the site in the browser's cache."""

    def __init__(self, browser, origin, axe):
        self.origin, self.axe = origin, axe
        context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
        context.add_init_script("Object.defineProperty(Navigator.prototype, 'serviceWorker', {value: undefined})")
        self.page, self.received = context.new_page(), []
        self.complaints, self.wire = watch(self.page, origin), context.new_cdp_session(self.page)
        self.wire.send("Network.enable")
        self.wire.on("Network.loadingFinished", lambda event: self.received.append(event["encodedDataLength"]))

    def look_at(self, path):
        page = self.page
        page.goto("about:blank")
        self.wire.send("Network.clearBrowserCache")
        self.complaints.clear()
        self.received.clear()
        page.set_viewport_size(DESKTOP)
        page.goto(self.origin + path)
        page.evaluate(READY)
        paint = page.evaluate(PAINT)  # before the scrolling, which would bring new largest things
        page.evaluate(SCROLL)
        shift = page.evaluate(SHIFT)
        broken = page.evaluate(PICTURES)
        page.set_viewport_size(PHONE)
        wide = page.evaluate(TOO_WIDE)
        barriers = barriers_of(page, self.axe)
        return Visit([*self.complaints], broken, round(sum(self.received)), paint, shift, barriers, wide)


@pytest.fixture(scope="module")
def visits(browser, site, address):
    """{name of a page: its Visit}."""
    with open(needed(MODULES / "axe-core" / "axe.min.js", "axe-core", "site"), encoding="utf-8") as file:
        reader = Reader(browser, address, file.read())
    visits = {name: reader.look_at(site.path_of(name)) for name in site.pages}
    reader.page.context.close()
    return visits


def told(visits, about):
    return "\n".join(f"{name}: {line}" for name, visit in visits.items() for line in about(visit))


def test_pages_load_without_a_complaint(visits):
    complaints = told(visits, lambda visit: visit.complaints + [f"does not show {picture}" for picture in visit.broken])
    assert not complaints, complaints


def test_pages_are_open_to_everyone(visits):
    barriers = told(visits, lambda visit: visit.barriers)
    assert not barriers, barriers


def test_no_page_scrolls_sideways_on_a_phone(visits):
    wide = told(visits, lambda visit: [", ".join(visit.wide)] if visit.wide else [])
    assert not wide, wide


def posts_of(site):
    return {site.name_of(post["permalink"]) for post in site.documents}


def test_pages_are_light(visits, site):
    limits = dict.fromkeys(posts_of(site), POST_BYTES) | {"index.html": HOME_BYTES}
    heavy = [
        f"{name}: {visits[name].bytes / 1000:.0f} kB, over {limit / 1000:.0f}"
        for name, limit in limits.items()
        if visits[name].bytes > limit
    ]
    assert not heavy, "\n".join(heavy)


def test_pages_are_there_at_once_and_stay_still(visits, site):
    late = []
    for name in sorted(posts_of(site) | {"index.html"}):
        visit = visits[name]
        if visit.paint > PAINT_MS or visit.shift > MOST_SHIFT:
            late.append(f"{name}: largest paint after {visit.paint:.0f} ms, layout shifts by {visit.shift:.3f}")
    assert not late, "\n".join(late)


def test_style_and_scripts_are_small(site):
    sizes = {
        path.relative_to(site.root).as_posix(): path.stat().st_size
        for suffix in ("css", "js")
        for path in (site.root / "assets").glob(f"**/*.{suffix}")
    }
    own = {name: size for name, size in sizes.items() if "katex" not in name}
    assert own and sum(own.values()) < 55_000, own


@pytest.mark.parametrize(("scripts", "place"), [(True, "#What-we-learnt"), (False, "")])
def test_an_old_address_leads_on(visit, site, address, scripts, place):
    """To the place on the page that was asked for; without scripts to the page."""
    page = visit("/2026/11/20/00b_pictures.html#What-we-learnt", java_script_enabled=scripts)
    page.wait_for_url(f"{address}{site.base}/toolkit/pictures.html{place}")
    assert page.locator("h1").inner_text() == "Opening pictures"
