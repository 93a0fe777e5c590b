"""Addresses that carry their content's hash: a page gets the script that it was built with, never an older one."""

import base64
import hashlib
import json
from pathlib import Path

from .files import write

HEX = 32  # digits of a SHA-256 in an address: 128 bits


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def versioned(name: str, content: bytes) -> str:
    """`name` with `?v=` and the first half of its content's hash."""
    return f"{name}?v={digest(content)[:HEX]}"


def integrity(content: bytes) -> str:
    """What a page says of a script so that a browser runs that one and no other (Subresource Integrity)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"


def publish_versions(out: Path) -> None:
    """Writes where the scripts of all pages are to `out/_data/scripts.json`: {"site": "/assets/site.js?v=…"}."""
    paths = sorted((out / "assets").glob("*.js"))
    scripts = {path.stem: versioned(f"/assets/{path.name}", path.read_bytes()) for path in paths}
    write(out / "_data" / "scripts.json", (json.dumps(scripts, indent=1) + "\n").encode())
