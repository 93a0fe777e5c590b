"""What an import tells, a line each, and the folder it writes into, where nothing that stands is ever overwritten."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ..errors import one_line, reason
from ..files import read_bytes, write

# In the order of how much a reader should care.
NOT_TAKEN, CHANGED, LEFT_OUT, TAKEN, STANDS = "not taken", "changed", "left out", "taken", "there already"


@dataclass
class Report:
    """What became of each thing in the blog: (kind, where, what) in the order in which they were met."""

    lines: list = field(default_factory=list)

    def add(self, kind: str, where: str, what: str = "") -> None:
        self.lines.append((kind, one_line(where), one_line(what)))

    def count(self, kind: str) -> int:
        return sum(1 for line in self.lines if line[0] == kind)

    def text(self) -> str:
        """A line each, `kind: where: what`, and a last one that counts them."""
        told = [": ".join(part for part in line if part) for line in self.lines]
        counts = Counter(kind for kind, _, _ in self.lines)
        kinds = (TAKEN, STANDS, CHANGED, LEFT_OUT, NOT_TAKEN)
        return "\n".join([*told, ", ".join(f"{counts[kind]} {kind}" for kind in kinds)])


@dataclass
class Target:
    """The folder that the blog comes into."""

    root: Path
    report: Report
    dry_run: bool = False
    sources: dict = field(default_factory=dict)  # place, in small letters -> what of the blog has it

    def put(self, place: str, content: bytes, source: str) -> bool:
        """Writes `content` to `place`, unless another file has it; tells of it, and whether it is there now."""
        owner = self.sources.setdefault(place.casefold(), source)
        if owner != source:
            self.report.add(NOT_TAKEN, source, f"its place, {place}, is that of {owner}; rename one of them")
            return False
        path = self.root / PurePosixPath(place)
        try:
            if path.exists() or path.is_symlink():
                return self._stands(path, content, source, place)
            if not self.dry_run:
                write(path, content)
        except (OSError, ValueError) as error:
            self.report.add(NOT_TAKEN, source, reason(error))
            return False
        self.report.add(TAKEN, source, _as(place, source))
        return True

    def _stands(self, path: Path, content: bytes, source: str, place: str) -> bool:
        if path.is_file() and read_bytes(path) == content:
            self.report.add(STANDS, source, _as(place, source))
            return True
        self.report.add(NOT_TAKEN, source, f"{place} is there already with another content, and is never overwritten")
        return False


def _as(place: str, source: str) -> str:
    return "" if place == source else f"as {place}"
