"""Reads the comments and tags that say how to show a cell: `#hide`, `#| hide_input`, `#| alt: ...`, `remove-cell`."""

import io
import re
import textwrap
import tokenize

from . import plain_yaml
from .symbols import LONGEST, is_export

# What a word asks of the page; a hyphen is as good as the underscore, and a capital as the small letter.
EFFECTS = {
    "hide": "hide",
    "hide_cell": "hide",
    "hide_in_docs": "hide",
    "remove": "hide",
    "remove_cell": "hide",
    "hide_input": "hide_input",
    "remove_input": "hide_input",
    "hide_code": "hide_input",
    "remove_code": "hide_input",
    "hide_output": "hide_output",
    "remove_output": "hide_output",
    "collapse": "collapse",
    "collapse_hide": "collapse",
    "collapse_input": "collapse",
    "collapse_show": "collapse_show",
    "collapse_output": "collapse_output",
    "remove_stderr": "hide_stderr",
    "remove_stdout": "hide_stdout",
}
# The same in Quarto's words, each with its value.
OPTIONS = {
    "include: false": "hide",
    "echo: false": "hide_input",
    "output: false": "hide_output",
    "results: hide": "hide_output",
    "code_fold: true": "collapse",
    "code_fold: show": "collapse_show",
    "code_fold: false": "unfolded",
    "warning: false": "hide_stderr",
}
TRUTHS = {"no": "false", "off": "false", "yes": "true", "on": "true"}
# What a cell says in words of its own: the names of the option, and what it is called among the wishes.
TEXTS = {
    "alt": "alt",
    "fig_alt": "alt",
    "caption": "caption",
    "fig_cap": "caption",
    "tbl_cap": "table_caption",
    "code_summary": "summary",
    "label": "label",
}
SEVERAL = {"alt", "caption", "table_caption"}  # perhaps a list of them
# The old spelling (`#hide`, no bar) is an ordinary comment unless it is exactly one of these words.
OLD_EXPORTS = {"export", "exporti", "exports", "default_exp", "notest", "skip"}
OLD_TARGET = re.compile(r"#(exports?|exporti|default_exp)[ \t]+[\w.]+\s*$")  # with a module's name, close to the mark
OLD_TEXT = re.compile(r"#\s?((?:fig-)?(?:alt|cap):.+)")

NEW = re.compile(r"(?:#|//)\s*\|")
OLD = re.compile(r"(?:#|//)([ \t]*)([\w-]+)")
HIDDEN_LINE = re.compile(r"#\s*\|\s*hide_line\s*$")


def _name(word: str) -> str:
    return word.strip().lower().replace("-", "_")


def _old_directive(line: str):
    match = OLD.fullmatch(line.strip())
    if match and _name(match[2]) in EFFECTS:
        return _name(match[2])
    if match and (match[2] if match[1] else match[2].lower()) in OLD_EXPORTS:  # "# Export" is a comment
        return match[2].lower()
    if match := OLD_TEXT.match(line):
        return match[1]
    return "export" if OLD_TARGET.match(line) else None


def _directive(line: str):
    """What a line asks for, in either spelling; None where it is an ordinary one."""
    line = line.rstrip()
    if new := NEW.match(line.lstrip()):
        return line.lstrip()[new.end() :].rstrip()
    return _old_directive(line)


def _value(text: str):
    """An option's value: text without its quotation marks, or a list of such texts."""
    text = textwrap.dedent(text).strip()
    if re.match(r"[-\[|>] ?", text):
        try:
            value = plain_yaml.load(text)
        except ValueError:
            value = text
        return [str(item) for item in value] if isinstance(value, list) else str(value).strip()
    return text.strip("\"'")


def _effect(key: str, value: str):
    """What an option asks of the page; None where it means nothing here."""
    value = TRUTHS.get(value.lower(), value.lower())
    if f"{key}: {value}" in OPTIONS:
        return OPTIONS[f"{key}: {value}"]
    return EFFECTS.get(key) if value in {"", "true"} else None


