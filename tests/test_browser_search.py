"""How a reader gets to a page of the built blog: by searching, from an old address, without JavaScript."""

import pytest
from browser_kit import tab_to, wait
from playwright.sync_api import TimeoutError
from site_posts import OLD

FOUND = "() => document.querySelectorAll('#results > li a[href]').length"
NONE = "() => document.getElementById('search-status').textContent.trim() && !document.querySelector('#results li')"


def search(page, words):
    page.keyboard.type(words)
    wait(page, FOUND, why=f"{words} is not found: {page.locator('#search-status').inner_text()!r}")


def test_search_by_keyboard(visit, site):
    page = visit("/")
    tab_to(page, f"a[href='{site.base}/search/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("/")
    assert (
        page.evaluate("document.activeElement.id") == "q"
        and page.locator("form[role=search] input#q[type=search][name=q]").count() == 1
    )
    search(page, "quokka")
    results = page.locator("#results > li")
    assert results.count() == 1, "a post that the search is to leave out is found"
    assert (
        results.locator("a").inner_text() == "All that a post can hold"
        and "quokka" in results.locator("p mark").first.inner_text().lower()
    )
    assert "#" not in results.inner_text(), "the heading's link to itself stands in the result"
    assert "1" in page.locator("p#search-status[role=status]").inner_text() and "q=quokka" in page.url
    tab_to(page, "#results > li:first-child a", most=5)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/search/" not in url)
    assert "quokka" in page.locator("article.post").inner_text()
    page.go_back()
    wait(page, FOUND, why="going back loses what was found")


def test_search_finds_every_notebook(visit, site):
    page = visit("/search/")
    lost = []
    for post in [post for post in site.posts.values() if not post.get("hide") and not post.get("search_exclude")]:
        page.locator("#q").fill(post["title"])
        listed = (
            "title => [...document.querySelectorAll('#results > li a')].some(link => link.textContent.trim() === title)"
        )
        try:
            wait(page, listed, post["title"], post["title"])
        except AssertionError as error:
            lost.append(str(error))
    assert not lost, lost


def test_search_finds_public_names(visit, site):
    page = visit("/search/")
    page.locator("#q").fill("open_tile")
    wait(page, FOUND, why="open_tile is not found")
    first = page.locator("#results > li a").first.get_attribute("href")
    assert first.startswith(f"{site.base}/api/?found=") and first.endswith("#pictures.open_tile")


def test_search_from_the_address(visit):
    page = visit("/search/?q=quokka")
    wait(page, FOUND, why="?q= is not searched for")
    assert page.locator("#q").input_value() == "quokka"
    found = page.locator("#search-status").inner_text()
    page.locator("#q").fill("wombat")  # Pagefind itself would go back as far as the words that begin with a w
    wait(page, NONE, why="what is on no page is found, or nothing says that nothing was found")
    assert page.locator("#search-status").inner_text() != found
    page.locator("#q").fill("")
    wait(
        page,
        "() => !document.querySelector('#results li') && !location.search.includes('wombat')",
        why="an empty search still shows results",
    )


def test_search_does_not_believe_the_address(visit):
    page = visit("/search/?q=%3Cimg%20src%3Dx%20onerror%3D%22window.taken%3D1%22%3E")
    page.wait_for_load_state("networkidle")
    wait(page, "() => document.getElementById('search-status').textContent.trim()", why="nothing says what was found")
    assert page.evaluate("window.taken") is None and page.locator("main img").count() == 0


def test_search_without_its_index(browser, site, address):
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(error))
    page.route("**/pagefind/**", lambda route: route.abort())
    page.goto(f"{address}{site.base}/search/?q=quokka")
    wait(page, NONE, why="nothing says that the index is missing")
    assert not errors
    page.close()


def test_old_addresses_lead_on(visit, site, address):
    lost, page = [], visit("/")
    for name in OLD:
        page.goto(f"{address}{site.base}/2021/05/25/{name}.html")
        try:
            page.wait_for_selector("article.post h1", timeout=3000)
        except TimeoutError:
            lost.append(f"{name}: {page.url}")
    assert not lost, lost


@pytest.mark.parametrize("path", ["/", "/2031/02/03/98b_rich.html", "/about/"])
def test_without_javascript(visit, path):
    page = visit(path, java_script_enabled=False)
    assert (
        len(page.locator("main").inner_text()) > 300
        and not page.locator("#site-theme").is_visible()
        and page.locator("button.copy").count() == 0
    )


def test_search_without_javascript(visit):
    page = visit("/search/", java_script_enabled=False)
    assert "JavaScript" in page.locator("main").inner_text()


def listed(page):
    """(title, section) of each result."""
    return [
        (item.locator("a").inner_text(), item.locator(".section").inner_text())
        for item in page.locator("#results > li").all()
        if item.locator(".section").count()
    ]


@pytest.mark.parametrize(
    "typed, also, place",
    [
        ("distillation", "", "distillation"),
        ("augmentation", "", ""),
        ("heatmap", "heat map", "Where it looks"),
        ("temperature scaling", "calibration", "Calibrat"),
        ("treshold", "threshold", "hreshold"),
        ("calibraiton", "calibration", "Calibrat"),
        ("bro", "bridge", "ridge"),
        ("Fodgængerfelt", "crosswalk", ""),
    ],
)
def test_search_finds_what_the_blog_calls_otherwise(visit, typed, also, place):
    page = visit(f"/search/?q={typed}")
    wait(page, FOUND, why=f"{typed} is not found")
    assert page.locator("#search-status").inner_text().endswith(f"also looked for: {also}" if also else "found")
    assert any(place in section for _, section in listed(page)), listed(page)
    marked = " ".join(page.locator("#results mark").all_inner_texts()).lower()
    assert (also or typed).split()[0][:5] in marked, marked


def test_search_weighs_prose_over_code(visit):
    page = visit("/search/?q=threshold")
    wait(page, FOUND)
    assert "hreshold" in listed(page)[0][1], f"no section about it comes first: {listed(page)[:3]}"
    assert "/toolkit/" not in page.locator("#results > li a").first.get_attribute("href")


def test_what_was_found_is_marked_on_its_page(visit, site):
    page = visit("/search/?q=quokka")
    wait(page, FOUND)
    page.locator("#results > li a").first.click()
    page.wait_for_url(lambda url: "/search/" not in url)
    assert "quokka" in page.locator("main mark").first.inner_text().lower()
    assert "found" not in page.url and page.url.endswith("#Side-notes"), "the address that is handed on marks, too"
    page.reload()
    page.wait_for_load_state()
    assert page.locator("main mark").count() == 0


def test_what_is_marked_comes_from_the_address_as_text_alone(visit):
    page = visit("/2031/02/03/98b_rich.html?found=quok%20(%20%3Cimg%20.*%20thirty")
    wait(page, "() => document.querySelector('main mark')", why="a stem beside others that are none is not marked")
    marks = {text.lower() for text in page.locator("main mark").all_inner_texts()}
    assert marks == {"quokka", "thirty"} and page.locator("main .code mark").count() == 0
