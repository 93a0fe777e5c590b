"""Damaged and hostile zip archives, extracted as `recaptcha-collect` does."""

import io
import os
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from mutate import NUMBERS, damaged, flip
from watch import Fault, Part

CANARY = "fuzz-canary"  # in the name of every entry that wants to leave the folder
NAMES = (
    "a/Large/../{c}.png",
    "../{c}/Large/Car/{c}.png",
    "a/Large/Car/../../../../../{c}.png",
    "/Large/Car/{c}.png",
    "//Large/Car/{c}.png",
    "a/Large//{c}.png",
    "a//Large//{c}.png",
    "Large//{c}.png",
    "a/Large/./{c}.png",
    "a/Large/../{c}.png",
    "a/Large/ /{c}.png",
    "a\\Large\\..\\{c}.png",
    "a\\Large\\\\{c}.png",
    "C:/Large/Car/{c}.png",
    "C:Large/Car/{c}.png",
    "a/Large/C:/{c}.png",
    "//host/Large/Car/{c}.png",
    "~/Large/Car/{c}.png",
    "a/Large/~root/{c}.png",
    "a/Large/Car/{c}\n.png",
    "a/Large/Car/\x1b[2J{c}.png",
    "a/Large/Car/{c}\0.png",
    "a/Large/Car/{c}" + "x" * 300 + ".png",
    "a/Large/" + "x" * 300 + "/{c}.png",
    "a/" * 2000 + "Large/Car/{c}.png",
    "a/Large/Car/.png",
    "a/Large/Car/{c}.png/",
    "a/Large/Car.png/{c}.png",
    "a/Large/Large/{c}.png",
    "a/Large/LICENSE/{c}.png",
    "a/Large/CAR/{c}.png",
    "a/Large/Car/{c}.PNG",
    "LICENSE",
    "LICENSE.md",
    "a/b/LICENSE",
    "../LICENSE",
    "/LICENSE",
    "LICENSE/",
    "a/Large/Car/LICENSE",
    "",
    "/",
    ".",
    "..",
    "a/Large/Car/CON.png",
    "a/Large/\udc80/{c}.png",
    "a/Large/\u202e/{c}.png",
    "a/Large/Car/Car (1).jpg",
    "b/Large/Car/Car (1).png",
)
KINDS = (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFBLK, stat.S_IFCHR, stat.S_IFSOCK, stat.S_IFDIR, stat.S_IFREG)
METHODS = (0, 1, 6, 8, 9, 12, 14, 93, 95, 97, 99, 65535)


def _central(data) -> list:
    """Places of the entries of the central directory."""
    at, places = data.find(b"PK\x01\x02"), []
    while at >= 0:
        places.append(at)
        at = data.find(b"PK\x01\x02", at + 4)
    return places


def _put(data, at, order, number) -> bytes:
    return data[:at] + struct.pack(order, number) + data[at + struct.calcsize(order) :]


