"""What the pages' policies let a browser do: this site's own scripts run, and none that gets into a page."""

import pytest
from site_posts import TRUSTED_PAGE

INJECT = """() => new Promise(done => {
  addEventListener("securitypolicyviolation", event => done(event.effectiveDirective));
  document.body.append(Object.assign(document.createElement("script"), {textContent: "window.taken = true"}));
  setTimeout(done, 500, window.taken ? "it ran" : "nothing happened");
})"""


def test_no_script_gets_into_a_page(browser, site, address):
    page = browser.new_page()
    for name in (
        "index.html",
        "2031/02/03/98b_rich.html",
        "search/index.html",
        "demo/index.html",
        "404.html",
        TRUSTED_PAGE,
    ):
        page.goto(address + site.path_of(name), wait_until="domcontentloaded")
        assert page.evaluate(INJECT) == "script-src-elem", name
    page.close()


def test_a_trusted_notebook_runs_its_outputs(visit):
    page = visit(f"/{TRUSTED_PAGE}")
    assert page.inner_text("#chart") == "drawn"
    page.locator(".html button").click()
    assert page.inner_text(".html button") == "pressed"


@pytest.mark.parametrize("path", ["/", "/2031/02/03/98b_rich.html"])
def test_the_theme_is_there_before_anything_is_drawn(visit, path):
    page = visit(path)
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.context.add_init_script("""new MutationObserver((_, observer) => {
      if (!document.body) return;
      window.early = [document.documentElement.dataset.theme, document.documentElement.className];
      observer.disconnect();
    }).observe(document, {childList: true, subtree: true});""")
    page.reload()
    assert page.evaluate("early") == ["dark", "js"]


def test_a_sound_of_the_sites_own_can_be_played(visit):
    page = visit("/2031/02/07/99c_shown.html")
    page.wait_for_function("document.querySelector('audio').readyState >= HTMLMediaElement.HAVE_METADATA")
    assert abs(page.evaluate("document.querySelector('audio').duration") - 0.1) < 0.01
    assert page.locator("figcaption").first.inner_text() == "Figure 1. A caption of two fields"
