"""Folded sections in a real browser: by keyboard, for whoever follows a link into one, and on paper."""

import pytest
from browser_kit import tab_to, wait

RICH = "/2031/02/03/98b_rich.html"
FOLD = ".post-content details.deeper"
SECTION, WITHIN = "A-deeper-section", "Within-the-deeper-section"
# As in browsers that give what is folded no place at all.
BARE = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("details:not([open])::details-content { display: none; }");
  document.adoptedStyleSheets = [sheet];
}"""
AT_TOP = "id => Math.abs(document.getElementById(id).getBoundingClientRect().top - 60) <= 60"


def test_a_section_is_opened_and_closed_by_keyboard(visit):
    page = visit(RICH)
    inside = page.get_by_text("Not shown at first.")
    assert page.locator(f"#{SECTION}").is_visible() and not inside.is_visible()
    page.locator(f"#{SECTION} a.anchor").focus()
    tab_to(page, f"{FOLD} > summary", most=2)
    assert page.locator(":focus").inner_text() == "Going deeper: 1 min to read"
    assert page.locator(":focus").evaluate("summary => getComputedStyle(summary).outlineStyle") == "solid"
    for key, shown in (("Enter", True), ("Space", False)):
        page.keyboard.press(key)
        assert inside.is_visible() == shown


@pytest.mark.parametrize("place", [f"#{SECTION}", f"#{WITHIN}", f"?found=shown#{SECTION}"])
def test_an_address_opens_the_section_that_it_leads_to(visit, place):
    page = visit(RICH + place)
    wait(page, f"() => document.querySelector('{FOLD}').open", why=f"{place} leaves the section closed")
    wait(page, AT_TOP, place.split("#")[1], why=f"{place} does not lead there")
    assert page.get_by_text("Not shown at first.").is_visible()


def test_the_contents_open_a_section_each_time_that_they_lead_to_it(visit):
    page = visit(RICH)
    for place in (SECTION, SECTION, WITHIN, WITHIN):
        page.locator(FOLD).evaluate("fold => { fold.open = false; }")
        page.locator(f"nav.contents a[href='#{place}']").click()
        wait(page, f"() => document.querySelector('{FOLD}').open", why=f"{place} stays closed")
        wait(page, AT_TOP, place, why=f"the contents do not lead to {place}")


def test_the_contents_do_not_mark_what_a_closed_section_hides(visit):
    page = visit(RICH)
    page.evaluate(BARE)
    page.evaluate("document.getElementById('Code').scrollIntoView()")
    marked = "() => document.querySelector('nav.contents [aria-current=true]')?.hash === '#Code'"
    wait(page, marked, why="a heading that nobody sees is marked")


def test_a_folded_section_is_printed(visit):
    page = visit(RICH)
    page.emulate_media(media="print")
    assert page.get_by_text("Not shown at first.").is_visible() and page.locator(f"#{WITHIN}").is_visible()