def _zip(entries, **options) -> bytes:
    """A zip file of (name or `ZipInfo`, bytes)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as z:
        for name, content in entries:
            z.writestr(name, content)
    return file.getvalue()


class Archives(Part):
    """1,500 archives, each extracted into a folder that is new or holds tiles already."""

    count = 1500

    def start(self):
        from recaptcha.collect import collect
        from recaptcha.toy import make_tiles

        toy = self.home / f"toy-{os.getpid()}"
        make_tiles(toy, n=60)
        self.labels = toy / "labels"
        self.entries = [(f"main/Large/{p.parent.name}/{p.name}", p.read_bytes()) for p in sorted(toy.glob("Large/*/*"))]
        self.entries.append(("main/LICENSE", b"MIT\n"))
        self.good = _zip(self.entries)
        (self.home / f"good-{os.getpid()}.zip").write_bytes(self.good)
        first = self.home / f"first-{os.getpid()}"
        self.tree = collect(first, (self.home / f"good-{os.getpid()}.zip").as_uri())
        self.usual = set(os.listdir(first))
        self.root = set(os.listdir("/"))

    def _named(self, rng):
        """An archive with entries of odd names, or of kinds that are no files."""
        entries = list(self.entries) if rng.random() < 0.7 else []
        for _ in range(rng.choice([1, 1, 3])):
            info = zipfile.ZipInfo()
            info.filename = rng.choice(NAMES).replace("{c}", f"{CANARY}-{rng.randrange(10**9)}")
            if rng.random() < 0.3:
                info.create_system = 3
                info.external_attr = (rng.choice(KINDS) | rng.choice([0o644, 0o777, 0o4755, 0])) << 16
            content = rng.choice([b"", b"../../" + CANARY.encode(), self.entries[0][1], self.good[:5000]])
            entries.insert(rng.randrange(len(entries) + 1), (info, content))
        try:
            return _zip(entries)
        except (UnicodeEncodeError, IndexError):  # names that Python does not write
            return self.good

    def _twice(self, rng):
        """An archive with an entry twice, one of them perhaps damaged."""
        name, content = rng.choice(self.entries)
        other = rng.choice([content, damaged(content, rng, content), b""])
        name = rng.choice([name, name.lower(), name.replace("main", "other")])
        return _zip([*self.entries, (name, other)])

    def _fields(self, rng):
        """An archive whose directory says something else than its entries: method, flags, sizes, checksum, place."""
        data, places = self.good, _central(self.good)
        for at in rng.sample(places, rng.choice([1, 1, 5, len(places)])):
            offset, order = rng.choice(
                [(8, "<H"), (10, "<H"), (16, "<I"), (20, "<I"), (24, "<I"), (28, "<H"), (30, "<H"), (42, "<I")]
            )
            local = struct.unpack_from("<I", data, at + 42)[0]
            number = rng.choice([*METHODS, 1, 0x800, 0x40] if order == "<H" else [*NUMBERS, 1000, 5_000_000, 2**31 + 1])
            data = _put(data, at + offset, order, number % 256 ** struct.calcsize(order))
            if offset < 28 and rng.random() < 0.7:  # what the entry itself says, too
                data = _put(data, local + offset - 2, order, number % 256 ** struct.calcsize(order))
        return data

    def _end(self, rng):
        """An archive with damage to the record at its end, or with 64-bit records."""
        at = self.good.rfind(b"PK\x05\x06")
        if rng.random() < 0.5:
            return self.good[:at] + damaged(self.good[at:], rng, self.good)
        offset = rng.randrange(4, 22, 2)
        return _put(self.good, at + offset, "<H", rng.choice([0, 1, 0xFFFF, 0x7FFF]))

    def _wide(self, rng):
        """An archive of 64-bit records, damaged."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as z:
            for name, content in self.entries:
                with z.open(name, "w", force_zip64=True) as entry:
                    entry.write(content)
        data = file.getvalue()
        return data if rng.random() < 0.2 else flip(data, rng, rng.choice([1, 5]), _central(data)[0])

    def _packed(self, rng):
        """A compressed archive, with damage to the streams."""
        method = rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
        data = _zip(self.entries, compression=method)
        if rng.random() < 0.1:
            return data
        return flip(data, rng, rng.choice([1, 5, 50]), last=_central(data)[0])

    def _bomb(self, rng):
        """An archive that says, or is, more than it seems."""
        kind = rng.randrange(4)
        if kind == 0:  # sizes beyond the limit, declared
            data = self.good
            for at in _central(data)[: rng.choice([2, 5])]:
                data = _put(data, at + 24, "<I", 0xFFFFFFF0)
            return data
        if kind == 1:  # a hundred megabytes of zeros, declared or hidden
            data = _zip(
                [*self.entries, (f"main/Large/Car/{CANARY}.png", bytes(10**8))], compression=zipfile.ZIP_DEFLATED
            )
            return data if rng.random() < 0.5 else _put(data, _central(data)[-1] + 24, "<I", 100)
        if kind == 2:  # every entry is the first
            data = self.good
            for at in _central(data):
                data = _put(data, at + 42, "<I", 0)
            return data
        return _zip([*self.entries, *((f"main/Large/Car/{CANARY}-{i}.png", b"") for i in range(3000))])

    def _nested(self, rng):
        """An archive in an archive, or behind or before something else."""
        kind = rng.randrange(4)
        if kind == 0:
            return _zip([("main/Large/archive.zip", self.good), ("main/Large/Car/archive.png", self.good)])
        if kind == 1:
            return rng.randbytes(rng.choice([1, 1000])) + self.good
        if kind == 2:
            return self.good + rng.randbytes(rng.choice([1, 1000, 70_000]))
        return zlib.compress(self.good)

    def _content(self, rng) -> bytes:
        kinds = (
            self._named,
            self._named,
            self._named,
            self._twice,
            self._fields,
            self._fields,
            self._end,
            self._wide,
            self._packed,
            self._nested,
        )
        if (kind := rng.random()) < 0.02:
            return rng.choice([b"", b"PK\x05\x06" + bytes(18), b"<!doctype html>\n", self.good[:1000], _zip([])])
        if kind < 0.04:
            return self._bomb(rng)
        if kind < 0.08:
            return self.good
        if kind < 0.4:
            change = rng.choice([lambda d: damaged(d, rng, self.good), lambda d: flip(d, rng, 3, _central(d)[0])])
            return change(self.good)
        return rng.choice(kinds)(rng)

    def draw(self, index, folder):
        rng = self.rng(index)
        content = self._content(rng)
        (folder / "elsewhere").mkdir()
        path, kind = folder / "archive.zip", rng.random()
        if kind < 0.005:
            os.mkfifo(path)
        elif kind < 0.01:
            path.mkdir()
        elif kind < 0.015:
            os.symlink(path, path)
        elif kind < 0.02:
            os.symlink("/dev/zero", path)
        else:
            path.write_bytes(content)
        if rng.random() < 0.5:
            shutil.copytree(self.tree.parent, folder / "home")

    def ask(self, index, folder):
        os.chdir(folder / "elsewhere")
        home, archive = folder / "home", folder / "archive.zip"
        before = self._files(home / "tiles")
        try:
            kind = self._collect(index, home, archive)
        finally:
            self._look_outside(folder)
        if not os.path.lexists(archive):
            raise Fault("wrong", "the archive, which is a file of the person's, was removed")
        extra = set(os.listdir(home) if home.is_dir() else ()) - self.usual
        if extra:
            raise Fault("left", f"in the home folder: {extra}")
        if kind == "refused" and self._files(home / "tiles") != before:
            raise Fault("wrong", "refused, but the tiles that were there are not the same any more")
        return kind

    def _look_outside(self, folder):
        """`Fault` where something was written outside the home folder; removes what came to the root of all folders."""
        new = [f"/{n}" for n in os.listdir("/") if n not in self.root and (CANARY in n or n == "LICENSE")]
        new += [str(folder / n) for n in os.listdir(folder) if n not in ("archive.zip", "home", "elsewhere")]
        new += [str(folder / "elsewhere" / n) for n in os.listdir(folder / "elsewhere")]
        for name in new:
            if name.count("/") == 1:
                os.unlink(name)
        if new:
            raise Fault("left", f"written outside the folder: {new}")

    def _collect(self, index, home, archive) -> str:
        from recaptcha.archive import extract_tiles
        from recaptcha.collect import collect
        from recaptcha.files import DataError
        from recaptcha.verify import verify_tiles

        rng = self.rng(-1 - index)
        try:
            if rng.random() < 0.5:
                root = extract_tiles(archive, home / "tiles")
            else:
                root = collect(home, rng.choice([archive.as_uri(), str(archive)]), force=True)
        except DataError as e:
            if not str(e) or len(str(e)) > 2000:
                raise Fault("wrong", f"a message of {len(str(e))} characters: {str(e)[:2000]}") from e
            return "refused"
        odd = [p for p in Path(root).rglob("*") if stat.S_IFMT(p.lstat().st_mode) not in (stat.S_IFREG, stat.S_IFDIR)]
        if odd or not any((root / "Large").glob("*/*")):
            raise Fault("wrong", f"extracted, with {odd}")
        try:
            verify_tiles(root, self.labels)
        except DataError:
            pass
        return "answered"

    @staticmethod
    def _files(folder) -> dict:
        """Sizes by path."""
        return (
            {str(p.relative_to(folder)): p.lstat().st_size for p in folder.rglob("*") if not p.is_dir()}
            if folder.is_dir()
            else {}
        )
