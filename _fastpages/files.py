"""Reads and writes the blog's files: only regular ones of a bounded size, and what is written is whole or not there."""

import codecs
from contextlib import suppress
from pathlib import Path

from recaptcha.files import regular, written

MEGABYTE = 1_000_000
# Bytes of a document or picture that are read at all.
MOST = {".ipynb": 50 * MEGABYTE, ".md": MEGABYTE, ".markdown": MEGABYTE}
MOST_OF_OTHERS = 20 * MEGABYTE


def read_bytes(path: Path) -> bytes:
    """What a file holds. ValueError, in one line, where it is a pipe, a device or a folder, or too large."""
    most = MOST.get(path.suffix, MOST_OF_OTHERS)
    with regular(path).open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(
            f"larger than {most // MEGABYTE} MB: clear outputs that nobody needs, or make its pictures smaller"
        )
    return content


def _decoded(content: bytes) -> str:
    """The text, by the byte order mark that it may open with; without one it is UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with suppress(UnicodeDecodeError):  # of what only begins like it, the error below tells
            return content.decode("utf-16")
    return content.decode("utf-8-sig")


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 that says so; its lines end as Python's do."""
    return _decoded(read_bytes(path)).replace("\r\n", "\n").replace("\r", "\n")


def write(path: Path, content: bytes) -> None:
    """Puts the content at `path`, with the folders that it needs; nothing is touched where it is there already.

    It does not wait for the disk: a build writes hundreds of files, and makes again what is lost.
    """
    if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path, "wb", wait=False) as file:
        file.write(content)
