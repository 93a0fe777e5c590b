"""The demo page in a real browser, by mouse and by keyboard: bad input, access, without a network, and nothing sent anywhere."""
import json
import re

from browser_kit import tab_to, wait
from demo_kit import HAND, answered, base, opened, page, png, samples, text  # noqa: F401 (fixtures)
from PIL import Image
from site_kit import MODULES, needed
from test_browser_pages import AXE, TOO_WIDE

MOST_SCRIPT = 45_000  # bytes of our own scripts, as they are written


def test_by_mouse(page, samples, tmp_path):
    path, _, _ = samples[0]
    for act in (lambda: page.set_input_files("#demo-file", path), lambda: page.set_input_files("#demo-photo", path),
                lambda: page.evaluate(HAND, ["drop", "a.jpg", text(path.read_bytes())]), lambda: page.evaluate(HAND, ["paste", "a.jpg", text(path.read_bytes())])):
        answered(page, page.locator(".demo-sample").nth(1).click)
        page.select_option("#demo-target", "Crosswalk")
        before = page.inner_text("#demo-answer")
        assert answered(page, act) != before and page.inner_text("#demo-labels") == ""
        assert page.locator("#demo-tiles li").count() == 9
    page.locator("#demo-tiles li").nth(8).click()
    wait(page, "() => document.querySelector('#demo-tiles li:nth-child(9) canvas')", why="the tile is not looked into")
    high, low = re.search(r"Tile 9: .*? falls to ([\d.]+) from ([\d.]+)", page.inner_text("#demo-look")).group(2, 1)
    assert float(high) > float(low)
    assert answered(page, lambda: page.check("input[name=demo-grid][value='1']")) == page.inner_text("#demo-answer")
    assert page.locator("#demo-tiles li").count() == 1
    answered(page, lambda: page.check("input[name=demo-grid][value='auto']"))


def test_by_keyboard(page, samples):
    page.locator("a.skip").focus()
    tab_to(page, "#demo-file")
    tab_to(page, ".demo-sample")
    page.keyboard.press("Tab")
    _, target, _ = samples[1]
    answered(page, lambda: page.keyboard.press("Enter"))
    assert page.input_value("#demo-target") == target
    chosen = lambda: page.locator("#demo-tiles .said").count()
    data = json.loads(page.text_content("#demo-data"))
    own, at_first = data["thresholds"][data["classes"].index(target)], chosen()
    tab_to(page, "#demo-threshold")
    assert page.inner_text("#demo-threshold-value") == f"{own:.2f} (the network’s own)" and page.locator("#demo-reset").is_disabled()
    page.keyboard.press("End")
    assert chosen() == 0 and page.inner_text("#demo-answer") == "No tile shows a traffic light."
    page.keyboard.press("Home")
    assert chosen() == 9 and page.inner_text("#demo-threshold-value") == f"0.00 (the network’s own is {own:.2f})"
    tab_to(page, "#demo-reset")
    page.keyboard.press("Enter")
    assert chosen() == at_first and page.evaluate("document.activeElement.id") == "demo-threshold"
    tab_to(page, "input[name=demo-grid]")
    answered(page, lambda: page.keyboard.press("ArrowRight"))
    assert page.evaluate("document.activeElement.value") == "3"
    answered(page, lambda: page.keyboard.press("ArrowLeft"))
    page.locator("a.skip").focus()
    tab_to(page, "#demo-tiles button")
    page.keyboard.press("Enter")
    wait(page, "() => document.querySelector('#demo-tiles li canvas')", why="Enter on a tile shows nothing")
    name = page.evaluate("document.activeElement.querySelector('.unseen').textContent")
    assert re.fullmatch(r"Tile 1: probability \d\.\d\d, (not )?chosen", name)
    tab_to(page, "#demo-target")
    page.keyboard.press("Home")
    assert page.inner_text("#demo-answer").endswith("a bicycle.")


