"""Figures, tables and code as readers meet them: in both themes, on a phone, by keyboard, large, without scripts."""

import pytest
from browser_kit import tab_to, wait

PAGE = "/2031/02/07/99c_shown.html"
RICH = "/2031/02/03/98b_rich.html"
PHONE = {"viewport": {"width": 360, "height": 740}}
SHOWN = "images => images.filter(image => image.offsetParent).map(image => image.className.split(' ').at(-1))"
GONE = "() => !document.querySelector('dialog')"  # the browser says a moment later that a dialog was closed


def drawings(page):
    return page.locator(".figure img[class]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_drawing_is_shown_once_in_the_theme_s_colours(visit, scheme):
    page = visit(PAGE, color_scheme=scheme)
    assert drawings(page).evaluate_all(SHOWN) == [f"on-{scheme}"]
    page.evaluate("document.documentElement.dataset.theme = document.documentElement.dataset.theme || 'light'")
    assert drawings(page).evaluate_all(SHOWN) == ["on-light"]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert drawings(page).evaluate_all(SHOWN) == ["on-dark"]
    page.emulate_media(media="print")
    assert drawings(page).evaluate_all(SHOWN) == ["on-light"]


def test_a_drawing_has_no_plate(visit):
    page = visit(PAGE, color_scheme="dark")
    ground = page.locator(".figure .on-dark").evaluate("image => getComputedStyle(image).backgroundColor")
    assert ground == "rgba(0, 0, 0, 0)"


def test_text_of_a_figure_can_be_read_on_a_phone(visit):
    """Of a figure 768 pixels wide with text of 14.67; it scrolls in its own box, by keyboard too."""
    page = visit(PAGE, **PHONE)
    image = page.locator(".figure .on-light")
    assert image.bounding_box()["width"] / 768 * 14.67 >= 11
    box = page.locator(".pan:has(.on-light)")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth && box.clientWidth <= 320")
    assert page.evaluate("document.scrollingElement.scrollWidth") == 360
    tab_to(page, ".enlarge:has(.on-light)")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(200)
    assert box.evaluate("box => box.scrollLeft") > 60


@pytest.mark.parametrize("key", ["Enter", "click"])
def test_a_figure_is_enlarged_and_put_back(visit, key):
    page = visit(PAGE, **PHONE)
    tab_to(page, ".enlarge:has(.on-light)")
    page.keyboard.press(key) if key == "Enter" else page.locator(".enlarge:has(.on-light)").click()
    large = page.locator("dialog.enlarged img")
    assert large.bounding_box()["width"] >= 768 and large.get_attribute("alt") == "Two lines of ink"
    assert page.evaluate("document.activeElement.textContent") == "Close"
    page.keyboard.press("Escape")
    wait(page, GONE)
    assert page.evaluate("document.activeElement.matches('.enlarge:has(.on-light)')")


def test_an_enlarged_figure_shows_the_theme_s_drawing(visit):
    page = visit(PAGE, color_scheme="dark", viewport={"width": 1280, "height": 800})
    page.locator(".enlarge:has(.on-light)").click()
    large = page.locator("dialog.enlarged img")
    assert large.get_attribute("src").endswith("-on-dark.svg") and 960 <= large.bounding_box()["width"] <= 1240
    page.locator("dialog.enlarged button").click()
    wait(page, GONE)


def test_without_scripts_the_link_opens_the_picture(visit, address):
    page = visit(PAGE, java_script_enabled=False)
    link = page.locator(".enlarge:has(.on-light)")
    picture = page.request.get(address + link.get_attribute("href"))
    assert picture.ok and picture.headers["content-type"] == "image/svg+xml" and link.is_visible()


def test_a_reference_leads_to_its_figure(visit):
    page = visit(PAGE)
    page.get_by_role("link", name="Figure 2").click()
    assert page.locator(":target figcaption").inner_text() == "Figure 2. A drawing."
    page.get_by_role("link", name="Table 1").click()
    assert page.locator(":target caption").inner_text() == "Table 1. A wide table."


def test_a_wide_table_says_that_it_scrolls(visit):
    """By a shadow at its edge; its caption stays in sight."""
    page = visit(PAGE, **PHONE)
    box = page.locator(".scroll", has_text="A wide table.")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    assert box.evaluate("box => getComputedStyle(box).backgroundAttachment") == "local, local, scroll, scroll"
    box.evaluate("box => { box.scrollLeft = 400; }")
    caption = page.locator("caption > span").first.bounding_box()
    assert 0 <= caption["x"] and caption["x"] + caption["width"] <= 360


def test_a_narrow_table_has_a_wide_caption(visit):
    box = visit(PAGE).locator(".scroll", has_text="A wide table.")
    table, caption = box.evaluate(
        """box => {
          box.querySelectorAll("tr > :nth-child(n + 3)").forEach(cell => cell.remove());
          box.querySelector("caption > span").textContent = "More is to be said. ".repeat(9);
          return ["table", "caption > span"].map(name => box.querySelector(name).offsetWidth);
        }"""
    )
    assert table < 300 and caption > 600


def test_text_in_a_table_is_not_squeezed_on_a_phone(visit):
    box = visit(PAGE, **PHONE).locator(".scroll", has_text="A wide table.")
    widths = box.evaluate(
        """box => [...box.querySelectorAll("tbody td")].map(cell => {
          cell.textContent = "a sentence that takes several lines in a table";
          return cell;
        }).map(cell => cell.offsetWidth)"""
    )
    assert min(widths) > 150


def test_a_lesson_s_code_of_the_module_is_folded(visit):
    page = visit(PAGE)
    fold = page.locator("details.fold:not(.cite)")
    assert fold.locator("summary").inner_text() == "Code of the module: folded"
    assert not fold.locator("pre").is_visible()
    fold.locator("summary").click()
    assert fold.locator("pre").is_visible()


def test_no_line_of_code_scrolls_on_a_wide_window(visit):
    """The line of 300 characters goes on below, further in than it begins; what is copied has no break in it."""
    page = visit(RICH, viewport={"width": 1280, "height": 800})
    scrolling = "blocks => blocks.filter(block => block.scrollWidth > block.clientWidth).length"
    assert page.locator("pre.highlight").evaluate_all(scrolling) == 0
    long = page.locator(".long").first
    assert long.bounding_box()["height"] > 60 and "x" * 300 in long.evaluate("line => line.textContent")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.locator("pre.highlight").evaluate_all(scrolling) > 0
