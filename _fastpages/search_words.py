"""Writes what the search page has to know of words to the built site: other names of things, and every word there is.

`python -m _fastpages.search_words [_site]`. The page corrects what is typed by the words of the site's prose, and looks
for what the blog calls a thing as well: `_data/search.yml` lists names, and `recaptcha.words` those of the classes in
nine languages.
"""

import json
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import yaml
from lxml import html

from recaptcha.words import word_table

from .errors import NotebookError, one_line
from .files import write

NAMES = Path("_data") / "search.yml"
MADE = Path("search") / "words.json"
WORD = re.compile(r"[a-z]{3,30}")
NO_PROSE = "//pre | //script | //style | //*[@data-pagefind-ignore] | //*[contains(@class, 'math')]"


def plain(text: str) -> str:
    """Lower case without accents, as `plain` in assets/search.js has it."""
    text = unicodedata.normalize("NFKD", text.casefold().replace("æ", "ae").replace("ø", "o"))
    return " ".join("".join(letter for letter in text if not unicodedata.combining(letter)).split())


def class_names() -> dict:
    """Of each word for a class or another thing what the blog calls it: {"bro": ["bridge"]}."""
    found = {}
    for row in word_table():
        thing = plain(row["thing"])
        for word in map(plain, row["words"].split(";")):
            if word.removesuffix("s") != thing.removesuffix("s"):
                found.setdefault(word, [])
                found[word] += [thing] if thing not in found[word] else []
    return found


def other_names(path: Path) -> dict:
    """What `_data/search.yml` lists; NotebookError, in a line, where it is no such list. A site may have none."""
    if not path.is_file():
        return {}
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
        return {plain(name): [str(other) for other in [*others]] for name, others in listed.items()}
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise NotebookError(f"{path}: {one_line(error)}; write lines as `heatmap: [heat map]`") from None


def words_of(pages: list) -> list:
    """The words in the prose of built pages, those first that stand there most often."""
    counts = Counter()
    for page in pages:
        root = html.fromstring(page)
        for element in root.xpath(NO_PROSE):
            element.drop_tree()
        for body in root.xpath("//*[@data-pagefind-body]"):
            counts.update(WORD.findall(plain(" ".join(body.itertext()))))
    return [word for word, _ in counts.most_common()]


def main(site: str = "_site", sources: str = ".") -> None:
    """A site without the search page needs none of this."""
    site = Path(site)
    if not (site / "search" / "index.html").is_file():
        return
    pages = [path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))]
    known = words_of([page for page in pages if "data-pagefind-body" in page])
    words = {"same": class_names() | other_names(Path(sources) / NAMES), "known": " ".join(known)}
    write(site / MADE, json.dumps(words, ensure_ascii=False).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
