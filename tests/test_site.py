"""The built blog, read page by page as files: what it shows, where it leads, what it loads; is its HTML valid?"""

import datetime
import html
import json
import re
import subprocess
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, quote, unquote, urldefrag, urlsplit

import nbformat
import yaml
from notebook_kit import ROOT
from PIL import Image
from site_kit import MODULES, needed, program
from site_posts import CODES, LIQUID, OLD, TRUSTED_PAGE

from _fastpages.opening import stated_minutes
from _fastpages.sources import read_module
from recaptcha._modidx import d as index

LOADS = {
    "img": {"src", "srcset"},
    "script": {"src"},
    "iframe": {"src"},
    "source": {"src", "srcset"},
    "video": {"src", "poster"},
    "audio": {"src"},
    "object": {"data"},
    "embed": {"src"},
    "use": {"href", "xlink:href"},
    "image": {"href", "xlink:href"},
}


def cards(page):
    """(address, title, the whole card) of each post that a home page lists, as HTML text."""
    whole = re.findall(r'<li class="card\b.*?</li>', page, re.S)
    links = [re.search(r'<a\b([^>]*\bclass="card-link"[^>]*)>\s*(.*?)\s*</a>', card, re.S) for card in whole]
    return [(re.search(r'\bhref="([^"]+)"', link[1])[1], link[2], card) for link, card in zip(links, whole)]


def test_home_lists_the_series_in_order(site):
    home = site.pages["index.html"]
    shown = [post for name, post in sorted(site.posts.items()) if not post.get("hide")]
    listed = [entry for entry in cards(home.html) if any(entry[0] == site.base + post["permalink"] for post in shown)]
    assert [entry[0] for entry in listed] == [site.base + post["permalink"] for post in shown]
    for (_, title, card), post in zip(listed, shown):
        assert html.unescape(title) == post["title"]
        assert html.unescape(card).count(post["description"]) == 1
        day = datetime.date.fromisoformat(post["date"])
        assert f"{day.day} {day:%B %Y}</time>" in card and f'datetime="{post["date"]}T00:00:00+00:00"' in card
        assert re.search(rf"\b{post['minutes']}\s+min\b", card) and all(
            html.escape(tag) in card for tag in post.get("categories", [])
        )
        pictured, drawn = "src" in post.get("cover", {}), "drawing" in post.get("cover", {})
        assert (pictured, drawn) == ("<img" in card, '<svg xmlns="http://www.w3.org/2000/svg" class="cover"' in card)
        numbers = re.findall(r'<div class="no-cover" aria-hidden="true">(.+?)</div>', card)  # in a picture's place
        assert len(numbers) == ("cover" not in post and "shelf" not in post)
        assert all(f"Part {number}<" in card for number in numbers)
        assert drawn == (ROOT / "_notebooks" / post["notebook"]).is_file(), "a lesson of ours without a cover"
    assert "Hidden part" not in home.text
    assert home.text.count('Ours: <first> & "best" {{ 1 | plus: 1 }}') == 1
    assert {path.name for path in (site.source / "_notebooks").glob("[0-9][0-9]*.ipynb")} == set(site.posts)


def test_no_notebook_takes_more_than_25_minutes_to_read(site):
    minutes = {name: post["minutes"] for name, post in {**site.posts, **site.toolkit}.items()}
    minutes = {name: read for name, read in minutes.items() if (ROOT / "_notebooks" / name).exists()}
    assert len(minutes) > 30 and {name: read for name, read in minutes.items() if read > 25} == {}


def hero(site):
    """What the home page shows above its cards, as HTML."""
    home = site.pages["index.html"].html
    return home[home.index('<div class="hero">') : home.index('<h2 class="post-list-heading"')]


def test_home_leads_to_the_demo_and_along_a_short_path(site):
    part = hero(site)
    assert f'<a class="button" href="{site.base}/demo/">' in part
    short = [f"{number}.ipynb" for number in ("02_baseline", "06_label_correction", "07_prediction", "09_results")]
    steps = re.search(r'<ol class="path">.*?</ol>', part, re.S)[0]
    assert re.findall(r'href="([^"]+)"', steps) == [site.base + site.posts[name]["permalink"] for name in short]
    shown = [post for post in site.posts.values() if not post.get("hide")]
    minutes, whole = sum(site.posts[name]["minutes"] for name in short), sum(post["minutes"] for post in shown)
    assert f"4 lessons, {minutes} minutes</p>" in part
    assert f'<a href="#series">The whole series: {len(shown)} lessons, {whole} minutes</a>' in part


