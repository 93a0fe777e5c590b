"""What a reader does on the built blog, in a real browser, and with the keyboard where there may be nothing else."""

import re

import pytest
from browser_kit import tab_to, wait
from site_posts import CODES

RICH = "/2031/02/03/98b_rich.html"
SHOWN = "/2031/02/07/99c_shown.html"
GROUND = """() => [document.body, document.documentElement].map(element => getComputedStyle(element).backgroundColor)
  .find(colour => colour !== "rgba(0, 0, 0, 0)") || "rgb(255, 255, 255)\""""
# What the page's theme was when its body began, which is before anything was painted.
EARLY_THEME = """new MutationObserver((_, observer) => {
  if (document.body) { window.earlyTheme = document.documentElement.dataset.theme || "system"; observer.disconnect(); }
}).observe(document, {childList: true, subtree: true});"""

NO_STORAGE = (
    "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('denied', 'SecurityError'); }})"
)


def brightness(colour):
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3


def theme(page):
    """(the switch's name, the page's attribute, whether its ground is dark)."""
    return (
        page.get_by_role("button", name="Theme: ").get_attribute("aria-label")
        or page.locator("#site-theme").inner_text().strip(),
        page.evaluate("document.documentElement.dataset.theme || 'system'"),
        brightness(page.evaluate(GROUND)) < 128,
    )


def test_theme_switch(visit):
    page = visit("/", color_scheme="dark")
    page.context.add_init_script(EARLY_THEME)
    assert theme(page) == ("Theme: system", "system", True)
    page.emulate_media(color_scheme="light")
    assert theme(page) == ("Theme: system", "system", False)
    tab_to(page, "#site-theme")
    for name, dark in (("light", False), ("dark", True), ("system", False), ("light", False), ("dark", True)):
        page.keyboard.press("Enter" if dark else "Space")
        assert theme(page) == (f"Theme: {name}", name, dark)
    page.reload()
    assert theme(page) == ("Theme: dark", "dark", True) and page.evaluate("earlyTheme") == "dark"
    page.locator("a.card-link").first.click()
    page.wait_for_load_state()
    assert theme(page) == ("Theme: dark", "dark", True) and page.evaluate("earlyTheme") == "dark"
    page.emulate_media(media="print", color_scheme="dark")
    assert brightness(page.evaluate("getComputedStyle(document.querySelector('h1')).color")) < 128, (
        "light letters on white paper"
    )


def test_theme_switch_without_storage(visit):
    page = visit("/about/")
    page.context.add_init_script(NO_STORAGE)
    page.reload()
    tab_to(page, "#site-theme")
    page.keyboard.press("Enter")
    assert theme(page) == ("Theme: light", "light", False)


