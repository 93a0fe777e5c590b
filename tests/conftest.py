"""Fixtures that several test files share."""

import pytest

from recaptcha.toy import make_tiles


@pytest.fixture(scope="session")
def toy_root(tmp_path_factory):
    "A folder of 240 drawn tiles, laid out as the real ones are; tests read it and change only copies"
    root = tmp_path_factory.mktemp("toy") / "toy"
    make_tiles(root, n=240, seed=7)
    return root


@pytest.fixture(scope="session")
def toy_home(toy_root, tmp_path_factory):
    "A `RECAPTCHA_DATA` in which the drawn tiles lie already"
    home = tmp_path_factory.mktemp("home")
    (home / "toy").symlink_to(toy_root)
    return home


@pytest.fixture
def a_machine_of_its_own(toy_home, monkeypatch):
    "One thread, no variable of this machine's, and no network: whoever asks for one fails the test"
    import torch
    from train_kit import set_up

    threads = torch.get_num_threads()
    set_up(toy_home, monkeypatch)
    yield
    torch.set_num_threads(threads)


def left_by(make, name, toy_home, tmp_path_factory):
    """The folder that `make`, a function of `train_kit`, has trained in, on a machine of its own."""
    import train_kit

    folder = tmp_path_factory.mktemp(name)
    with pytest.MonkeyPatch.context() as patch:
        train_kit.set_up(toy_home, patch)
        getattr(train_kit, make)(folder)
    return folder


@pytest.fixture(scope="session")
def finished_run(toy_home, tmp_path_factory):
    "A folder in which a run is done; tests change only copies"
    return left_by("train", "finished", toy_home, tmp_path_factory)


@pytest.fixture(scope="session")
def broken_off_run(toy_home, tmp_path_factory):
    "A folder with the same run after the first of two epochs with the whole network"
    return left_by("break_off", "broken_off", toy_home, tmp_path_factory)


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
