"""Writes the posts: what has changed since the last time, what has to go, what stays although its source is broken."""

import hashlib
import html
import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from PIL import Image

from .addresses import own_places, place_of, refuse
from .cite import entry
from .documents import Document, is_document, left_out, read_documents, slug_of
from .errors import NotebookError, naming, one_line, reason
from .files import read_bytes, read_text, write
from .languages import alternates
from .media import SUFFIXES
from .names import same
from .opening import run_minutes
from .patience import SECONDS, at_most
from .policy import needs
from .references import mentioned
from .site import Site
from .social import CARD, COVER, best_cover, cover_of, draw_card, draw_cover
from .standing import MARK, read_standing
from .webp import FORMATS

SOCIAL = Path("images") / "social"
COVERS = Path("_includes") / "covers"  # drawings in the theme's colours, named as the pages' pictures are
EMBLEM = COVERS / "site.svg"  # on the card of a page that has no picture


@dataclass(frozen=True)
class Cover:
    """What stands for a post: a picture, and the theme's drawing of it where it has one."""

    picture: Image.Image | None = None
    drawing: str | None = None  # its path under _includes/


@dataclass(frozen=True)
class Surroundings:
    """What a page takes from elsewhere on the site."""

    addresses: dict  # document's name -> address
    beside: list  # pictures that documents may show, from `_pictures_beside`
    alternates: dict  # document's name -> the pages that say the same in other languages


@dataclass
class Report:
    converted: list = field(default_factory=list)
    unchanged: list = field(default_factory=list)
    removed: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    problems: dict = field(default_factory=dict)  # a document's name -> what is wrong with it


