r"""Rewrites TeX that KaTeX can't read into what it can: environments, definitions, `\label` and `\eqref`."""

import re
from dataclasses import dataclass, field

from .losses import Losses

NAME = r"\{?(\\[a-zA-Z@]+)\}?"
DEFINITION = re.compile(r"\\(?:re|provide)?newcommand\*?\s*" + NAME + r"(?:\s*\[(\d)\]\s*\[([^\[\]]{0,200})\])?")
BRACES = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\}){0,300})\}"
OPERATOR = re.compile(r"\\DeclareMathOperator(\*?)\s*" + NAME + r"\s*" + BRACES)
DELIMITERS = re.compile(r"\\DeclarePairedDelimiter\s*" + NAME + r"\s*" + BRACES + r"\s*" + BRACES)
PACKAGE = r"\\(?:require|usepackage)\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}"
NOTHING = re.compile(rf"{PACKAGE}|\\IEEE(?:eqnarraynumspace|yesnumber|nonumber)")
SAME = {r"\mathds": r"\mathbb", r"\textsc": r"\text", r"\textup": r"\text", r"\ensuremath": "", r"\mathbbm": r"\mathbb"}
WORD = re.compile("|".join(rf"{re.escape(word)}(?![a-zA-Z])" for word in SAME))

LABEL = re.compile(r"\s*\\label\s*\{([^{}]*)\}")
TAG = re.compile(r"\\tag\*?\s*\{([^{}]*)\}")
REFERENCE = re.compile(r"\\(eq|auto|c|C)?ref\s*\{([^{}]*)\}")
OUTER = re.compile(r"\s*\\begin\{(\w+)(\*?)\}(.*)\\end\{\1\2\}\s*", re.S)
NUMBERED = {"align", "alignat", "equation", "gather"}  # whose rows KaTeX numbers by itself
ROWS = {"align", "alignat", "gather"}
BREAK = re.compile(r"\\\\(?:\[[^\]]*\])?")
INNER = re.compile(r"\\(begin|end)\{(\w+\*?)\}")

ENVIRONMENT = re.compile(r"\\(begin|end)\{([a-zA-Z]+)(\*?)\}(?:\{[^{}]*\})?")
UNWRAPPED = {"displaymath", "dmath", "empheq", "math", "spreadlines", "subequations"}
RENAMED = {"flalign": "align", "multlined": "gathered", "multline": "gather"}
RENAMED |= {"xalignat": "alignat", "xxalignat": "alignat"}
FENCED = {"p": ("(", ")"), "b": ("[", "]"), "B": (r"\{", r"\}"), "v": ("|", "|"), "V": (r"\|", r"\|")}


@dataclass
class Formula:
    tex: str  # without its delimiters
    display: bool
    cell: int | None = None  # the number of the cell that it stands in
    name: str = ""  # what links to it name
    link: tuple = ()  # (the other formula's name, what the link says) of one that is nothing but a reference
    source: str = field(init=False)  # as it was written

    def __post_init__(self):
        self.source = self.tex


def _columns(piece: str) -> str:
    """The rows of an `eqnarray`, whose relation has a column of its own, as `align` has them."""
    rows = []
    for row in re.split(r"(\\\\(?:\[[^\]]*\])?)", piece):
        cells = re.split(r"(?<!\\)&", row)
        rows.append(f"{cells[0]}&{' '.join(cells[1:])}" if len(cells) > 1 else row)
    return "".join(rows)


def _unfold(name: str, star: str, argument: str, body: str):
    """An environment that KaTeX lacks, in another; None where there is no other."""
    if name == "eqnarray":
        return rf"\begin{{align{star}}}{_columns(body)}\end{{align{star}}}"
    if name in UNWRAPPED:
        return body
    if name in RENAMED:
        body = body if star or name != "multline" else BREAK.sub(lambda row: rf"\notag {row[0]}", body)
        argument = argument if RENAMED[name] == "alignat" else ""
        return rf"\begin{{{RENAMED[name]}{star}}}{argument}{body}\end{{{RENAMED[name]}{star}}}"
    if name == "numcases" or name == "subnumcases":
        return rf"{argument[1:-1]} \begin{{cases}}{body}\end{{cases}}"
    if name in {"IEEEeqnarray", "IEEEeqnarraybox"}:
        return rf"\begin{{array}}{{{''.join(re.findall('[lcr]', argument.lower())) or 'l'}}}{body}\end{{array}}"
    if name.endswith("smallmatrix") and name[0] in FENCED:
        left, right = FENCED[name[0]]
        return rf"\left{left}\begin{{smallmatrix}}{body}\end{{smallmatrix}}\right{right}"
    return None


