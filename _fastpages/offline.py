"""Puts the service workers into the built site, with lists of what they keep: the demo page's, and that of the rest.

`python -m _fastpages.offline [_site]`. The lists hold each file's SHA-256, the built pages' too, so they can be made
only when the site is there. The style sheet, which Jekyll makes, gets its hash into its address first.
"""

import json
import re
import sys
from pathlib import Path
from urllib.parse import quote

from .demo import SCRIPTS
from .files import write
from .versions import digest, versioned

WORKER = SCRIPTS / "sw.js"
SITE_WORKER = Path(__file__).with_name("sw.js")
NO_LIST = 'const BUILD = { version: "", home: [], files: {} };'  # as `EMPTY`, of the worker of all pages
STYLE = Path("assets") / "main.css"
DIGITS = 16  # of a hash in the list of all pages: what is kept was fetched from the site itself
# What is for others than a reader's browser, or has a worker of its own, or is a search's.
APART = ("sw.js", "demo/", "pagefind/", "search/words.json", "images/social/", "assets/licences/")
UNQUOTED = "/~!$&'()*+,;=:@"  # what browsers leave as it is in a path
KEPT = {".html", ".css", ".js", ".mjs", ".svg", ".png", ".jpg", ".gif", ".webp", ".woff2", ".webmanifest"}
EMPTY = 'const BUILD = { version: "", files: {} };'  # the line of the worker that the list takes the place of
HTML = "text/html; charset=utf-8"
# What the page loads, told by how an address ends: as which type the worker hands it out.
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}


def loaded(page: str, base: str) -> list:
    """The addresses of this site's files that a page names and a browser would load, in the page's order, each once."""
    found = re.findall(rf'"({re.escape(base)}/[^"\s]+?(\.[a-z]+)(?:\?v=[0-9a-f]+)?)"', page)
    return list(dict.fromkeys(address for address, suffix in found if suffix in TYPES))


def build_list(site: Path) -> dict:
    """What the worker has to know: {"version": …, "files": {address: {"sha256": …, "type": …}}}.

    An address is a path on the host.
    """
    page = (site / "demo" / "index.html").read_bytes()
    scope = re.search(r'"base": "([^"]+)"', page.decode())[1]  # as the page's own script reads it
    base = scope.removesuffix("/demo/")
    files = {scope: {"sha256": digest(page), "type": HTML}}
    for address in loaded(page.decode(), base):
        path = site / address.removeprefix(f"{base}/").partition("?")[0]
        files[address] = {"sha256": digest(path.read_bytes()), "type": TYPES[path.suffix]}
    return {"version": digest(json.dumps(files).encode())[:16], "files": files}


def worker(build: dict) -> str:
    """The service worker's text, with its list."""
    return WORKER.read_text(encoding="utf-8").replace(EMPTY, f"const BUILD = {json.dumps(build, indent=1)};")


def version_style(site: Path) -> None:
    """Puts the style sheet's hash into its address on every page, as scripts have theirs."""
    style = f"/{STYLE.as_posix()}"
    if not (site / STYLE).is_file():
        return
    named = versioned(style, (site / STYLE).read_bytes())
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        write(path, re.sub(rf'{re.escape(style)}(\?v=[0-9a-f]+)?"', f'{named}"', page).encode())


def _address(name: str, content: bytes, base: str) -> str:
    """Where pages load a file of the site from."""
    address = f"{base}/{quote(name.removesuffix('index.html'), safe=UNQUOTED)}"
    own = name == STYLE.as_posix() or name.startswith("assets/") and name.endswith(".js") and name.count("/") == 1
    return versioned(address, content) if own else address


def site_list(site: Path) -> dict:
    """What the worker of all pages has to know: {"version", "home": [address], "files": {address: hash}}.

    `home` lists the home page and what it loads; hashes are cut short. Covers are kept, cards are not.
    """
    home = (site / "index.html").read_text(encoding="utf-8")
    base = re.search(rf'"([^"]*)/{re.escape(STYLE.as_posix())}', home)[1]
    files = {}
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        cover = name.startswith("images/social/") and path.suffix == ".webp"
        if path.is_file() and path.suffix in KEPT and (cover or not name.startswith(APART)):
            content = path.read_bytes()
            files[_address(name, content, base)] = digest(content)[:DIGITS]
    named = re.findall(rf'(?:src|href)="({re.escape(base)}/[^"#]*)"', home)
    loads = [address for address in dict.fromkeys(named) if address in files and not address.endswith(("/", ".html"))]
    return {"version": digest(json.dumps(files).encode())[:DIGITS], "home": [f"{base}/", *loads], "files": files}


def site_worker(build: dict) -> str:
    """The text of the worker of all pages, with its list."""
    return SITE_WORKER.read_text(encoding="utf-8").replace(NO_LIST, f"const BUILD = {json.dumps(build, indent=1)};")


def main(site: str = "_site") -> None:
    """Both workers; a site without the demo page needs one, one without a home page none."""
    site = Path(site)
    version_style(site)
    if (site / "demo" / "index.html").is_file():
        write(site / "demo" / "sw.js", worker(build_list(site)).encode())
    if (site / "index.html").is_file():
        write(site / "sw.js", site_worker(site_list(site)).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
