"""Finds what a notebook's exported cells define, since nbdev's index of the module names a place on the page for each."""

import ast
import re

EXPORT = re.compile(r"exports?|exporti")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
LONGEST = 100_000  # characters that are read


def is_export(directive: str) -> bool:
    """Whether a directive of a cell (`export`, `export module`) has nbdev write the cell to a module."""
    return bool(EXPORT.fullmatch((directive.split() or [""])[0]))


def places(source: str) -> list:
    """The names of a cell's functions, classes and methods as nbdev's index writes them: `network`, `network.probs`."""
    if len(source) > LONGEST:
        return []
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two of code that is nested deeply
        return []
    return list(dict.fromkeys(name.lower() for node in body for name in _names(node)))


def _patched(node):
    """The class that fastcore's `@patch` puts a function into: that of its first parameter; None without it."""
    if isinstance(node, ast.ClassDef) or not node.args.args:
        return None
    owner = node.args.args[0].annotation
    patches = any(isinstance(each, ast.Name) and each.id == "patch" for each in node.decorator_list)
    return owner.id if patches and isinstance(owner, ast.Name) else None


def _names(node):
    if isinstance(node, DEFINITIONS):
        owner = _patched(node)
        yield f"{owner}.{node.name}" if owner else node.name
    if isinstance(node, ast.ClassDef):
        yield from (f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, DEFINITIONS))
