"""What the site is called and where it lives (settings.ini, the only place that names owner and repository), and its
words.
"""
import configparser
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from .addresses import tidy_old
from .errors import NotebookError, one_line
from .files import write
from .references import read_references


@dataclass(frozen=True)
class Site:
    title: str
    description: str
    author: str
    url: str  # scheme and host, no path
    baseurl: str  # "" or "/path", no slash at the end
    repository: str  # owner/name
    branch: str
    nbs_path: str
    lib_path: str
    words: dict  # what the pages say by themselves, from _data/words.yml
    references: dict  # key -> a work that texts cite, from _data/references.bib
    moved: dict  # old address -> the document that has moved from there, from _data/moved.yml
    languages: dict = field(default_factory=dict)  # language -> the same words in it, from _data/languages/

    @property
    def source_url(self) -> str:
        """Where a file of the repository is shown, to be followed by its path."""
        return f"https://github.com/{self.repository}/blob/{self.branch}/"

    def in_language(self, language: str | None) -> "Site":
        """The site with the words of another language, or with its own where it has none in that."""
        return replace(self, words=self.languages.get(language, self.words))


def read_settings(path: Path, baseurl: str | None = None) -> Site:
    """The site's settings; `baseurl` stands in for the file's when it is given."""
    ini = configparser.ConfigParser()
    try:
        if not ini.read(path, encoding="utf-8-sig"):
            raise NotebookError(f"{path}: not found")
        get = ini["DEFAULT"].__getitem__
        prefix = get("doc_baseurl") if baseurl is None else baseurl
        return Site(
            title=get("title"),
            description=get("description"),
            author=get("author"),
            url=get("doc_host").rstrip("/"),
            baseurl="/" + prefix.strip("/") if prefix.strip("/") else "",
            repository=f"{get('user')}/{get('repo')}",
            branch=get("branch"),
            nbs_path=get("nbs_path"),
            lib_path=get("lib_path"),
            words=read_words(path.parent / "_data" / "words.yml"),
            references=read_references(path.parent / "_data" / "references.bib"),
            moved=read_moved(path.parent / "_data" / "moved.yml"),
            languages=read_languages(path.parent / "_data" / "languages"),
        )
    except KeyError as error:
        raise NotebookError(f"{path}: {error.args[0]}: missing") from None
    except configparser.Error as error:
        raise NotebookError(f"{path}: {' '.join(str(error).split())}") from None


# The words that posts are written with; the theme takes its own from the same file.
NEEDED = set(
    "anchor audio caution code code_command code_export code_test cut_lines cut_output download enlarge figure "
    "footnote_back footnotes important language not_shown note output picture picture_under preview_twitter "
    "preview_youtube references table time tip toolkit twitter video warning youtube".split()
)


def read_words(path: Path) -> dict:
    """The site's words in its reader's language."""
    try:
        words = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise NotebookError(f"{path}: {' '.join(str(error).split())}") from None
    missing = sorted(NEEDED - words.keys()) if isinstance(words, dict) else sorted(NEEDED)
    if missing:
        raise NotebookError(f"{path}: {', '.join(missing)}: missing")
    return {key: str(word) for key, word in words.items()}


def read_languages(folder: Path) -> dict:
    """Language -> the site's words in it, a file a language; none where there is no such folder."""
    return {path.stem: read_words(path) for path in sorted(folder.glob("*.yml"))}


def read_moved(path: Path) -> dict:
    """The old addresses that lead on; none where there is no such table."""
    if not path.is_file():
        return {}
    try:
        moved = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
        return {tidy_old(address): str(name) for address, name in moved.items()}
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise NotebookError(f"{path}: {one_line(error)}") from None


def write_site_config(site: Site, path: Path) -> None:
    """The settings as Jekyll reads them, in a second configuration file beside `_config.yml`."""
    pairs = {"title": site.title, "description": site.description, "author": {"name": site.author}, "url": site.url,
             "baseurl": site.baseurl, "repository": site.repository, "branch": site.branch, "nbs_path": site.nbs_path}
    lines = ["# Written by `python -m _fastpages` from settings.ini: change that, not this."]
    lines += [
        f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in pairs.items()
    ]  # a JSON value is a YAML value
    write(path, ("\n".join(lines) + "\n").encode())