def test_copy_buttons(visit):
    page = visit(RICH, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("document.querySelectorAll('details.fold').forEach(fold => fold.open = true)")
    buttons = page.locator("button.copy")
    assert buttons.count() == page.locator("pre.highlight").count() > len(CODES)
    assert [
        name
        for name in buttons.evaluate_all("all => all.map(button => button.type + button.textContent)")
        if name != "buttonCopy"
    ] == []
    page.locator("#Code a.anchor").focus()
    for number, code in enumerate(CODES):
        tab_to(page, "button.copy", most=6)
        button = buttons.nth(number)
        assert button.evaluate("button => button === document.activeElement")
        wait(
            page,
            "button => getComputedStyle(button).opacity === '1'",
            button.element_handle(),
            "a button with the focus on it is not seen",
        )
        page.keyboard.press("Enter")
        wait(
            page,
            "button => button.textContent === 'Copied'",
            button.element_handle(),
            "the button does not say that it has copied",
        )
        if number == 0:
            heard = page.locator("[role=status], [role=alert], [aria-live]").evaluate_all(
                "all => all.filter(one => one.textContent.includes('Copied')).length"
            )
            assert heard == 1, "screen readers are not told once"
        assert page.evaluate("navigator.clipboard.readText()") == code
    again = "() => [...document.querySelectorAll('button.copy')].every(button => button.textContent === 'Copy')"
    wait(page, again, why="a button says for ever that it has copied")


def test_copy_buttons_show_on_touch_screens(visit):
    page = visit(RICH, has_touch=True, is_mobile=True, viewport={"width": 400, "height": 800})
    assert page.locator("button.copy").first.evaluate("button => getComputedStyle(button).opacity") == "1"


def test_folded_code(visit):
    page = visit(RICH)
    folds = page.locator(".post-content details.fold")
    found = folds.evaluate_all("all => all.map(fold => [fold.open, fold.querySelector('summary').textContent])")
    assert found == [[False, "Code"], [True, "Code"], [False, "Output"]]
    page.locator("#Code a.anchor").focus()
    tab_to(page, "details.fold > summary", most=20)
    for key, shown in (("Enter", True), ("Space", False), ("Enter", True)):
        page.keyboard.press(key)
        assert folds.first.locator("pre").is_visible() == shown
    assert not page.get_by_text("behind the fold").is_visible()


def test_contents_follow_the_reader(visit):
    page = visit(RICH)
    contents = page.locator("nav.contents")
    links = contents.locator("a[href^='#']")
    assert contents.get_attribute("aria-label") == "Contents" and links.count() > 35
    assert links.first.is_visible() and not contents.locator("details").evaluate("fold => !fold.open")
    tab_to(page, "nav.contents a[href='#Formulas']")
    page.keyboard.press("Enter")
    top = "document.getElementById('Formulas').getBoundingClientRect().top"
    there = f"() => location.hash === '#Formulas' && Math.abs({top} - 60) <= 60"
    wait(page, there, why="the link does not lead to its heading")
    marked = "[...document.querySelectorAll('nav.contents [aria-current=true]')]"
    current = f"anchor => {marked}.map(link => link.hash).join() === '#' + anchor"
    wait(page, current, "Formulas", "the contents do not mark the section that was gone to")
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('Formulas').compareDocumentPosition(document.activeElement) & 20"), (
        "the focus stayed in the contents"
    )
    for section in ("Section-5", "Below-section-15", "Section-30", "Callouts-and-previews"):
        page.evaluate(
            "id => scrollBy({top: document.getElementById(id).getBoundingClientRect().top - 60, behavior: 'instant'})",
            section,
        )
        wait(page, current, section, f"the contents do not follow to {section}")
        box = contents.locator("[aria-current=true]").bounding_box()
        assert box["x"] + box["width"] < 500 and 0 <= box["y"] <= 900 - box["height"], (
            f"the link of {section} is out of sight: {box}"
        )


def test_contents_are_folded_on_a_phone(visit):
    page = visit(RICH, viewport={"width": 360, "height": 740})
    assert not page.locator("nav.contents a").first.is_visible()
    tab_to(page, "nav.contents summary")
    page.keyboard.press("Enter")
    assert page.locator("nav.contents a").first.is_visible()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_the_first_screen_of_home_shows_the_result_and_leads_to_the_demo(visit, width, height):
    page = visit("/", viewport={"width": width, "height": height})
    figure, button = page.locator(".result svg:visible"), page.locator(".hero a.button").first
    assert figure.count() == 1 and len(figure.get_attribute("aria-label")) > 200
    for part in (figure, button):
        box = part.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= height and box["x"] + box["width"] <= width
    sizes = figure.locator("text").evaluate_all(
        "all => all.map(text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"
    )
    assert min(sizes) >= 11
    edges = figure.locator("text").evaluate_all("all => all.map(text => text.getBoundingClientRect().right)")
    assert max(edges) <= figure.bounding_box()["x"] + figure.bounding_box()["width"] + 1, "a word is cut off"
    tab_to(page, ".hero a.button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/demo/")


@pytest.mark.parametrize("width", [600, 900, 1400])
def test_no_name_of_a_bar_runs_into_it(visit, width):
    page = visit("/", viewport={"width": width, "height": 900})
    names = page.locator(".result svg.wide text:not(.heading):not(.number)")
    edges = names.evaluate_all("all => all.map(text => text.getBoundingClientRect().right)")
    start = page.locator(".result svg.wide .track").first.bounding_box()["x"]
    assert len(edges) == 8 and max(edges) < start


def marked(page):
    """The titles that the menu of the series marks as visited."""
    marks = page.locator(".series-menu a.visited")
    return [text.removesuffix(" (visited)") for text in marks.evaluate_all("all => all.map(a => a.textContent)")]


def test_the_menu_of_the_series_marks_what_was_visited(visit):
    page = visit(RICH)
    assert page.locator(".series-menu li").first.is_visible() and marked(page) == ["All that a post can hold"]
    steps = page.locator(".series-steps a")
    assert steps.evaluate_all("all => all.map(step => step.rel)") == ["prev"], "the last part that is shown"
    tab_to(page, ".series-steps a[rel=prev]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/98_ours.html")
    assert len(marked(page)) == 2 and page.locator(".series-menu a[aria-current=page]").inner_text().startswith("Ours")
    assert page.locator(".series-count").inner_text().startswith("2 of ")