def test_home_and_the_readme_list_the_background_in_the_order_to_read_it(site):
    home = site.pages["index.html"].html
    names = ["2026-11-14-stochastic-gradient-descent", "2026-11-15-dataloaders-and-datablock"]
    names.append("2026-11-17-convolutional-networks-for-tiles")
    listed = re.search(r'<ol class="cards background">.*?</ol>', home, re.S)[0]
    assert [address for address, _, _ in cards(listed)] == [
        f"{site.base}/{name.replace('-', '/', 3)}.html" for name in names
    ]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    written = [*names, "2026-11-23-breaking-recaptcha-v2"]
    places = [readme.index(f"(_posts/{name}.md)", readme.index("## The series")) for name in written]
    assert places == sorted(places)


def test_a_part_shows_the_whole_series(site):
    shown = [site.posts[name] for name in sorted(site.posts) if not site.posts[name].get("hide")]
    for place, post in enumerate(shown, 1):
        menu = re.search(r'<nav class="series-menu".*?</nav>', post["page"].html, re.S)[0]
        links = re.findall(r'<li><a href="([^"]+)"( aria-current="page")?>', menu)
        assert [address for address, _ in links] == [site.base + other["permalink"] for other in shown]
        assert [number for number, (_, current) in enumerate(links, 1) if current] == [place]
        assert f"<summary>Part {place} of {len(shown)}<" in menu and "<details>" in menu, "folded without scripts"
        assert menu.count('class="passed"') == place and menu.count("<span") == len(shown) + 1
    own = {site.name_of(post["permalink"]) for post in shown}
    others = [page for name, page in site.pages.items() if name not in own]
    assert [page.html.count("series-menu") for page in others] == [0] * len(others)


def test_a_page_of_the_toolkit_leads_back_to_the_series(site):
    for name, post in site.toolkit.items():
        head = post["page"].html[: post["page"].html.index('class="post-content"')]
        assert f'<a href="{site.base}/#series">Go to the series</a>' in head and "The toolkit is" in head, name


def test_the_head_of_a_notebook_says_how_long_it_takes_and_offers_it(site):
    for name, post in {**site.posts, **site.toolkit}.items():
        head = post["page"].html[: post["page"].html.index('class="post-content"')]
        told = f"{post['minutes']} min to read"
        told += f", {post['run_minutes']} to run" if "run_minutes" in post else ""
        assert f"<span>{told}</span>" in head, name
        if post.get("badges", True):
            raw = f"https://raw.githubusercontent.com/{site.repository}/{site.settings['branch']}"
            assert f'href="{raw}/{site.settings["nbs_path"]}/{name}" download>' in head, name
            about = html.unescape(re.search(r'href="([^"]+/issues/new[^"]*)"', head)[1])
            asked = parse_qs(urlsplit(about).query)
            assert asked == {"title": [post["title"]], "body": [site.host + site.base + post["permalink"]]}, name
    assert any("run_minutes" in post for post in site.posts.values())


def test_lessons_state_the_time_that_reading_them_takes(site):
    """Within three minutes of what the site works out, and how long running takes."""
    wrong = {}
    for name, post in site.posts.items():
        if not (ROOT / "_notebooks" / name).exists():
            continue
        stated = stated_minutes((ROOT / "_notebooks" / name).read_text(encoding="utf-8"), "Time")
        if stated is None or stated.run is None or abs(stated.read - post["minutes"]) > 3:
            wrong[name] = f"states {stated}, and takes {post['minutes']} minutes to read"
    assert wrong == {}


def test_home_lists_the_toolkit_after_the_series(site):
    home = site.pages["index.html"].html
    assert {f"toolkit/{path.name}" for path in (site.source / "_notebooks" / "toolkit").glob("*.ipynb")} == set(
        site.toolkit
    )
    addresses = [f"{site.base}/{name.removesuffix('.ipynb')}.html" for name in sorted(site.toolkit)]
    assert [address for address, _, _ in cards(home)][-len(addresses) :] == addresses
    assert 'id="toolkit">The toolkit</h2>' in home
    for name, post in site.toolkit.items():
        page = post["page"]
        assert "Part " not in page.html[: page.html.index("</header>")] and 'rel="next"' not in page.html, name
        assert f"{site.base}/#toolkit" in [link.get("href") for link in page.all("a")], name