@cache
def _converter_digest() -> str:
    here, digest = Path(__file__).parent, hashlib.sha256()
    for path in sorted([*here.glob("*.py"), *here.glob("*.mjs"), *here.glob("templates/**/*.*")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _mentions(text: str, name: str) -> bool:
    """Whether a file's name stands in a text, written as it is, or as JSON may have it."""
    return any(form in text for form in {name, same(name), json.dumps(name)[1:-1], json.dumps(same(name))[1:-1]})


def _digest(document: Document, site: Site, around: Surroundings, drawn: bytes) -> str:
    """Changes with all that a post is made of: its source, converter, settings, cover, the addresses and pictures in
    it.
    """
    seen = document.text + unquote(document.text)
    linked = {name: address for name, address in around.addresses.items() if _mentions(seen, Path(name).name)}
    parts = [
        document.text,
        _converter_digest(),
        asdict(replace(site, references={}, languages={})),  # words in this document's language are `site.words`
        mentioned(site.references, document.text),
        linked,
        document.redirects(site.moved),
        drawn.decode("utf-8", "replace"),
        around.alternates.get(document.name),
        [file for file in around.beside if _mentions(seen, Path(file[0]).name)],
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _shown_pictures(text: str, folder: str) -> set:
    """The files of the site that a generated page shows: its own pictures, and its cover and card."""
    quoted = text.split('"')
    own, social = f"/images/{folder}/", f"/{SOCIAL.as_posix()}/"
    shown = {
        part[part.index(own) :] for before, part in zip(quoted, quoted[1:]) if own in part and before.endswith("src=")
    }
    return shown | {part for part in quoted if part.startswith(social)}


def _is_current(post: Path, out: Path, folder: str, digest: str) -> bool:
    """Whether the page was made from just this, and all that it shows is there."""
    try:
        text = read_text(post)
    except (OSError, ValueError):
        return False
    if f"\ndigest: {json.dumps(digest)}\n" not in text.partition("\n---\n")[0]:
        return False
    return all((out / unquote(name).lstrip("/")).is_file() for name in _shown_pictures(text, folder))


def _drawing(document: Document, out: Path) -> bytes:
    """The theme's drawing for a document, or what stands on its card without one; empty where there is neither."""
    found = [path for path in (out / COVERS / f"{document.folder}.svg", out / EMBLEM) if path.is_file()]
    return read_bytes(found[0]) if found else b""


def _cover(document: Document, page, out: Path) -> Cover:
    """What stands for the post: the theme's drawing, the front matter's picture, or the page's own that suits best."""
    path = COVERS / f"{document.folder}.svg"
    if (out / path).is_file():
        return Cover(cover_of(read_bytes(out / path)), path.relative_to("_includes").as_posix())
    return Cover(_picture(document, page, out))


def _picture(document: Document, page, out: Path) -> Image.Image | None:
    """The picture that the front matter names, or else the page's own that suits best."""
    wanted = document.front.values.get("image", "").lstrip("./")
    path = (out / wanted).resolve()
    if not path.is_relative_to(out.resolve()):
        raise NotebookError(
            f"{document.name}: image: {one_line(wanted)} is not on the site; name a picture under images/"
        )
    if wanted and path.exists():
        try:
            return cover_of(read_bytes(path))
        except (OSError, ValueError) as error:
            raise NotebookError(f"{document.name}: image: {wanted}: {reason(error)}; name another picture") from None
    if wanted:
        page.warnings.append(f"{document.name}: image: {wanted} is not there; one of the page's pictures stands in")
    return best_cover([content for name, content in page.covers.items() if Path(name).suffix not in SUFFIXES])


def _kicker(document: Document, site: Site) -> str:
    """The small line above the title on a card."""
    if document.part:
        return f"{site.words['part']} {document.part.lstrip('0') or 0}"
    return site.words["toolkit"] if document.shelf else ""


def _social_files(document: Document, cover: Cover, out: Path, site: Site) -> dict:
    """{path in the site: content} of the post's card, and of its cover where that is a picture."""
    picture = cover.picture
    if picture is None and (out / EMBLEM).is_file():
        picture = cover_of(read_bytes(out / EMBLEM))
    card = draw_card(document.front.title, _kicker(document, site), site.title, picture)
    files = {SOCIAL / f"{document.folder}.png": card}
    if cover.picture and not cover.drawing:
        files[SOCIAL / f"{document.folder}.webp"] = draw_cover(cover.picture)
    return files


def _yaml(value) -> str:
    """A value as JSON that YAML reads too: what JSON lets through and YAML does not is written as an escape."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]", lambda match: f"\\u{ord(match[0]):04x}", text
    )


def _cover_keys(cover: Cover, address: str) -> dict | None:
    """The cover as the theme reads it."""
    if cover.drawing:
        return {"drawing": cover.drawing}
    return {"src": f"{address}.webp", "width": COVER[0], "height": COVER[1]} if cover.picture else None


def _post_text(document: Document, page, digest: str, cover: Cover, site: Site, alternates: list | None) -> str:
    front, address = document.front, f"/{SOCIAL.as_posix()}/{document.folder}"
    values = {"layout": "post", "title": front.title, "description": front.summary}
    values |= {
        key: str(value) if key in {"date", "last_modified_at"} else value
        for key, value in front.values.items()
        if key not in {"trusted", "use_math", "published", "translation_of"}
    }
    values |= {
        "permalink": document.permalink,
        "image": {"path": f"{address}.png", "width": CARD[0], "height": CARD[1], "alt": html.escape(front.title)},
        "cover": _cover_keys(cover, address),
        "alternates": alternates,
        "redirect_from": document.redirects(site.moved) or None,
        "notebook": document.name if document.is_notebook else None,
        "part": document.part,
        "shelf": document.shelf,
        "minutes": page.minutes,
        "run_minutes": run_minutes(document.text, site.words["time"]),
        "math": page.formulas > 0 or None,
        "allow": needs(page.body) if front.values.get("trusted") else None,
        "cite": entry(document, site),
        "digest": digest,
        "contents": page.headings,
        "render_with_liquid": False,
    }
    head = "".join(f"{key}: {_yaml(value)}\n" for key, value in values.items() if value is not None)
    return f"---\n{MARK}: {_yaml(document.name)}\n{head}---\n{page.body}"


def publish(notebooks: Path, out: Path, site: Site) -> Report:
    """Brings `out/_posts` and `out/images` up to date with the notebooks, and with the written posts in `out/_posts`.

    A document that cannot be converted is told of in the report's `problems`. It keeps its last good post, and the
    others are published without it.
    """
    if not notebooks.is_dir():
        raise NotebookError(f"{notebooks}: no such folder")
    documents, problems = read_documents(notebooks, out / "_posts")
    unpublished = [document.name for document in documents if document.front.values.get("published") is False]
    documents = [document for document in documents if document.name not in unpublished]
    names = {document.name for document in documents} | problems.keys()
    staying = [page for page in read_standing(out / "_posts") if page.source is None or page.source in names]
    problems |= refuse(documents, staying, own_places(out), site.moved)
    documents = [document for document in documents if document.name not in problems]
    report = Report(problems=problems, warnings=left_out(notebooks, out / "_posts"))
    report.warnings += [f"{name}: not published, as its front matter says" for name in unpublished]
    addresses = {page.source: site.baseurl + page.addresses[0] for page in staying if page.source in problems}
    addresses |= {document.name: site.baseurl + document.permalink for document in documents}
    around = Surroundings(
        addresses, _pictures_beside(notebooks, out / "images" / "posts"), alternates(documents, site)
    )
    for document in documents:
        try:
            with naming(document.name), at_most(SECONDS):
                _publish(document, out, site.in_language(document.front.values.get("lang")), around, report)
        except NotebookError as error:
            report.problems[document.name] = str(error)
    _remove_stale(out, documents, report)
    return report


def _picture_suffixes() -> set:
    """How the names end of files that a page can show or play."""
    found = {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS}
    return found | {".svg"} | SUFFIXES


def _pictures_beside(*folders: Path) -> list:
    """(path, size, time of the last change) of each picture that documents may show."""
    found, suffixes = [], _picture_suffixes()
    for path in [path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in suffixes]:
        with suppress(OSError):  # a link that leads nowhere
            state = path.stat()
            found.append((path.as_posix(), state.st_size, state.st_mtime_ns))
    return sorted(found)


def _publish(document: Document, out: Path, site: Site, around: Surroundings, report: Report) -> None:
    """Writes one document's page, pictures, cover and card, if anything in them has changed; its page comes last."""
    digest = _digest(document, site, around, _drawing(document, out))
    post = out / "_posts" / document.post_name
    if _is_current(post, out, document.folder, digest):
        report.unchanged.append(document.name)
        return
    page = _convert(document, site, around.addresses)
    cover, folder = _cover(document, page, out), Path("images") / document.folder
    files = {folder / name: content for name, content in page.pictures.items()}
    files |= _social_files(document, cover, out, site)
    text = _post_text(document, page, digest, cover, site, around.alternates.get(document.name))
    for path, content in files.items():
        write(out / path, content)
    write(post, text.encode("utf-8", "replace"))
    _remove_pictures(out, document.folder, files)
    report.converted.append(document.name)
    report.warnings += [f"{document.name}: {line}" for line in document.front.warnings] + page.warnings


def _convert(document: Document, site: Site, addresses: dict):
    from .exporter import convert  # nbconvert takes a second to load, and often nothing has changed
    from .markdown import Links
    from .pictures import PictureFolder

    pictures = PictureFolder(document.folder, document.name, site.baseurl, document.path.parent, document.root)
    folder = Path(site.nbs_path if document.is_notebook else "_posts", document.name).parent.as_posix()
    return convert(document.notebook(), document.front, pictures, Links(document.name, folder, addresses, site))


def _remove_pictures(out: Path, name: str, kept=()) -> None:
    """Takes away a document's pictures, cover and card, except those at the paths that are kept."""
    folder = out / "images" / name
    for path in [*folder.glob("*"), out / SOCIAL / f"{name}.webp", out / SOCIAL / f"{name}.png"]:
        if path.relative_to(out) not in kept:
            path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _remove_stale(out: Path, documents: list, report: Report) -> None:
    """Takes away generated posts whose source is gone or has another date, with the pictures of those that are gone.

    The page of a document that could not be converted stays, unless another document has its address by now.
    """
    published = [document for document in documents if document.name not in report.problems]
    posts = {document.post_name for document in published}
    taken = {place_of(document.permalink) for document in published}
    folders = {document.folder for document in documents}
    for page in read_standing(out / "_posts"):
        stays = page.source in report.problems and place_of(page.addresses[0]) not in taken
        if page.source is None or page.name in posts or stays:
            continue
        try:
            (out / "_posts" / page.name).unlink()
            report.removed.append(page.name)
            if is_document(page.source) and slug_of(page.source) not in folders:
                _remove_pictures(out, slug_of(page.source))
        except OSError as error:
            report.problems[page.name] = f"{page.name}: cannot be removed: {reason(error)}"
