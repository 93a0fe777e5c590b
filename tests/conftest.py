"""Fixtures that several test files share."""

import pytest

from recaptcha.toy import make_tiles


@pytest.fixture(scope="session")
def toy_root(tmp_path_factory):
    "A folder of 240 drawn tiles, laid out as the real ones are; tests read it and change only copies"
    root = tmp_path_factory.mktemp("toy") / "toy"
    make_tiles(root, n=240, seed=7)
    return root


@pytest.fixture
def blog(tmp_path):
    "A site in a temporary folder, for small notebooks"
    from notebook_kit import Blog

    return Blog(tmp_path)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    "The built blog, with posts of our own beside the repository's"
    from site_kit import build

    return build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def address(site):
    "Scheme, host and port under which the built blog is served"
    from site_kit import serve

    with serve(site) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    """A browser; closed with each file, since Playwright leaves an event loop running that other files' tests must not
    find
    """
    from browser_kit import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser, site, address):
    "Opens a page of the blog in a profile of its own, and fails the test when the page complains in its course"
    from browser_kit import watch

    contexts, complaints = [], []

    def visit(path="/", **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        complaints.append(watch(page, address))
        page.goto(address + site.base + path)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not any(complaints), complaints
