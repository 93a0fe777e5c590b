"""Pages in another language: their words, their links to each other, and the same numbers as the original."""

import re

import pytest
import yaml
from notebook_kit import ROOT, front

from _fastpages.errors import NotebookError
from _fastpages.front_matter import read
from _fastpages.site import read_words

DANISH = ROOT / "_posts/2026-11-26-knaek-recaptcha-v2.md"
ENGLISH = ROOT / "_posts/2026-11-23-breaking-recaptcha-v2.md"
POST = "---\ntitle: {}\ndate: 2026-03-0{}\n{}---\nText.[^1]\n\n[^1]: A note.\n"


@pytest.mark.parametrize("path", sorted((ROOT / "_data/languages").glob("*.yml")), ids=lambda path: path.stem)
def test_a_language_has_all_words_and_puts_in_as_much(path):
    own, theirs = read_words(ROOT / "_data/words.yml"), read_words(path)
    assert theirs.keys() == own.keys()
    assert [key for key, word in own.items() if word.count("{}") != theirs[key].count("{}")] == []
    assert len(theirs["months"].split()) == 12


def numbers(text: str, point: str, comma: str) -> list:
    """The numbers of each section but its last two, which have references, in the English way."""
    text = re.sub(r"\]\([^)]*\)|^(?:date|categories|permalink).*$|`[^`]*`", "", text, flags=re.M)
    found = [re.findall(r"\d+(?:[.,]\d+)*", section) for section in re.split(r"^## ", text, flags=re.M)[:-1]]
    english = str.maketrans({point: ".", comma: ","})
    return [sorted(number.translate(english) for number in section) for section in found]


def test_the_danish_report_has_the_numbers_of_the_english_one():
    danish = numbers(DANISH.read_text(encoding="utf-8").partition("\n---\n")[2], ",", ".")
    english = numbers(ENGLISH.read_text(encoding="utf-8").partition("\n---\n")[2], ".", ",")
    assert danish == english and sum(map(len, english)) > 60


def test_a_translation_is_written_in_its_words_and_both_lead_to_each_other(blog):
    words = {**yaml.safe_load((ROOT / "_data/words.yml").read_text(encoding="utf-8")), "language": "English"}
    folder = blog.root / "_data/languages"
    folder.mkdir(parents=True)
    danish = words | {"language": "Dansk", "footnotes": "Fodnoter"}
    (folder / "da.yml").write_text(yaml.safe_dump(danish, allow_unicode=True), encoding="utf-8")
    posts = blog.root / "_posts"
    posts.mkdir(exist_ok=True)
    (posts / "2026-03-04-one.md").write_text(POST.format("One", 4, ""))
    (posts / "2026-03-05-en.md").write_text(POST.format("En", 5, "lang: da\ntranslation_of: 2026-03-04-one.md\n"))
    assert blog.convert() == 0
    pages = blog.posts()
    one, en = pages["2026-03-04-one.html"], pages["2026-03-05-en.html"]
    assert "Fodnoter" in en and "Fodnoter" not in one
    both = [
        {"url": "/2026/03/04/one.html", "name": "English"},
        {"url": "/2026/03/05/en.html", "name": "Dansk", "lang": "da"},
    ]
    assert front(one)["alternates"] == front(en)["alternates"] == both
    assert front(en)["lang"] == "da" and "translation_of" not in front(en)


def test_a_translation_of_nothing_is_told(blog, capsys):
    (blog.root / "_posts").mkdir(exist_ok=True)
    (blog.root / "_posts/2026-03-05-en.md").write_text(POST.format("En", 5, "translation_of: 2026-03-04-one.md\n"))
    assert blog.convert() == 0
    assert "translation_of: there is no 2026-03-04-one.md" in capsys.readouterr().err


def test_a_language_that_is_none_is_refused():
    with pytest.raises(NotebookError, match="lang: expected a language"):
        read([{"cell_type": "raw", "source": "---\ntitle: T\ndate: 2026-03-04\nlang: in Danish\n---"}], "x.md")