def test_old_addresses_lead_on(site):
    moved = yaml.safe_load((ROOT / "_data" / "moved.yml").read_text(encoding="utf-8"))
    posts = {**site.posts, **site.toolkit}
    for old, name in moved.items():
        page = site.redirections[site.name_of(site.base + old)]
        (refresh,) = [tag for tag in page.all("meta") if tag.get("http-equiv") == "refresh"]
        assert refresh["content"] == f"0; url={site.base}{posts[name]['permalink']}", old


def followed(site, name):
    """The page of that name, or the one that it leads on to; None where there is none."""
    if page := site.redirections.get(name):
        (to,) = [tag["href"] for tag in page.all("link") if tag["rel"] == "canonical"]
        name = site.name_of(to)
    return site.pages.get(name)


def test_every_address_of_nbdevs_index_is_there(site):
    """Where it says that a function is told of: a page, or an old address that leads to one, and a place."""
    settings, modules = index["settings"], index["syms"]
    assert settings["doc_host"] + settings["doc_baseurl"] == site.host + site.base
    missing = []
    for symbol, (address, _) in [pair for symbols in modules.values() for pair in symbols.items()]:
        page, anchor = urldefrag(address)
        page = followed(site, page)
        if page is None or anchor not in page.ids:
            missing.append(f"{symbol}: {address}")
    assert len(modules) > 15 and missing == []


def test_home_lists_written_posts_pinned_first(site):
    addresses = [entry[0] for entry in cards(site.pages["index.html"].html)]
    assert (
        len(addresses)
        == len(set(addresses))
        == sum(not post.get("hide") for post in site.documents)
    )
    ranked = sorted(
        (post for post in site.written if "sticky_rank" in post and not post.get("hide")),
        key=lambda post: post["sticky_rank"],
    )
    assert "/2031/02/06/pinned.html" in [post["permalink"] for post in ranked]
    ranks = {site.base + post["permalink"]: post["sticky_rank"] for post in ranked}
    assert [ranks.get(address) for address in addresses[: len(ranked)]] == sorted(ranks.values())


def test_home_loads_its_first_pictures_at_once(site):
    pictures = site.pages["index.html"].all("img")
    assert pictures and all(
        picture["alt"] == "" and picture["width"].isdigit() and picture["height"].isdigit() for picture in pictures
    )
    for place, (address, _, card) in enumerate(cards(site.pages["index.html"].html)):
        assert ('loading="lazy"' in card) == ("<img" in card and place >= 2), address


def test_posts_have_code_pictures_and_tables(site):
    ours = site.posts["98_ours.ipynb"]["page"]
    (picture,) = ours.all("img")
    assert picture["alt"] == "A red field" and (picture["width"], picture["height"], picture["loading"]) == (
        "30",
        "20",
        "lazy",
    )
    with Image.open(site.file_of(picture["src"])) as shown:
        assert shown.size == (30, 20) and shown.convert("RGB").getpixel((15, 10)) == (255, 0, 0)
    assert '<span class="nb">print</span>' in ours.html and '<td class="num">0.75</td>' in ours.html
    assert "A. Writer" in ours.text and "3 February 2031" in ours.text and "A summary & more." in ours.text
    assert (
        '<annotation encoding="application/x-tex">a_1 * b_2 * c</annotation>' in ours.html
        and '<div class="callout tip"' in ours.html
    )
    contents = re.search(r'<nav class="contents".*?</nav>', ours.html, re.S)[0]
    assert re.findall(r'href="#([^"]+)"', contents) == ["A-part", "Another-part"]


def test_a_post_can_hold_all_of_it(site):
    page = site.posts["98b_rich.ipynb"]["page"]
    classes = [attributes.get("class", "") for _, attributes in page.tags]
    assert [name.split()[-1] for name in classes if name.startswith("callout ")] == [
        "note",
        "tip",
        "warning",
        "important",
    ]
    assert [name.split()[-1] for name in classes if name.startswith("preview ")] == ["youtube", "twitter"]
    assert (
        classes.count("fold") == 3
        and classes.count("sidenote") == 2
        and page.ids.count("fn-1") == page.ids.count("fn-2") == 1
    )
    assert "alert(1)" not in page.html and "A <b>bold</b> word" in page.html and "katex-display" in page.html
    assert [link["href"] for link in page.all("link") if "katex" in link["href"]] == [
        f"{site.base}/assets/katex/katex.min.css"
    ]
    assert "katex" not in site.pages["index.html"].html and "katex" not in site.pages["2031/02/06/pinned.html"].html
    (address,) = [
        link["href"]
        for link in page.all("a")
        if link.get("href", "").startswith(f"https://github.com/{site.repository}/issues/new?")
    ]
    assert "All" in address and all(code in page.text for code in CODES)


