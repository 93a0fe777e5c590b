"""Makes tables readable: a box that scrolls by itself, figures aligned right, a styled data frame's colours kept."""

import re
from html import escape

import tinycss2

from .scan import spans, strip_tags

# Of a cell's text with single spaces; longer than this is no figure.
NUMBER = re.compile(r"[-+−±]?[\d.,]*\d(e[-+]?\d+)? ?%?( ?± ?[\d.]+ ?%?)?|\d+:\d\d(:\d\d)?|NaN|nan|-?inf|None|[-–—]|")
LONGEST = 60
CELL = re.compile(r"<(t[dh])((?:\s[^>]*)?)>(.*?)</\1>", re.S)
ROW = re.compile(r"(<tr(?:\s[^>]*)?>)(.*?)(</tr>)", re.S)
NUM = ' class="num"'
NAMED = re.compile(r"#(T_\w+_row\d+_col\d+)\s*(?:,|$)")  # a cell in a Styler's sheet
LONGEST_STYLE = 1000  # characters on one cell


def _take_rule(rule, rules: dict) -> None:
    """Adds a rule's style to what `rules` has for the cells that it names, as far as a cell's style may grow."""
    style = tinycss2.serialize(rule.content).strip().rstrip(";")
    for name in NAMED.findall(tinycss2.serialize(rule.prelude).strip()):
        longer = f"{rules[name]}; {style}" if name in rules else style
        if len(longer) <= LONGEST_STYLE:
            rules[name] = longer


def inline_styles(html: str) -> str:
    """Writes the rules of a pandas Styler's `<style>` (`#T_ab_row0_col1 {color: red}`) onto the cells that they name.

    The sanitiser then drops the sheet and judges what was written property by property.
    """
    rules = {}
    for start, end in spans(html, r"<style\b", "</style>"):
        sheet = html[start : end - len("</style>")].partition(">")[2]
        for rule in tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True):
            if rule.type == "qualified-rule":
                _take_rule(rule, rules)
    if not rules:
        return html

    def add_style(match):
        style = rules.get(match[2], "").replace("&", "&amp;").replace('"', "&quot;")
        return f'{match[1]} style="{style}"' if style else match[0]

    return re.sub(r'(<t[dh]\s+id="(T_\w+)")', add_style, html)


def _is_figure(html: str) -> bool:
    text = " ".join(strip_tags(html).split())
    return len(text) <= LONGEST and bool(NUMBER.fullmatch(text))


def _align_figures(table: str) -> str:
    """Marks the columns that hold nothing but figures, head included; a table with cells that span is left as it is."""
    rows = [CELL.findall(row[1]) for row in ROW.findall(table)]
    if re.search(r"\s(col|row)span=", table) or len({len(row) for row in rows}) != 1:
        return table
    figures = set()
    for number, column in enumerate(zip(*rows)):
        body = [text for tag, _, text in column if tag == "td"]
        if any(text.strip() for text in body) and all(_is_figure(text) for text in body):
            figures.add(number)

    def mark(row):
        cells = [
            f"<{tag}{rest}{NUM if number in figures else ''}>{text}</{tag}>"
            for number, (tag, rest, text) in enumerate(CELL.findall(row[2]))
        ]
        return row[1] + "".join(cells) + row[3]

    return ROW.sub(mark, table)


def dress_tables(html: str, name: str) -> str:
    """Puts each table of a sanitised fragment into its own scrolling box, which a screen reader calls `name`."""
    if "<table" not in html:
        return html
    html = re.sub(r"<table\b(?:(?!<table\b).)*?</table>", lambda table: _align_figures(table[0]), html, flags=re.S)
    box = f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}">'
    return re.sub(r"<table\b", lambda table: box + table[0], html).replace("</table>", "</table></div>")
