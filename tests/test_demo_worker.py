"""The demo page's service worker against a host that misbehaves: only what has the right hash is kept and shown."""

import pytest
from browser_kit import wait
from playwright.sync_api import Error, TimeoutError
from worker_kit import PAGE, STYLE, WORKER, Answer, host

PORTAL = Answer(b"<title>portal</title><p id=build>portal</p>")
REGISTER = """async ([scope, wanted]) => {
  const shelf = await navigator.serviceWorker.register(scope + "sw.js", {scope});
  const worker = shelf.installing || shelf.waiting || shelf.active;
  const settled = () => ["activated", "redundant", wanted].includes(worker.state);
  if (!settled()) await new Promise(done => worker.addEventListener("statechange", () => settled() && done()));
  return worker.state;
}"""
UPDATE = """async () => {
  const shelf = await navigator.serviceWorker.getRegistration();
  await shelf.update();
  const worker = shelf.installing || shelf.waiting;
  if (!worker) return "none";
  const changed = () => new Promise(done => worker.addEventListener("statechange", done, {once: true}));
  if (worker.state === "installing") await changed();
  return worker.state;
}"""
STORES = """async () => Object.fromEntries(await Promise.all((await caches.keys()).map(async name => {
  const store = await caches.open(name);
  const read = async ({url}) => [new URL(url).pathname, await (await store.match(url)).text()];
  return [name, Object.fromEntries(await Promise.all((await store.keys()).map(read)))];
})))"""
POISON = """async ([address, content]) => {
  for (const name of await caches.keys()) {
    const store = await caches.open(name);
    await store.put(address, new Response(content, {headers: {"Content-Type": "text/javascript"}}));
  }
}"""
TITLE = "script {0}, part {0}".format


@pytest.fixture
def site(tmp_path):
    with host(tmp_path) as site:
        site.publish("one")
        yield site