def _take(words: str, wishes: dict) -> None:
    """Adds what a directive asks for to the wishes."""
    key, colon, value = words.partition(":")
    key, value = _name(key), _value(value)
    if key in TEXTS and colon:
        several = TEXTS[key] in SEVERAL
        wishes[TEXTS[key]] = value if several or isinstance(value, str) else " ".join(value)
    elif is_export(words.strip().lower()):
        wishes["export"] = True
    elif isinstance(value, str) and (effect := _effect(key, value)):
        wishes[effect] = True


def _comment_lines(source: str) -> set:
    """The numbers of the lines that are comments and no part of a string; empty where it is no Python."""
    plain = re.sub(r"^([ \t]*)[%!?].*", r"\1pass", source, flags=re.M)
    found = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(plain).readline):
            if token.type == tokenize.COMMENT and token.start[1] == 0:
                found.add(token.start[0])
    except (tokenize.TokenError, SyntaxError, IndentationError):
        pass  # what was found until there
    return found


def _later_directives(lines: list) -> dict:
    """{place in the list: what it asks for} of the lines below the first code that ask how to show the cell."""
    wanted = {place: _directive(line) for place, line in enumerate(lines) if line.startswith("#")}
    wanted = {place: words for place, words in wanted.items() if words and _effect(*_split(words))}
    source = "\n".join(lines)
    if not wanted or len(source) > LONGEST:
        return {}
    comments = _comment_lines(source)
    return {place: words for place, words in wanted.items() if place + 1 in comments}


def _split(words: str) -> tuple:
    key, _, value = words.partition(":")
    return _name(key), value.strip()


def _head(lines: list) -> tuple:
    """(what the directives above the first code ask for, the other lines there, how many lines it takes)."""
    asked, kept = [], []
    for number, line in enumerate(lines):
        words = _directive(line)
        if words is not None:
            if asked and NEW.match(line.lstrip()) and words[:2].isspace():  # goes on with the option above
                asked[-1] += f"\n{words}"
            else:
                asked.append(words.strip())
            continue
        if line.strip() and not line.lstrip().startswith(("%%", "#", "//")):
            return asked, kept, number
        kept.append(line)
    return asked, kept, len(lines)


def read_directives(source: str):
    """(what the cell's directives ask for, its source without them).

    The first is a dict: each effect of `EFFECTS` that was asked for is True, `alt`, `caption`, `table_caption`,
    `summary` and `label` hold words (the first three perhaps a list of them), and `export` is True of a cell that goes
    to a module.
    """
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    asked, kept, place = _head(lines)
    body = [line for line in lines[place:] if not HIDDEN_LINE.search(line)]
    later = _later_directives(body)
    wishes = {}
    for words in [*asked, *later.values()]:
        _take(words, wishes)
    kept += [line for number, line in enumerate(body) if number not in later]
    return wishes, "\n".join(kept).strip("\n")


def is_hidden_markdown(source: str) -> bool:
    """Whether a markdown cell opens with `#hide`; `# Hide` is a heading."""
    line = source.strip().split("\n")[0].strip()
    return _old_directive(line) == "hide" and (line.startswith(("#h", "#H")) or line == line.lower())


def read_metadata(metadata) -> dict:
    """What the tags of a cell ask for, and what other programs leave beside them."""
    tags, jupyter = metadata.get("tags"), metadata.get("jupyter")
    wishes = {}
    for tag in tags if isinstance(tags, list) else []:
        _take(str(tag), wishes)
    if metadata.get("hide_input") is True:
        wishes["hide_input"] = True
    if isinstance(jupyter, dict):
        wishes |= {"collapse": True} if jupyter.get("source_hidden") is True else {}
        wishes |= {"collapse_output": True} if jupyter.get("outputs_hidden") is True else {}
    for key, value in metadata.items():
        if TEXTS.get(_name(key)) in SEVERAL and isinstance(value, str):
            wishes[TEXTS[_name(key)]] = value
    return wishes