def test_every_notebook_page_shows_all_its_code(site):
    from _fastpages.directives import read_directives

    for name, post in {**site.posts, **site.toolkit}.items():
        nb = nbformat.read(site.source / "_notebooks" / name, 4)
        shown = [
            source
            for wishes, source in (read_directives(cell.source) for cell in nb.cells if cell.cell_type == "code")
            if source.strip() and not wishes.get("hide") and not wishes.get("hide_input")
        ]
        page = post["page"]
        assert page.html.count('<pre class="highlight"') >= len(shown)
        for source in shown:
            assert source.strip("\n").rstrip() in page.text, f"{name}: code is missing or changed"
        assert len(page.all("h1")) == 1 and "#| " not in re.sub(r"<pre.*?</pre>", "", page.html, flags=re.S)


def test_every_reference_to_a_figure_or_table_names_the_right_one(site):
    assert [line for line in site.told if "](#" in line or "stands on the page twice" in line] == []


def test_liquid_in_a_notebook_reaches_the_page_as_it_is(site):
    assert site.posts["98_ours.ipynb"]["page"].text.count(LIQUID) == 2


def test_source(site):
    for name, post in {**site.posts, **site.toolkit}.items():
        hrefs = [link.get("href") for link in post["page"].all("a")]
        place = f"{site.repository}/blob/{site.settings['branch']}/{site.settings['nbs_path']}/{name}"
        path = quote(f"{site.settings['nbs_path']}/{name}", safe="")
        binder = f"{site.repository}/{site.settings['branch']}?filepath={path}"
        if post.get("badges", True):
            assert f"https://github.com/{place}" in hrefs
            assert f"https://colab.research.google.com/github/{place}" in hrefs
            assert f"https://mybinder.org/v2/gh/{binder}" in hrefs


def test_neighbours(site):
    names = sorted(name for name in site.posts if not site.posts[name].get("hide"))
    for number, name in enumerate(names):
        page, links = site.posts[name]["page"], site.posts[name]["page"].all("a")
        rel = {link["rel"]: link["href"] for link in links if link.get("rel") in {"prev", "next"}}
        beside = {"prev": names[number - 1] if number else None, "next": (names + [None])[number + 1]}
        assert rel == {key: site.base + site.posts[other]["permalink"] for key, other in beside.items() if other}, page
    hidden = site.posts["99_hidden.ipynb"]["page"]
    assert 'class="badge"' not in hidden.html and site.base + site.posts[names[-1]]["permalink"] in [
        link.get("href") for link in hidden.all("a")
    ]
    assert not any(host in hidden.html for host in ("colab.research.google.com", "mybinder.org"))


def test_tags_list_their_posts(site):
    page = site.pages["tags/index.html"]
    sections = dict(re.findall(r'<h2\b[^>]*\bid="(tag-[^"]+)"(.*?)(?=<h2\b|\Z)', page.html, re.S))
    for post in [post for post in site.documents if not post.get("hide")]:
        links = {
            html.unescape(name).strip(): href
            for href, name in re.findall(r'<a\b[^>]*href="([^"]*/tags/#[^"]*)"[^>]*>(.*?)</a>', post["page"].html, re.S)
        }
        for tag in post.get("categories", []):
            assert site.base + post["permalink"] in sections[unquote(links[tag].partition("#")[2])], (
                f"{post['title']} is not under {tag}"
            )
    assert "tag-two-words" in sections and "Hidden part" not in page.text


def test_links_anchors_and_pictures_resolve(site):
    checked = 0
    for name, page in site.pages.items():
        assert len(page.ids) == len(set(page.ids)), f"{name}: an id twice"
        for _, attributes in page.tags:
            for key in {"href", "src"} & attributes.keys():
                address, anchor = urldefrag(attributes[key].removeprefix(site.host))
                if re.match(r"(https?|mailto):", address):
                    continue
                assert address == "" or address.startswith(f"{site.base}/"), (
                    f"{name}: {attributes[key]} leaves the site's path"
                )
                target = site.file_of(address) if address else None
                assert target is None or target.is_file(), f"{name}: {attributes[key]} leads nowhere"
                if anchor:
                    there = page if target is None else site.pages[target.relative_to(site.root).as_posix()]
                    assert unquote(anchor) in there.ids, f"{name}: {attributes[key]} names no place on that page"
                checked += 1
    assert checked > 30


