"""Puts the demo page's service worker into the built site, with the list of what the page is made of.

`python -m _fastpages.offline [_site]`. The list holds each file's SHA-256, the built page's too, so it can be made only
when the site is there.
"""

import json
import re
import sys
from pathlib import Path

from .demo import SCRIPTS
from .files import write
from .versions import digest

WORKER = SCRIPTS / "sw.js"
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


def main(site: str = "_site") -> None:
    """A site without the demo page needs none of this."""
    site = Path(site)
    if (site / "demo" / "index.html").is_file():
        write(site / "demo" / "sw.js", worker(build_list(site)).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