def test_bad_input_is_one_line_and_the_answer_stays(page):
    answered(page, page.locator(".demo-sample").nth(0).click)
    before, error = page.inner_text("#demo-answer"), page.locator("#demo-error[role=alert]")
    assert page.locator("#demo-answer").locator("xpath=..").get_attribute("aria-live") == "polite"
    flat = png(Image.new("RGB", (300, 200), "teal"))
    frames = [Image.new("RGB", (300, 300), colour) for colour in ("red", "blue")]
    bad = {"text.png": (b"not a picture at all", "not a picture"), "cut.png": (flat[:60], "not a picture"), "empty.jpg": (b"", "0 bytes"),
           "huge.png": (png(Image.new("1", (20_000, 20_000))), "20000 × 20000 pixels"), "moving.gif": (png(frames[0], "GIF", save_all=True, append_images=frames[1:]), "animated (2 frames)"), "flat.png": (flat, "No grid of 3×3 or 4×4")}
    for name, (content, words) in bad.items():
        page.set_input_files("#demo-file", [{"name": name, "mimeType": f"image/{name[-3:]}", "buffer": content}])
        wait(page, "words => document.querySelector('#demo-error').textContent.includes(words)", words, f"{name}: not told")
        assert page.inner_text("#demo-answer") == before and page.locator("#demo-tiles li").count() == 9, name
    page.check("input[name=demo-grid][value='4']")
    wait(page, "() => document.querySelector('#demo-error').textContent.includes('No grid of 4×4')", why="the choice is not told")
    answered(page, page.locator(".demo-sample").nth(0).click)
    assert error.inner_text() == "" and page.is_checked("input[name=demo-grid][value='auto']")


def test_open_to_everyone(page):
    with open(needed(MODULES / "axe-core" / "axe.min.js", "axe-core", "site"), encoding="utf-8") as file:
        page.evaluate(file.read())
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        page.wait_for_timeout(300)  # tiles fade
        assert page.evaluate(AXE, {}) == [], theme
    page.set_viewport_size({"width": 360, "height": 740})
    for number in range(page.locator(".demo-sample").count()):
        answered(page, page.locator(".demo-sample").nth(number).click)
        assert page.evaluate(TOO_WIDE) == []
        sides = page.locator("#demo-tiles li").evaluate_all("all => all.map(item => item.getBoundingClientRect().width)")
        assert min(sides) > 60, f"tiles of {min(sides):.0f} pixels can't be read"
    page.set_viewport_size({"width": 1280, "height": 900})


def test_works_offline_with_threads_and_takes_updates(visit, site):
    page = opened(visit("/demo/"))
    wait(page, "() => document.querySelector('#demo-kept').textContent", why="nothing is kept")
    page.context.set_offline(True)
    page.reload()
    answered(opened(page), page.locator(".demo-sample").nth(2).click)
    assert page.locator("#demo-tiles li").count() == 16
    assert page.evaluate("crossOriginIsolated") and int(page.locator("#demo-stage").get_attribute("data-ready")) > 1
    page.context.set_offline(False)
    script = site.root / "demo" / "page.js"
    old = script.read_bytes()
    try:
        script.write_bytes(old + b"document.title = 'a new version';\n")
        page.reload()
        wait(page, "() => document.title === 'a new version'", why="an update does not come through")
    finally:
        script.write_bytes(old)


def test_nothing_leaves_the_browser(browser, base):
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    page.goto(base)
    refused = page.evaluate("""async () => {
      const told = new Promise(done => addEventListener("securitypolicyviolation", event => done(event.violatedDirective)));
      const failed = await fetch("http://localhost:9/picture").then(() => false, () => true);
      return [failed, await Promise.race([told, new Promise(done => setTimeout(done, 2000, "not refused"))])];
    }""")
    context.close()
    assert refused == [True, "connect-src"]


def test_says_what_it_is(site, browser, base):
    words = " ".join(site.pages["demo/index.html"].text.split())
    for said in ("never a live reCAPTCHA", "sends nothing anywhere", "not to get past a reCAPTCHA", "Brian, MIT"):
        assert said in words
    links = [link.get("href") for link in site.pages["demo/index.html"].all("a")]
    assert "https://github.com/brian-the-dev/recaptcha-dataset" in links and site.base + site.posts["08_results.ipynb"]["permalink"] in links
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base)
    assert "needs JavaScript" in page.inner_text("noscript")
    context.close()


def test_scripts_are_small(site):
    own = {path.name: path.stat().st_size for path in (site.root / "demo").glob("*.js")}
    assert "grid.js" in own and sum(own.values()) < MOST_SCRIPT, own
    assert {path.suffix for path in (site.root / "demo" / "made").iterdir()} == {".js", ".mjs", ".wasm", ".onnx", ".png", ".jpg"}
