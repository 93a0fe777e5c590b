"""Puts the licences of what the site carries from others beside it, as text files that the page /licences/ leads to.

They come from the packages themselves. A package that brings none has its release's files in `licences/NAME@VERSION/`,
unchanged.
"""

import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from .errors import NotebookError
from .files import write

ROOT = Path(__file__).parent.parent
MODULES, KEPT = ROOT / "node_modules", Path(__file__).with_name("licences")
FONT = MODULES / "katex" / "dist" / "fonts" / "KaTeX_Main-Regular.ttf"
OURS, TILES = ROOT / "LICENSE", ROOT / "images" / "demo" / "LICENSE"
MADE = Path("assets") / "licences"
NOTICE = re.compile(r"licen[sc]e|notice|third.?party", re.I)  # how a file's name begins, or its folder's
LICENCE_OF_FONT, WINDOWS = 13, 3  # an entry of a font's table of names; who reads it, and so how it is encoded


@dataclass(frozen=True)
class Part:
    """Something that the site is made of."""

    name: str
    version: str  # of a package
    files: dict  # its licence and notices: {name: content}


def package_notices(name: str, version: str) -> dict:
    """The licence and the notices of an npm package, {name of the file: content}."""
    for folder in (MODULES / name, KEPT / f"{name}@{version}"):
        named = [path for path in sorted(folder.glob("*")) if NOTICE.match(path.name)]
        files = [file for path in named for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
        if files:
            return {path.name.removesuffix(".txt"): path.read_bytes() for path in files}
    place = KEPT.relative_to(ROOT).as_posix()
    raise NotebookError(f"{name} {version} brings no licence: put its release's into {place}/{name}@{version}/")


def font_notice(font: bytes) -> str:
    """What a TrueType font says of its licence, in its table `name`."""
    tables = struct.unpack_from(">H", font, 4)[0]
    entries = [struct.unpack_from(">4sIII", font, 12 + 16 * number) for number in range(tables)]
    start = {tag: offset for tag, _, offset, _ in entries}[b"name"]
    _, count, strings = struct.unpack_from(">HHH", font, start)
    for number in range(count):
        platform, _, _, entry, length, offset = struct.unpack_from(">6H", font, start + 6 + 12 * number)
        if (platform, entry) == (WINDOWS, LICENCE_OF_FONT):
            at = start + strings + offset
            return font[at : at + length].decode("utf-16-be")
    raise NotebookError("a font of KaTeX does not name its licence")


def parts() -> list:
    """The `Part`s: the site itself, the tiles in its pictures, the npm packages, the fonts that one of these brings."""
    found = [Part("site", "", {"LICENSE": OURS.read_bytes()})]
    found.append(Part("recaptcha-dataset", "", {"LICENSE": TILES.read_bytes()}))
    for name in json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]:
        version = json.loads((MODULES / name / "package.json").read_text(encoding="utf-8"))["version"]
        found.append(Part(name, version, package_notices(name, version)))
    found.append(Part("katex-fonts", "", {"LICENSE": font_notice(FONT.read_bytes()).encode()}))
    return found


def publish_licences(out: Path) -> None:
    """Fills `out/assets/licences`, and writes to `out/_data/licences.json` what its page lists.

    That is [{"name", "version", "files": [{"name", "path"}]}]. A site without the page needs neither.
    """
    if not (out / "_pages" / "licences.html").is_file():
        return
    try:
        found = parts()
    except OSError as error:
        missing = f"the page of licences needs {error.filename}: `make site` installs what is not in the repository"
        raise NotebookError(missing) from None
    listed = []
    for part in found:
        paths = {name: MADE / part.name / f"{name}.txt" for name in part.files}
        for name, content in part.files.items():
            write(out / paths[name], content)
        files = [{"name": name, "path": f"/{path.as_posix()}"} for name, path in paths.items()]
        listed.append({"name": part.name, "version": part.version, "files": files})
    write(out / "_data" / "licences.json", (json.dumps(listed, indent=1) + "\n").encode())
