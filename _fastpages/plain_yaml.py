"""Reads YAML as far as a front matter needs it: values written out, nothing that takes its reader for ever."""

import yaml

from .errors import one_line

LONGEST, MOST_BRACKETS = 10_000, 200  # characters, and brackets, in whose number the reader takes quadratic time


def load(source: str):
    """What the YAML says. ValueError, in one line, where it is none, or where a value stands for another (`*name`).

    A few of the latter unfold to more than fits the memory.
    """
    if len(source) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters; close it with a line ---")
    if source.count("[") + source.count("{") > MOST_BRACKETS:
        raise ValueError(f"more than {MOST_BRACKETS} brackets; put text into quotation marks, or leave some out")
    try:
        for event in yaml.parse(source, yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError(f"*{event.anchor} stands for another value; write that value out")
        return yaml.safe_load(source)
    except yaml.YAMLError as error:
        raise ValueError(one_line(error)) from None
