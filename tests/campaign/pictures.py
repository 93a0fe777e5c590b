"""Damaged files of every format, composed challenges, noise, and no pictures at all, given to `recaptcha-predict`."""

import io
import json
import os
import struct
import warnings
import zlib

import numpy as np
from mutate import NUMBERS, damaged
from PIL import Image
from watch import Fault, Part, command, refusal

MODES = {
    "PNG": "1 L LA P RGB RGBA I I;16",
    "JPEG": "L RGB CMYK",
    "GIF": "1 L P RGB",
    "WEBP": "RGB RGBA",
    "BMP": "1 L P RGB RGBA",
    "TIFF": "1 L LA P RGB RGBA CMYK YCbCr LAB I I;16 F",
    "PPM": "1 L RGB I F",
    "AVIF": "RGB RGBA",
    **dict.fromkeys("MPO JPEG2000 ICO TGA PCX SGI DDS QOI".split(), "RGB"),
    **dict.fromkeys("PDF EPS".split(), "RGB"),
}
OPTIONS = {
    "PNG": [{}, {"compress_level": 0}, {"transparency": 0}, {"dpi": (300, 300)}],
    "JPEG": [{}, {"progressive": True}, {"quality": 5}, {"subsampling": 0}, {"optimize": True}],
    "GIF": [{}, {"interlace": 1}, {"transparency": 0}],
    "WEBP": [{}, {"lossless": True}],
    "TIFF": [{"compression": c} for c in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4")],
}
SEVERAL = ("PNG", "GIF", "WEBP", "TIFF", "AVIF", "MPO")  # formats that hold more than one picture
NO_PICTURES = (
    b"",
    b"\n",
    b"no picture\n",
    b"<!doctype html><title>Sign in</title>",
    b"PK\x03\x04",
    b"%PDF-1.4\n",
    b"\0" * 5000,
)
NAMES = (
    "-.png",
    "--json",
    "a\nb.png",
    "a\x1b[2Jb.png",
    "ä\u202eö.png",
    "a b.png",
    "%s.png",
    "x" * 250 + ".png",
    "tile",
    b"\xff\xfe.png",
)
SQUEEZED = 3_000_000  # bytes; larger files would be slow to draw, not to read


def _save(im, form, **options) -> bytes:
    """A file's bytes; empty where the format does not take the picture."""
    file = io.BytesIO()
    try:
        im.save(file, form, **options)
    except (OSError, ValueError, KeyError, TypeError, SystemError, struct.error):
        return b""
    return file.getvalue()


def _samples(rng) -> dict:
    """Undamaged small files: a list of bytes by format."""
    noise = np.random.default_rng(rng.randrange(2**32))
    samples = {}
    for form, modes in MODES.items():
        for mode in modes.split():
            side = rng.choice([(8, 8), (33, 17), (60, 60), (100, 90)])
            im = Image.fromarray(noise.integers(0, 256, (*side, 3), dtype=np.uint8)).resize(side, Image.BICUBIC)
            im = im.convert("L").convert("I").convert("I;16") if mode == "I;16" else im.convert(mode)
            for options in OPTIONS.get(form, [{}]):
                samples.setdefault(form, []).append(_save(im, form, **options))
        if form in SEVERAL:
            im = im.convert("RGB")
            samples[form].append(_save(im, form, save_all=True, append_images=[im.rotate(90), im.rotate(180)]))
        exif = Image.Exif()
        exif[0x112] = rng.randrange(0, 10)
        samples[form].append(_save(im, form, exif=exif))
        samples[form] = [s for s in samples[form] if s]
    return {form: files for form, files in samples.items() if files}


def _png_chunks(data):
    at, chunks = 8, []
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    return chunks


def _png(data, rng, other):
    """A PNG file with a chunk changed, removed, repeated or moved, and right checksums."""
    chunks = _png_chunks(data)
    i = rng.randrange(len(chunks))
    name, content = chunks[i]
    if (change := rng.randrange(5)) == 0 and content:
        chunks[i] = (name, damaged(content, rng, other))
    elif change == 1:
        chunks.pop(i)
    elif change == 2:
        chunks.insert(rng.randrange(len(chunks) + 1), (name, content))
    elif change == 3:
        rng.shuffle(chunks)
    else:
        kind = rng.choice([b"tRNS", b"eXIf", b"iCCP", b"zTXt", b"acTL", b"fcTL", b"gAMA", b"PLTE"])
        chunks.insert(1, (kind, rng.randbytes(rng.choice([0, 1, 6, 300]))))
    pack = (struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks)
    return data[:8] + b"".join(pack)


def _png_size(data, rng, other):
    """A PNG file whose header says another size, depth or kind, with the right checksum."""
    head = bytearray(data[12:29])
    for at in rng.choice([(4,), (8,), (4, 8)]):
        head[at : at + 4] = struct.pack(">I", rng.choice([*NUMBERS, 5000, 25_000_000, rng.randrange(1, 400)]))
    if rng.random() < 0.3:
        head[rng.randrange(12, 17)] = rng.randrange(256)
    return data[:12] + bytes(head) + struct.pack(">I", zlib.crc32(head)) + data[33:]


def _sized(mark, offset, order):
    """Damage to the two 16- or 32-bit numbers that follow `mark` by `offset` bytes: a picture's sides."""

    def change(data, rng, other):
        at = data.find(mark)
        if at < 0:
            return damaged(data, rng, other)
        size = struct.calcsize(order)
        for i in rng.choice([(0,), (1,), (0, 1)]):
            number = rng.choice([*NUMBERS, 5000, rng.randrange(1, 400)]) % 256**size
            place = at + offset + i * size
            data = data[:place] + struct.pack(order, number) + data[place + size :]
        return data

    return change


SIZES = {
    "PNG": [_png_size, _png],
    "JPEG": [_sized(b"\xff\xc0", 5, ">H"), _sized(b"\xff\xc2", 5, ">H")],
    "GIF": [_sized(b"GIF8", 6, "<H"), _sized(b"\x2c", 5, "<H")],
    "BMP": [_sized(b"BM", 18, "<I")],
    "WEBP": [_sized(b"VP8 ", 14, "<H"), _sized(b"VP8X", 12, "<H"), _sized(b"VP8L", 9, "<I")],
    "TIFF": [_sized(b"\x00\x01\x04\x00", 6, "<I"), _sized(b"\x00\x01\x03\x00", 6, "<I")],
    "AVIF": [_sized(b"ispe", 8, ">I"), _sized(b"iloc", 4, ">I")],
}


class Pictures(Part):
    """20,000 files that `recaptcha-predict` is given; a tenth of those with tiles are shown to the network."""

    count = 20_000

    def start(self):
        from recaptcha import compose, predict
        from recaptcha.toy import make_tiles

        warnings.simplefilter("always", UserWarning)
        warnings.simplefilter("always", RuntimeWarning)
        tiles = self.home / f"toy-{os.getpid()}"
        make_tiles(tiles, n=60)
        self.tiles = [Image.open(f).convert("RGB") for f in sorted(tiles.rglob("*.png"))]
        self.samples = _samples(self.rng("samples"))
        self.compose, self.any_kind = compose.compose, compose.any_kind
        self.network = predict.Network(threads=1)
        self.really = self.network.probs
        predict.Network = lambda *args, **kwargs: self.network

    def _composed(self, rng):
        kind = self.any_kind(rng)
        im, _ = self.compose(rng.sample(self.tiles, 1 if rng.random() < 0.2 else kind["n"] ** 2), **kind)
        return im if rng.random() < 0.8 else im.rotate(rng.uniform(-30, 30), expand=True)

    def _noise(self, rng):
        sides = [rng.choice([1, 2, 3, 15, 47, 48, 49, 50, 99, 120, 300, 401, 1401]) for _ in range(2)]
        if rng.random() < 0.1:
            sides = rng.choice([(1, 20_000), (20_000, 1), (2, 9000), (1, 70_000)])
        noise = np.random.default_rng(rng.randrange(2**32))
        kind, (height, width) = rng.randrange(4), sides
        if kind == 0 and height * width < 200_000:
            a = noise.integers(0, 256, (height, width, 3), dtype=np.uint8)
        elif kind == 1:
            a = np.full((height, width, 3), noise.integers(0, 256, 3), np.uint8)
        else:  # stripes, or squares, which look like tiles
            lines = (np.arange(width) // rng.randint(1, 60) % 2)[None, :, None]
            rows = (np.arange(height) // rng.randint(1, 60) % 2 if kind == 2 else np.zeros(height, int))[:, None, None]
            a = np.broadcast_to((lines ^ rows) * np.array([255, 200, 90]), (height, width, 3)).astype(np.uint8)
        return Image.fromarray(a)

    def _damaged(self, rng):
        form = rng.choice([*SIZES, *self.samples])
        data = rng.choice(self.samples[form])
        other = rng.choice(self.samples[rng.choice([form, *self.samples])])
        change = rng.choice([damaged, damaged, *SIZES.get(form, [])])
        return change(data, rng, other)

    def _content(self, rng) -> bytes:
        kind = rng.random()
        if kind < 0.01:
            return rng.choice(NO_PICTURES)
        if kind < 0.12:
            im = self._composed(rng) if kind < 0.05 else self._noise(rng)
            return _save(im, rng.choice(["PNG", "JPEG", "BMP", "WEBP"]))[:SQUEEZED]
        return self._damaged(rng)

    def draw(self, index, folder):
        rng = self.rng(index)
        plain = "picture" + rng.choice([".png", ".jpg", ".tif", ".webp", ""])
        name = rng.choice(NAMES) if rng.random() < 0.02 else plain
        path = os.path.join(os.fsencode(folder), os.fsencode(name))
        kind = rng.random() if rng.random() < 0.01 else 1
        if kind < 0.2:
            os.mkfifo(path)
        elif kind < 0.4:
            os.symlink(path, path)
        elif kind < 0.6:
            os.symlink(rng.choice(["/dev/zero", "/dev/full", "/dev/tty", "/proc/self/mem"]), path)
        elif kind < 0.7:
            os.symlink("nothing", path)
        elif kind < 0.8:
            os.mkdir(path)
        elif kind < 1:
            pass  # nothing there
        else:
            with open(path, "wb") as file:
                file.write(self._content(rng))
        (folder / "name").write_bytes(os.path.basename(path))

    def ask(self, index, folder):
        rng = self.rng(-1 - index)
        path = os.fsdecode(os.path.join(os.fsencode(folder), (folder / "name").read_bytes()))
        before = sorted(os.listdir(folder))
        self.network.probs = self.really if rng.random() < 0.1 else self._pretend
        size = None if os.path.isdir(path) else self._open(path)
        saved = folder / rng.choice(["saved.png", "saved.jpg"]) if rng.random() < 0.1 else None
        as_json = rng.random() < 0.8
        args = ["--json"] * as_json + (["--save", str(saved)] if saved else [])
        grid = rng.choice(["auto", "auto", "auto", "3x3", "4x4", "none", "none"])
        code, out, err = command("predict", *args, "--target", "cars", "--grid", grid, "--", path)
        kind = refusal("predict", code, err)
        if kind == "answered" and size is None:
            raise Fault("wrong", f"answered, though it cannot be opened: {out}")
        if as_json and not os.path.isdir(path):
            self._check(out, kind, size)
        left = sorted(set(os.listdir(folder)) - set(before) - ({saved.name} if saved and kind == "answered" else set()))
        if left or saved and kind == "answered" and not saved.is_file():
            raise Fault("left", f"files {left} beside the picture; --save {saved}")
        return kind

    def _open(self, path):
        from recaptcha.pictures import DataError, open_tile

        try:
            im = open_tile(path)
        except DataError:
            return None
        if im.mode != "RGB":
            raise Fault("wrong", f"opened in mode {im.mode}")
        return im.size

    def _pretend(self, tiles):
        if tiles.dtype != np.uint8 or tiles.ndim != 4 or tiles.shape[3] != 3 or not all(tiles.shape):
            raise Fault("wrong", f"the network was shown {tiles.dtype} of shape {tiles.shape}")
        return np.tile(np.linspace(0, 1, len(tiles), dtype=np.float32)[:, None], (1, len(self.network.classes)))

    def _check(self, out, kind, size):
        """One line of JSON, and what it says is possible."""
        lines = out.splitlines()
        said = json.loads(lines[0]) if len(lines) == 1 else {}
        if kind == "refused":
            if not said.get("error"):
                raise Fault("wrong", f"no error in {out!r}")
            return
        n = len(said["boxes"])
        inside = all(0 <= x0 < x1 <= size[0] and 0 <= y0 < y1 <= size[1] for x0, y0, x1, y1 in said["boxes"])
        right = n in (1, 9, 16) and len(said["probabilities"]) == n and all(0 <= p <= 1 for p in said["probabilities"])
        if not inside or not right or not set(said["tiles"]) <= set(range(1, n + 1)):
            raise Fault("wrong", f"a picture of {size}: {out}")