def test_the_menu_of_the_series_works_without_storage(visit):
    page = visit("/about/")
    page.context.add_init_script(NO_STORAGE)
    page.goto(page.url.replace("/about/", RICH))
    assert page.locator(".series-menu li a").first.is_visible() and marked(page) == []


def test_the_menu_of_the_series_is_folded_on_a_phone(visit):
    page = visit(RICH, viewport={"width": 360, "height": 740})
    assert not page.locator(".series-menu li").first.is_visible()
    assert page.locator(".series-menu .bar").is_visible() and page.locator(".series-steps a").is_visible()
    tab_to(page, ".series-menu summary")
    page.keyboard.press("Enter")
    assert page.locator(".series-menu li").first.is_visible()


def test_skip_link(visit):
    page = visit(RICH)
    page.keyboard.press("Tab")
    box = page.locator("a.skip").bounding_box()
    assert page.evaluate("document.activeElement.matches('a.skip')") and box["x"] >= 0 and box["y"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_side_notes(visit):
    page = visit(RICH)
    notes, references, text = (
        page.locator(".sidenote"),
        page.locator("a.fnref"),
        page.locator("h2#Side-notes").bounding_box(),
    )
    assert not page.locator("section.footnotes").is_visible()
    boxes = [notes.nth(number).bounding_box() for number in range(2)]
    for number, box in enumerate(boxes):
        assert box["x"] >= text["x"] + text["width"] and box["x"] + box["width"] <= 1400, (
            f"a note is not in the margin: {box}, text {text}"
        )
        assert abs(box["y"] - references.nth(number).bounding_box()["y"]) < 160, "a note is far from its line"
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"], "two notes lie on each other"
    page.set_viewport_size({"width": 700, "height": 900})
    assert page.locator("section.footnotes").is_visible() and not notes.first.is_visible()
    references.first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#fn-1"
    page.locator("#fn-1 a.fnback").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#fnref-1"


def test_print(visit):
    page = visit(RICH)
    page.emulate_media(media="print")
    for selector in ("body > header", "nav.contents", "#site-theme", "button.copy"):
        assert page.locator(selector).count() and not page.locator(selector).first.is_visible(), (
            f"{selector} is printed"
        )
    assert page.locator("article.post h1").is_visible()
    folded = page.locator(".cell details.fold:not([open])")
    assert folded.count() and not folded.first.is_visible()


def test_solutions_are_printed_open_and_links_with_their_addresses(visit):
    page = visit(SHOWN)
    solution = page.get_by_text("Nine, of course.")
    assert not solution.is_visible()
    page.emulate_media(media="print")
    assert solution.is_visible()
    told = "getComputedStyle(document.querySelector('.prose a[href=\"https://example.com/way\"]'), '::after').content"
    assert "https://example.com/way" in page.evaluate(told)


def test_a_citation_shows_its_work_to_pointers_and_keys(visit):
    page = visit(SHOWN)
    link, work = page.locator("a.cite").first, page.locator(".cited-work").first
    assert link.inner_text() == "Cole et al. 2021" and not work.is_visible()
    link.hover()
    assert work.is_visible() and "Multi-Label Learning" in work.inner_text()
    work.hover()
    assert work.is_visible(), "it goes before the pointer gets there"
    page.mouse.move(0, 0)
    assert not work.is_visible()
    link.focus()
    assert work.is_visible() and link.get_attribute("aria-describedby") == work.get_attribute("id")
    page.keyboard.press("Escape")
    assert not work.is_visible()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#ref-cole2021"
    page.locator("#ref-cole2021 a.fnback").click()
    assert page.evaluate("location.hash") == "#cite-cole2021-1"


def test_a_citation_fits_on_a_phone(visit):
    page = visit(SHOWN, viewport={"width": 360, "height": 640})
    page.locator("a.cite").first.hover()
    box = page.locator(".cited-work").first.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360


def test_a_post_can_be_cited(visit):
    page = visit(SHOWN)
    page.locator("details.cite > summary").click()
    assert page.locator("details.cite code").inner_text().startswith("@misc{")
    assert page.locator("details.cite button.copy").is_visible()
    assert page.locator("details.cite a[href$='/CITATION.cff']").count() == 1