def test_nothing_is_loaded_from_another_host(site):
    for name, page in site.pages.items():
        for tag, attributes in page.tags:
            assert name == TRUSTED_PAGE or not any(key.startswith("on") for key in attributes), (
                f"{name}: {tag} has an event handler"
            )
            keys = LOADS.get(tag, set()) | (
                {"href"}
                if tag == "link" and attributes.get("rel") not in {"canonical", "alternate", "next", "prev"}
                else set()
            )
            for key in keys & attributes.keys():
                assert not re.match(r"\s*([a-z]+:)?//|\s*data:", attributes[key]), (
                    f"{name}: {tag} loads {attributes[key]}"
                )
            assert "url(" not in attributes.get("style", ""), f"{name}: {attributes['style']}"
        assert (
            name == TRUSTED_PAGE
            or "<script" not in page.html[page.html.find('class="post-content"') : page.html.find("</article>")]
        ), name
    for path in [*site.root.rglob("*.css"), *site.root.rglob("*.svg")]:
        assert not re.search(
            r"@import|url\(['\"]?\s*(https?:)?//|href=\"https?://[^\"]*\"|<script", path.read_text(encoding="utf-8")
        ), path.name


def policy_of(page):
    """{directive: sources} of a page that has one policy, before anything that it is to govern."""
    (policy,) = [
        number
        for number, (tag, attributes) in enumerate(page.tags)
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert not {tag for tag, _ in page.tags[:policy]} & {"script", "link", "style", "img"}
    directives = [directive.split() for directive in page.tags[policy][1]["content"].split(";")]
    assert len({words[0] for words in directives}) == len(directives), "only the first of two directives counts"
    return {words[0]: set(words[1:]) for words in directives}


def test_every_page_has_a_policy(site):
    """Nothing but this site's files, no script inside a page; what a kind of pages needs only there."""
    for name, page in {**site.pages, **site.redirections}.items():
        policy = policy_of(page)
        assert policy["default-src"] == policy["base-uri"] == {"'none'"} and {"form-action"} <= policy.keys(), name
        styled, scripts = ' style="' in page.html, {"'self'"} & policy.get("script-src", set())
        hashes = {source for source in policy.get("script-src", ()) if source.startswith("'sha256-")}
        assert policy.get("script-src", set()) - hashes <= {"'self'", "'wasm-unsafe-eval'"} | (
            {"'unsafe-hashes'"} if name == TRUSTED_PAGE else set()
        ), name
        assert ("'wasm-unsafe-eval'" in policy.get("script-src", ())) == (
            name in {"demo/index.html", "search/index.html"}
        ), name
        assert len(hashes) == (2 if name == TRUSTED_PAGE else 0), name
        assert policy.get("style-src", set()) <= {"'self'"}, name
        assert ("style-src-attr" in policy) == (styled or name == TRUSTED_PAGE), (
            f"{name}: allows styles in attributes, and has none, or the other way round"
        )
        assert scripts, name
        assert ("font-src" in policy) == ("/katex.min.css" in page.html or name == TRUSTED_PAGE), name
        inside = [tag for tag in re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", page.html) if "application/" not in tag]
        assert len(inside) == (name == TRUSTED_PAGE), f"{name}: a script inside the page"


def test_licences_are_there(site):
    """Of each package that the site carries, unchanged, and of the tiles; nothing of any other package is there."""
    page = site.pages["licences/index.html"]
    files = {
        link["href"]: site.file_of(link["href"]).read_bytes()
        for link in page.all("a")
        if "/assets/licences/" in link.get("href", "")
    }
    place = f"{site.base}/assets/licences/{{}}.txt".format
    for name in json.loads((ROOT / "package.json").read_text())["dependencies"]:
        version = json.loads((MODULES / name / "package.json").read_text())["version"]
        assert f"{name} {version}" in page.text
        notices = [
            content for address, content in files.items() if address.startswith(place(name).removesuffix(".txt") + "/")
        ]
        assert notices and all(b"copyright" in content.lower() for content in notices), name
    for name, path in {"katex/LICENSE": "katex/LICENSE", "pagefind/LICENSE": "pagefind/LICENSE/LICENSE"}.items():
        assert files[place(name)] == (MODULES / path).read_bytes()
    assert (
        b"Microsoft Corporation" in files[place("onnxruntime-web/LICENSE")]
        and b"emscripten" in files[place("onnxruntime-web/ThirdPartyNotices")]
    )
    assert (
        b"SIL Open Font License" in files[place("katex-fonts/LICENSE")]
        and b"Brian" in files[place("recaptcha-dataset/LICENSE")]
    )
    assert files[place("site/LICENSE")] == (ROOT / "LICENSE").read_bytes()
    for name, other in site.pages.items():
        assert f"{site.base}/licences/" in [link.get("href") for link in other.all("a")], name
    assert {path.name for path in (site.root / "assets").iterdir()} == {
        "early.js",
        "enlarge.js",
        "icon-192.png",
        "icon-512.png",
        "icon-maskable.png",
        "icon.svg",
        "katex",
        "licences",
        "main.css",
        "moved.js",
        "search.js",
        "site.js",
    }


def test_html_is_valid(site):
    vnu = needed(MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar", "the HTML validator", "site")
    pages = [site.root / name for name in [*site.pages, *site.redirections]]
    done = subprocess.run(
        [program("java", "browser"), "-jar", vnu, "--errors-only", "--format", "json", *pages],
        capture_output=True,
        text=True,
    )
    found = [
        f"{message.get('url', '').rpartition('_site/')[2]}:{message.get('lastLine')}: {message['message']}"
        for message in json.loads(done.stderr)["messages"]
    ]
    assert not found, "\n".join(found[:40])


def test_feed_and_addresses(site):
    feed = ET.parse(site.root / "feed.xml").getroot()
    atom = {"a": "http://www.w3.org/2005/Atom"}
    links = {entry.find("a:link", atom).get("href") for entry in feed.findall("a:entry", atom)}
    host = site.settings["doc_host"] + site.base
    assert {host + post["permalink"] for post in site.posts.values()} <= links
    titles = [entry.find("a:title", atom).text for entry in feed.findall("a:entry", atom)]
    assert any("Ours: " in title and "{{ 1 | plus: 1 }}" in title for title in titles)
    (canonical,) = [link["href"] for link in site.pages["index.html"].all("link") if link["rel"] == "canonical"]
    assert canonical == host + "/"


def test_sitemap_and_social_cards(site):
    places = ET.parse(site.root / "sitemap.xml").getroot().iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    listed = {site.name_of(place.text) for place in places}
    hidden = {site.name_of(post["permalink"]) for post in site.posts.values() if post.get("hide")} | {
        "search/index.html"
    }
    assert site.pages.keys() - hidden - {"404.html"} <= listed <= site.pages.keys() - {"404.html"}
    for name, page in site.pages.items():
        (image,) = [meta["content"] for meta in page.all("meta") if meta.get("property") == "og:image"]
        assert image.startswith(f"{site.host}{site.base}/images/social/"), name
        with Image.open(site.file_of(image)) as card:
            assert card.size == (1200, 630), name
            beside = card.convert("RGB").crop((720, 20, 1180, 610))
            assert len(beside.getcolors(beside.width * beside.height)) > 2, f"{name}: a card without a picture"
        told = {meta.get("property", meta.get("name")): meta.get("content") for meta in page.all("meta")}
        wanted = {"og:title", "og:description", "og:url", "og:site_name", "og:image:width", "og:image:height"}
        assert wanted | {"description", "twitter:card", "og:locale", "og:type"} <= told.keys(), name
        assert (told["twitter:card"], told["og:image:width"]) == ("summary_large_image", "1200"), name
    own = [page for name, page in site.pages.items() if name not in {"404.html", "index.html"}]
    metas = [meta for page in own for meta in page.all("meta")]
    images = [meta["content"] for meta in metas if meta.get("property") == "og:image"]
    assert len(images) == len(set(images)) == len(own), "two pages have the same card"


def test_old_addresses_lead_to_pages(site):
    ours = {"old/pinned.html": "2031/02/06/pinned.html", "old/folder/index.html": "2031/02/06/pinned.html"}
    old = [f"2021/05/25/{name}.html" for name in OLD]
    leads = {name: page.all("meta") for name, page in site.redirections.items()}
    leads = {
        name: [meta["content"] for meta in metas if meta.get("http-equiv") == "refresh"][0]
        for name, metas in leads.items()
    }
    targets = {name: site.name_of(content.partition("url=")[2]) for name, content in leads.items()}
    assert [name for name in old if name not in targets] == []
    assert {name: target for name, target in targets.items() if target not in site.pages} == {}
    assert ours.items() <= targets.items()


def test_every_public_name_has_its_place(site):
    """On the page /api/, with a link to the notebook that it comes from."""
    page, defining = site.pages["api/index.html"], set()
    for path in sorted((ROOT / "recaptcha").glob("[!_]*.py")):
        module = read_module(path)
        names = [symbol.name for symbol in module.symbols if symbol.kind != "module"]
        defining |= {symbol.notebook.rpartition("/")[2] for symbol in module.symbols} - {""}
        assert {f"{module.name}.{name}" for name in names} <= set(page.ids)
    notebooks = {a["href"].partition("#")[0] for a in page.all("a") if a.get("aria-label", "").startswith("notebook")}
    documents = {**site.posts, **site.toolkit}
    made = {name: post for name, post in documents.items() if name.rpartition("/")[2] in defining}
    assert notebooks == {site.base + post["permalink"] for post in made.values()}


def test_a_method_is_shown_with_its_own_signature(site):
    text = site.file_of("api/index.html").read_text(encoding="utf-8")
    for module in json.loads((site.source / "_data" / "api.json").read_text(encoding="utf-8")):
        for method in [member for symbol in module["symbols"] for member in symbol["members"]]:
            signature = text.split(f'<h4 id="{method["id"]}">')[1].split('<p class="signature"><code>')[1]
            assert html.unescape(signature.split("</code>")[0]) == method["signature"], method["id"]


def test_only_the_site_is_in_the_site(site):
    tops = {post["permalink"].split("/")[1] for post in site.documents} | {
        name.split("/")[0] for name in site.redirections
    }
    assert {path.name for path in site.root.iterdir()} <= {
        "index.html",
        "404.html",
        "about",
        "api",
        "assets",
        "demo",
        "feed.xml",
        "glossary",
        "images",
        "licences",
        "manifest.webmanifest",
        "pagefind",
        "robots.txt",
        "search",
        "sitemap.xml",
        "sw.js",
        "tags",
    } | tops
    assert not [path for path in site.root.rglob("*") if path.is_file() and b"not for the site" in path.read_bytes()]


TERMS = """tile challenge grid folder-label complete-labels additional-labels annotation-round positive unobserved-label
assume-negative all-negative-baseline spml backbone head logit threshold calibration knowledge-distillation bootstrap
interval-excludes-zero precision recall noise-robust-loss flip-tta uncertainty-sampling folder-label-oracle label-source
validation-fifth""".split()


def test_the_glossary_explains_the_terms(site):
    page = site.pages["glossary/index.html"]
    assert set(TERMS) <= set(page.ids)
    assert f"{site.base}/glossary/" in {a.get("href") for a in site.pages["index.html"].all("a")}
    assert "_pages/glossary.md" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_about_and_missing_pages(site):
    about = " ".join(site.pages["about/index.html"].text.split()).replace("’", "'")
    assert "never drives a browser against reCAPTCHA" in about and site.settings["title"] in about
    assert site.base + "/" in [a.get("href") for a in site.pages["404.html"].all("a")]


def test_the_report_is_there_in_danish_and_each_leads_to_the_other(site):
    danish, english = site.pages["da/index.html"], site.pages["2026/11/23/breaking-recaptcha-v2.html"]
    assert [page.all("html")[0]["lang"] for page in (danish, english)] == ["da", "en"]
    assert "Gå til indholdet" in danish.text and "Skip to content" not in danish.text
    links = [
        {link["hreflang"]: link["href"] for link in page.all("link") if "hreflang" in link}
        for page in (danish, english)
    ]
    assert links[0] == links[1] and {key: site.name_of(link) for key, link in links[0].items()} == {
        "en": "2026/11/23/breaking-recaptcha-v2.html",
        "da": "da/index.html",
    }
    for page, other, name in ((danish, "en", "English"), (english, "da", "Dansk")):
        assert f'hreflang="{other}">{name}</a>' in page.html
