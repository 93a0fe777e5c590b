"""What a trusted notebook's outputs need to run, for the Content Security Policy of its page.

That is the very scripts that were saved in them, and the hosts that these name.
"""

import re
from html.parser import HTMLParser

from .versions import integrity

HOST = re.compile(r"https://[a-z0-9.-]+(?::\d+)?", re.I)


class _Outputs(HTMLParser):
    """The scripts of a fragment, its event handlers, and the addresses from which it loads something."""

    def __init__(self):
        super().__init__()
        self.scripts, self.handlers, self.sources, self.inside = [], [], [], False

    def handle_starttag(self, tag, attributes):
        self.handlers += [value or "" for name, value in attributes if name.startswith("on")]
        self.sources += [value or "" for name, value in attributes if name == "src" or (tag, name) == ("link", "href")]
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.scripts[-1] += data


def _hash(text: str) -> str:
    """How a policy names a script: by what the browser sees, whose lines end in a line feed."""
    seen = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{integrity(seen.encode())}'"


def needs(body: str) -> dict:
    """For the page's policy: `scripts`, sources for script-src, and `hosts`; each source with a space before it.

    What comes from another host may evaluate code: nobody can say what it does.
    """
    outputs = _Outputs()
    outputs.feed(body)
    outputs.close()
    hosts = sorted(set(HOST.findall(" ".join([*outputs.scripts, *outputs.sources]))))
    hashes = {_hash(script) for script in outputs.scripts if script.strip()} | set(map(_hash, outputs.handlers))
    scripts = sorted(hashes)
    if outputs.handlers:
        scripts.append("'unsafe-hashes'")
    if hosts:
        scripts.append("'unsafe-eval'")
    return {
        "scripts": "".join(f" {source}" for source in scripts + hosts),
        "hosts": "".join(f" {host}" for host in hosts),
    }