@pytest.fixture
def page(browser, site):
    """A page of a reader who has not been here before."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(5000)
    page.goto(site.address + PAGE)
    yield page
    context.close()


def register(page, state="activated"):
    return page.evaluate(REGISTER, [PAGE, state])


def updated(page, site):
    """The state of the next worker. A check that the browser had begun by itself may have asked the host too early,
    and one that is asked for meanwhile is the same to the browser: then it is asked again.
    """
    for _ in range(5):
        site.asked.clear()
        state = page.evaluate(UPDATE)
        if WORKER in site.asked:
            return state
    raise AssertionError("the browser does not look for a new worker")


def shown(page):
    """(the build of the page, the builds of its scripts)."""
    wait(page, "() => document.title && document.title !== 'no script'", why="the page's scripts do not run")
    return page.inner_text("#build"), page.title()


def stores(page):
    return page.evaluate(STORES)


@pytest.fixture
def reader(page):
    """A page of a reader whose browser has the worker, and all that it keeps."""
    assert register(page) == "activated"
    page.reload()
    assert shown(page) == ("one", TITLE("one"))
    return page


def test_all_is_kept_and_shown_without_a_network(reader, site):
    site.asked.clear()
    site.answers.clear()
    reader.context.set_offline(True)
    for address in (PAGE, PAGE + "?from=somewhere", PAGE + "index.html", PAGE + "#about-it"):
        reader.goto(site.address + address)
        assert shown(reader) == ("one", TITLE("one")) and reader.evaluate("crossOriginIsolated")
    assert site.asked == []
    (kept,) = stores(reader).values()
    assert len(kept) == 4 and kept[STYLE] == "/* one */"


def test_a_captive_portal_replaces_nothing(reader, site):
    site.answers[None] = PORTAL  # whatever is asked for, 200
    reader.reload()
    assert shown(reader) == ("one", TITLE("one"))
    before = stores(reader)
    with pytest.raises(Exception, match="register|update|MIME|script"):
        reader.evaluate(UPDATE)
    assert stores(reader) == before and "portal" not in str(before)


FAULTS = {
    "a portal": PORTAL,
    "other content": Answer(b"alert('another script')", "text/javascript"),
    "a redirect": Answer(b"", status=302, headers={"Location": "/site/elsewhere"}),
    "a redirect to another host": Answer(b"", status=302, headers={"Location": "http://localhost:9/elsewhere"}),
    "half of it": Answer(b"export const part = 'one';", "text/javascript", sent=9),
    "gone": Answer(b"gone", status=404),
    "busy": Answer(b"busy", status=503),
}


def updates(page):
    """Does the page update when it is loaded again? A tab that is still being left may count as one that needs the old
    page. The browser may break a reload off while one worker takes over from another; then the page is as it was.
    """
    try:
        page.reload()
    except Error as error:
        if "ERR_ABORTED" not in str(error):
            raise
    try:
        page.wait_for_function("() => document.title.includes('build')", timeout=3000)
    except TimeoutError:
        return False
    return True


def test_an_update_that_is_not_all_there_changes_nothing(reader, site):
    for number, (name, fault) in enumerate(FAULTS.items()):
        site.publish(f"build{number}")
        site.answers["/site/elsewhere"] = PORTAL
        site.answers[site.named("part.js")] = fault
        assert updated(reader, site) == "redundant", name
        reader.reload()
        assert shown(reader) == ("one", TITLE("one")), name
        (fetched,) = (kept for kept in stores(reader).values() if f"build{number}" in str(kept))
        built = {path.read_text() for path in site.folder.rglob("*") if path.is_file()}
        assert set(fetched.values()) < built, f"{name}: something was kept that is not of the build"
    del site.answers[site.named("part.js")]  # the host has got well
    assert updated(reader, site) == "installed"
    assert PAGE not in site.asked, "what had been fetched was fetched again"
    assert any(updates(reader) for _ in range(5)), "the update does not come through"
    wait(reader, "() => caches.keys().then(names => names.length === 1)", why="halves of other builds stay")


def test_an_update_waits_for_the_tabs_of_the_old_page(reader, site):
    other = reader.context.new_page()
    other.goto(site.address + PAGE)
    site.publish("two")
    assert updated(reader, site) == "installed" and len(stores(reader)) == 2
    site.answers.clear()
    for tab in (reader, other):
        tab.reload()
        assert shown(tab) == ("one", TITLE("one")), "an old page among new files"
    other.close()
    for _ in range(10):  # the browser may take a moment to forget the other tab
        reader.reload()
        build, title = shown(reader)
        assert title == TITLE(build)
        if build == "two":
            break
    assert build == "two", "the only tab does not get the update"
    wait(reader, "() => caches.keys().then(names => names.length === 1)", why="the old store stays")
    assert "one" not in str([*stores(reader).values()])


def test_a_worker_that_does_not_take_over_leaves_the_old_page(reader, site):
    site.publish("two")
    worker = site.answers[WORKER]
    worker.content = worker.content.replace(b"skipWaiting()", b"null")
    assert updated(reader, site) == "installed"
    reader.reload()
    assert shown(reader) == ("one", TITLE("one"))


TAKE_OVER = """async () => {
  const shelf = await navigator.serviceWorker.getRegistration();
  const worker = shelf.waiting;
  worker.postMessage("take over");
  while (worker.state !== "activated") await new Promise(done => worker.addEventListener("statechange", done));
}"""


def test_an_old_page_under_the_new_worker_gets_its_own_scripts(reader, site):
    """The old worker has handed out its page, and the new one is active before the page asks for its scripts."""
    old = site.named("part.js")
    site.publish("two")
    assert updated(reader, site) == "installed"
    reader.evaluate(TAKE_OVER)
    assert reader.evaluate("address => fetch(address).then(file => file.text())", old) == 'export const part = "one";'
    reader.reload()
    assert shown(reader) == ("two", TITLE("two"))
    wait(reader, "() => caches.keys().then(names => names.length === 1)", why="the old store stays")


def test_a_bad_file_in_the_store_is_fetched_again(reader, site):
    reader.evaluate(POISON, [site.named("part.js"), "export const part = 'bad';"])
    reader.evaluate(POISON, [PAGE, "<p id=build>bad"])
    reader.reload()
    assert shown(reader) == ("one", TITLE("one"))
    wait(
        reader,
        "() => caches.match(location.href).then(page => page.text()).then(text => !text.includes('bad'))",
        why="what is bad stays",
    )
    (kept,) = stores(reader).values()
    assert "bad" not in str(kept)


def test_a_bad_file_is_never_shown(reader, site):
    reader.evaluate(POISON, [site.named("part.js"), "export const part = 'bad';"])
    site.answers[site.named("part.js")] = Answer(b"export const part = 'worse';", "text/javascript")
    reader.reload()
    reader.wait_for_load_state()
    assert (reader.title(), reader.inner_text("#build")) == ("no script", "one")
    del site.answers[site.named("part.js")]
    reader.reload()
    assert shown(reader) == ("one", TITLE("one"))


def test_the_browsers_own_cache_is_not_believed(page, site):
    """A bad answer that may be cached for a year, at an address whose content never changes."""
    year = {"Cache-Control": "max-age=31536000, immutable"}
    site.answers[site.named("part.js")] = Answer(b"export const part = 'bad';", "text/javascript", headers=year)
    page.context.clear_cookies()
    page.goto(site.address + PAGE + "?again")
    wait(page, "() => document.title.endsWith('bad')", why="the browser did not take the bad file")
    del site.answers[site.named("part.js")]
    assert register(page) == "activated"
    page.reload()
    assert shown(page) == ("one", TITLE("one"))


def test_a_wrong_type_is_not_kept(page, site):
    for answer in site.answers.values():
        answer.type = answer.type if "javascript" in answer.type else "text/plain"
    assert register(page) == "activated"
    site.answers.clear()
    page.reload()
    assert shown(page) == ("one", TITLE("one")) and page.evaluate("document.contentType") == "text/html"


def test_a_page_of_another_build_gets_its_own_scripts_or_none(reader, site):
    """The store is lost, and the host has gone on: the old worker hands out what it can check by its address."""
    site.publish("two")
    del site.answers["/site/demo/sw.js"]
    reader.evaluate("async () => { for (const name of await caches.keys()) await caches.delete(name); }")
    reader.reload()
    assert shown(reader) == ("two", TITLE("two"))
    (kept,) = stores(reader).values()
    assert "two" not in str(kept), "something was kept that is not of the worker's build"
    site.answers[site.named("part.js")] = Answer(b"export const part = 'bad';", "text/javascript")
    reader.reload()
    reader.wait_for_load_state()
    assert (reader.title(), reader.inner_text("#build")) == ("no script", "two")


def test_a_full_disk_leaves_nothing_behind(page, site):
    wire = page.context.new_cdp_session(page)
    wire.send("Storage.overrideQuotaForOrigin", {"origin": site.address, "quotaSize": 1})
    assert register(page) == "redundant"
    assert stores(page) == {}
    page.reload()
    assert shown(page) == ("one", TITLE("one"))


def test_a_full_disk_keeps_the_old_build(reader, site):
    site.publish("two")
    wire = reader.context.new_cdp_session(reader)
    wire.send("Storage.overrideQuotaForOrigin", {"origin": site.address, "quotaSize": 1})
    before = stores(reader)
    assert updated(reader, site) == "redundant"
    assert stores(reader) == before
    site.answers.clear()
    reader.reload()
    assert shown(reader) == ("one", TITLE("one"))