def _environments(tex: str) -> str:
    """`tex` with the environments that KaTeX lacks in others, the innermost first."""
    parts, open_ones, last = [], [], 0  # open_ones: (place among the parts, the opening)
    for mark in ENVIRONMENT.finditer(tex):
        name, star = mark[2], mark[3]
        parts.append(tex[last : mark.start()])
        last = mark.end() if mark[1] == "begin" else mark.end(3) + 1
        opening = open_ones[-1][1] if open_ones else None
        if mark[1] == "begin":
            open_ones.append((len(parts), mark))
            parts.append(mark[0])
        elif opening and (opening[2], opening[3]) == (name, star):
            place, _ = open_ones.pop()
            argument = opening[0][opening.end(3) + 1 - opening.start() :]
            whole = _unfold(name, star, argument, "".join(parts[place + 1 :]))
            parts[place:] = ["".join([*parts[place:], mark[0][: last - mark.start()]]) if whole is None else whole]
        else:
            parts.append(mark[0][: last - mark.start()])
    return "".join([*parts, tex[last:]])


def _define(match) -> str:
    """A definition that KaTeX takes whether the name is new or not, and with a default for the first argument."""
    name, count, default = match[1], match[2], match[3]
    if count is None:
        return rf"\providecommand{{{name}}}{{}}\renewcommand{{{name}}}"
    arguments = "".join(f"#{number}" for number in range(2, int(count) + 1))
    return rf"\def{name}{{\@ifnextchar[{{{name}@o}}{{{name}@o[{default}]}}}}\def{name}@o[#1]{arguments}"


def readable(tex: str) -> str:
    """The formula in TeX that KaTeX reads, as far as that goes."""
    tex = NOTHING.sub("", WORD.sub(lambda word: SAME[word[0]], tex))
    tex = OPERATOR.sub(lambda match: rf"\gdef{match[2]}{{\operatorname{match[1]}{{{match[3]}}}}}", tex)
    tex = DELIMITERS.sub(lambda match: rf"\gdef{match[1]}#1{{{match[2]}#1{match[3]}}}", tex)
    return _environments(DEFINITION.sub(_define, tex)) if "\\" in tex else tex


def _rows(body: str):
    """The rows of an environment; a break within another environment ends none."""
    depth, start = 0, 0
    for mark in re.finditer(rf"{BREAK.pattern}|{INNER.pattern}", body):
        if mark[1]:
            depth += 1 if mark[1] == "begin" else -1
        elif depth == 0:
            yield body[start : mark.end()]
            start = mark.end()
    yield body[start:]


class Numbers:
    """Numbers the formulas of a page that have a label, and makes links of what refers to them."""

    def __init__(self, losses: Losses):
        self.losses, self.count, self.names = losses, 0, set()
        self.labels = {}  # label -> (name of the formula, its number)

    def number(self, formulas: list) -> None:
        """Rewrites the formulas; on a page without labels the numbers stay KaTeX's."""
        if any(LABEL.search(formula.tex) for formula in formulas):
            for formula in formulas:
                self._number(formula)
        for formula in formulas:
            if "ref" in formula.tex:
                self._refer(formula)

    def _number(self, formula: Formula) -> None:
        outer = OUTER.fullmatch(formula.tex)
        if not outer or outer[1] not in NUMBERED:
            formula.tex = self._tagged(formula.tex, formula)
            return
        rows = _rows(outer[3]) if outer[1] in ROWS else [outer[3]]
        body = "".join(self._tagged(row, formula) for row in rows)
        formula.tex = rf"\begin{{{outer[1]}*}}{body}\end{{{outer[1]}*}}"

    def _tagged(self, row: str, formula: Formula) -> str:
        """A row, or a formula of one, with its number instead of its label."""
        labels = LABEL.findall(row)
        if not labels:
            return row
        row, tag = LABEL.sub("", row), TAG.search(row)
        if not tag:
            self.count += 1
        number = tag[1] if tag else str(self.count)
        formula.name = formula.name or self._free_name(number)
        for label in labels:
            if label in self.labels:
                self.losses.cell = formula.cell
                self.losses.tell(f"\\label{{{label}}}: given twice; links lead to the first")
            self.labels.setdefault(label, (formula.name, number))
        if tag or not formula.display:
            return row
        end = BREAK.search(row, len(row.rstrip()) - 12 if len(row) > 12 else 0)
        place = end.start() if end and not row[end.end() :].strip() else len(row)
        return rf"{row[:place]} \tag{{{number}}}{row[place:]}"

    def _free_name(self, number: str) -> str:
        """A name that no other formula of the page has."""
        name = f"eq:{re.sub(r'[^0-9A-Za-z.-]+', '-', number)}"
        while name in self.names:
            name += "-"
        self.names.add(name)
        return name

    def _refer(self, formula: Formula) -> None:
        tex = formula.tex.strip()
        brackets = tex.startswith("(") and tex.endswith(")")
        if alone := REFERENCE.fullmatch(tex[1:-1] if brackets else tex):
            name, text = self._reference(alone, formula)
            formula.link = (name, f"({text})" if brackets else text)
            return
        formula.tex = REFERENCE.sub(lambda match: rf"\text{{{self._reference(match, formula)[1]}}}", formula.tex)

    def _reference(self, match, formula: Formula) -> tuple:
        """(the name of the formula that is meant, what stands for it)."""
        found = self.labels.get(match[2].strip())
        if found is None:
            self.losses.cell = formula.cell
            self.losses.tell(f"{match[0]}: no formula of the page has this label")
        name, number = found or ("", match[2].strip())
        return name, f"({number})" if match[1] else number
