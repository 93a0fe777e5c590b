"""What the tests of the built blog share: the site, its pages taken apart, a host that serves them as real ones do.

The site is of the repository's notebooks with posts of our own, built by Jekyll and indexed by Pagefind in a temporary
folder.
"""

import configparser
import gzip
import json
import mimetypes
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from notebook_kit import ROOT
from site_posts import OUR_LOSS, write_our_posts

from _fastpages import feed, offline, search_words

SITE_PARTS = {
    "_config.yml",
    "Gemfile",
    "_layouts",
    "_includes",
    "_sass",
    "_data",
    "_pages",
    "_posts",
    "_notebooks",
    "assets",
    "demo",
    "images",
    "index.html",
    "manifest.webmanifest",
    "settings.ini",
}
MODULES = ROOT / "node_modules"


def needed(path, name, target):
    """`path` as text; the tests fail where there is nothing, since a skipped one looks like a passed one."""
    if not path or not Path(path).exists():
        pytest.fail(f"the tests of the blog need {name}: run `make {target}`", pytrace=False)
    return str(path)


def program(name, target):
    """Where a program is: the environment's own, or else the system's."""
    own = Path(sys.executable).with_name(name)
    return needed(own if own.is_file() else shutil.which(name), name, target)


def run(*command, cwd):
    environment = {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "BUNDLE_SILENCE_ROOT_WARNING": "1",
        "BUNDLE_GEMFILE": str(ROOT / "Gemfile"),
        "JEKYLL_ENV": "production",
    }
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def copy_sources(source):
    """The site's parts, without what is made from others; the rest by name, with a page that is not for the site."""
    listed = run(
        "git", "ls-files", "-coz", "--exclude-standard", cwd=ROOT
    )  # what a developer keeps beside is not looked at
    files = listed.stdout.strip("\0").split("\0")
    if listed.returncode:  # not a checkout
        files = [
            path.relative_to(ROOT).as_posix()
            for top in ROOT.iterdir()
            for path in (top, *(top.rglob("*") if top.name in SITE_PARTS else ()))
        ]
    for name in files:
        if name.split("/")[0] in SITE_PARTS and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    for name in (
        ({name.split("/")[0] for name in files} | {"results", "data"}) - SITE_PARTS - {"Gemfile.lock", "_settings.yml"}
    ):
        decoy = source / name if (ROOT / name).is_file() else source / name / "inside.md"
        decoy.parent.mkdir(exist_ok=True)
        decoy.write_text("---\n---\nnot for the site")


def build(source):
    """The site of the repository's documents and ours, built in the empty folder `source`."""
    bundle, node = program("bundle", "system"), program("node", "site")
    pagefind = needed(MODULES / ".bin" / "pagefind", "Pagefind", "site")
    copy_sources(source)
    write_our_posts(source)
    if run(bundle, "check", cwd=source).returncode:
        pytest.fail("the tests of the blog need the gems of the Gemfile: run `make site`", pytrace=False)
    done = subprocess.run(
        [sys.executable, "-m", "_fastpages", "--notebooks", source / "_notebooks", "--out", source],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    lost = [line for line in done.stderr.split("\n") if "its source is shown" in line and OUR_LOSS not in line]
    if done.returncode or lost:
        pytest.fail(f"not all could be converted: {done.stderr}", pytrace=False)
    built = run(bundle, "exec", "jekyll", "build", "--config", "_config.yml,_settings.yml", "-d", "_site", cwd=source)
    if built.returncode or re.search(r"Warning:|Deprecation:|Conflict:|Invalid date", built.stderr + built.stdout):
        pytest.fail(f"Jekyll: {built.stderr}{built.stdout}", pytrace=False)
    indexed = run(node, pagefind, "--site", "_site", cwd=source)
    if indexed.returncode:
        pytest.fail(f"Pagefind: {indexed.stderr}{indexed.stdout}", pytrace=False)
    feed.main(source / "_site")
    search_words.main(source / "_site", source)
    offline.main(source / "_site")
    return Site(source, done.stderr.split("\n"))


class Site:
    def __init__(self, source, told):
        self.source, self.root, self.told = source, source / "_site", told  # told: what the converter said of losses
        ini = configparser.ConfigParser()
        ini.read(ROOT / "settings.ini", encoding="utf-8")
        self.settings = ini["DEFAULT"]
        self.base, self.repository = self.settings["doc_baseurl"], f"{self.settings['user']}/{self.settings['repo']}"
        self.host = self.settings["doc_host"]
        found = {path.relative_to(self.root).as_posix(): Page(path) for path in sorted(self.root.rglob("*.html"))}
        self.redirections = {
            name: page
            for name, page in found.items()
            if any(tag.get("http-equiv") == "refresh" for tag in page.all("meta"))
        }
        self.pages = {name: page for name, page in found.items() if name not in self.redirections}
        self.posts, self.toolkit, self.written = {}, {}, []  # of notebooks by their names, the series and the toolkit
        for path in sorted((source / "_posts").glob("*.html")):
            front = dict(
                line.split(": ", 1) for line in path.read_text(encoding="utf-8").split("\n---\n")[0].split("\n")[1:]
            )
            front = {key: json.loads(value) for key, value in front.items()}
            post = front | {"page": self.pages[self.name_of(front["permalink"])]}
            if "notebook" in post:
                (self.toolkit if "shelf" in post else self.posts)[post["notebook"]] = post
            else:
                self.written.append(post)

    @property
    def documents(self):
        """Every post: of the series, the toolkit, and those written by hand."""
        return [*self.posts.values(), *self.toolkit.values(), *self.written]

    def name_of(self, address):
        """What the page of an address of the site's own is called in `pages`; with or without host and base."""
        path = unquote(urlsplit(address.removeprefix(self.host)).path.removeprefix(self.base)).lstrip("/")
        return path + "index.html" if path == "" or path.endswith("/") else path

    def file_of(self, address):
        """The built file that an address of the site's own is served from."""
        return self.root / self.name_of(address)

    def path_of(self, name):
        """The address on its host of the page that `pages` calls `name`."""
        return f"{self.base}/{name.removesuffix('index.html')}"


class Page(HTMLParser):
    """A page's tags, ids and text."""

    def __init__(self, path):
        super().__init__()
        self.html = path.read_text(encoding="utf-8")
        self.tags, self.ids, self.text, self.skipped = [], [], "", 0
        self.feed(self.html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.ids += [value for name, value in attributes if name == "id"]
        self.skipped += tag in {"script", "style"}

    def handle_endtag(self, tag):
        self.skipped -= tag in {"script", "style"}

    def handle_data(self, data):
        self.text += "" if self.skipped else data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


class Host(BaseHTTPRequestHandler):
    """One request for a file of `server.site`; text goes gzipped, and for what is missing the site's page for that."""

    protocol_version = "HTTP/1.1"

    def handle(self):
        with suppress(ConnectionError):  # a reader who left before all had arrived
            super().handle()

    def do_GET(self):
        site, path = self.server.site, urlsplit(self.path).path
        file = site.file_of(path) if path.startswith(f"{site.base}/") else None
        status, file = (200, file) if file and file.is_file() else (404, site.root / "404.html")
        kind, body = mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes()
        self.send_response(status)
        if re.search(r"text|javascript|json|xml", kind):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def serve(site):
    """Serves the site on this machine as long as the block runs; gives scheme, host and port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.site = site
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
