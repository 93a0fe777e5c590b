"""Makes tables readable: a box that scrolls by itself, figures aligned right, a styled data frame's colours kept."""

import re

import tinycss2
from lxml.html import Element

from .scan import spans
from .tree import put_into

# Of a cell's text with single spaces; longer than this is no figure.
NUMBER = re.compile(r"[-+−±]?[\d.,]*\d(e[-+]?\d+)? ?%?( ?± ?[\d.]+ ?%?)?|\d+:\d\d(:\d\d)?|NaN|nan|-?inf|None|[-–—]|")
LONGEST = 60
# What opens with a number and has little more than another, such as an interval.
SHORT = re.compile(r"[-+−±(<>≤≥≈~]?\d(?=.* ).{0,23}")
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


def _is_figure(cell) -> bool:
    text = " ".join(cell.text_content().split())
    return len(text) <= LONGEST and bool(NUMBER.fullmatch(text))


def _says_something(cell) -> bool:
    return len(cell) > 0 or bool(cell.text_content().strip())


def _is_column_of_figures(cells) -> bool:
    body = [cell for cell in cells if cell.tag == "td"]
    return any(map(_says_something, body)) and all(map(_is_figure, body))


def _pack(row) -> None:
    """Takes away the space between a row's cells."""
    row.text = None
    for cell in row:
        cell.tail = None


def _align_figures(table) -> None:
    """Marks the columns that hold nothing but figures, head included; a table with cells that span is left as it is."""
    rows = [row.xpath("td|th") for row in table.iter("tr")]
    if table.xpath(".//*[@colspan or @rowspan]") or len({len(row) for row in rows}) != 1:
        return
    for row in table.iter("tr"):
        _pack(row)
    for column in zip(*rows):
        if _is_column_of_figures(column):
            for cell in column:
                cell.set("class", "num")


def _keep_figures_whole(table) -> None:
    """Marks the short cells that open with a number and stand in a column of other things, too: they do not wrap."""
    for cell in table.iter("td"):
        if cell.get("class") != "num" and SHORT.fullmatch(" ".join(cell.text_content().split())):
            cell.set("class", "whole")


def _say_what_heads(table) -> None:
    """Says of each heading whether it heads a column or a row, unless the table does."""
    for row in table.iter("tr"):
        in_head = row.getparent().tag == "thead" or row.find("td") is None
        for heading in row.findall("th"):
            if heading.get("scope") is None:
                heading.set("scope", "col" if in_head else "row")


def dress_tables(root, name: str) -> None:
    """Puts each table of a tree into its own scrolling box, which a screen reader calls `name`."""
    for table in list(root.iter("table")):
        if table.find(".//table") is None:
            _align_figures(table)
            _keep_figures_whole(table)
        _say_what_heads(table)
        box = Element("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": name})
        put_into(box, table)
