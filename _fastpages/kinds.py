"""Tells what a cell of code is for: the module, a command, a test; the rest is the lesson's own."""

import ast
import re
from dataclasses import dataclass

from .symbols import DEFINITIONS, LONGEST

COMMAND = re.compile(r"[!%]")
SHELL = re.compile(r"%%(?:bash|sh|script|system|cmd|writefile)\b|%%!")
MOST_NAMES = 4


@dataclass(frozen=True)
class Kind:
    word: str  # export, command or test
    names: str = ""  # of what is defined


def kind_of_code(source: str, is_export: bool, has_output: bool) -> Kind | None:
    """What a cell is for, where a reader can do without its code at first; None otherwise.

    A test is a cell that shows nothing and ends with `assert` or a call such as `test_eq`.
    """
    if is_export:
        return Kind("export", _names(_statements(source)))
    lines = [line for line in source.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if lines and (SHELL.match(lines[0]) or all(map(COMMAND.match, lines))):
        return Kind("command")
    statements = _statements(source)
    return Kind("test") if statements and not has_output and _is_test(statements[-1]) else None


def _statements(source: str) -> list:
    if len(source) > LONGEST:
        return []
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two of code that is nested deeply
        return []


def _names(statements: list) -> str:
    """The functions and classes that are defined, the first few by name."""
    found = [node.name for node in statements if isinstance(node, DEFINITIONS) and not node.name.startswith("_")]
    return ", ".join(found[:MOST_NAMES]) + (" …" if len(found) > MOST_NAMES else "")


def _is_test(node) -> bool:
    if isinstance(node, (ast.With, ast.For)):
        return _is_test(node.body[-1])
    called = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    name = getattr(called, "attr", getattr(called, "id", ""))
    return isinstance(node, ast.Assert) or name.startswith("test_")
