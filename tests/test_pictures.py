"""Opening pictures: whatever a file holds becomes 8-bit RGB with one meaning, or one line that names it."""

import logging
import os
import struct
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from recaptcha.folders import pictures_in
from recaptcha.pictures import FORMATS, MAX_PIXELS, DataError, endings, open_tile

FUZZ = dict(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
STEPS = np.array([[0, 1], [128, 255]], dtype=np.uint8)


def refused(path):
    """The line in which a picture is refused, within seconds."""
    start = time.process_time()  # not the wall clock: other programs may share the processor
    with pytest.raises(DataError) as caught:
        open_tile(path)
    assert time.process_time() - start < 5
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


# What is opened, and as what


@pytest.mark.parametrize(
    "name, save",
    [
        ("alpha.png", lambda im, path: im.convert("RGBA").save(path)),
        ("palette.png", lambda im, path: im.convert("P", palette=Image.ADAPTIVE, colors=256).save(path)),
        ("jpeg.jpg", lambda im, path: im.save(path, quality=95)),
        ("cmyk.jpg", lambda im, path: im.convert("CMYK").save(path, quality=95)),
        ("lossless.webp", lambda im, path: im.save(path, lossless=True)),
        ("bitmap.bmp", lambda im, path: im.save(path)),
        ("packed.tiff", lambda im, path: im.save(path, compression="tiff_deflate")),
        ("portable.ppm", lambda im, path: im.save(path)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_picture_kept_in_many_ways(tmp_path, name, save):
    smooth = np.add.outer(np.arange(0, 128, 2), np.arange(64)).astype(np.uint8)
    im = Image.fromarray(np.stack([smooth, smooth // 2, 255 - smooth], 2))
    save(im, tmp_path / name)
    found = open_tile(tmp_path / name)
    assert found.mode == "RGB" and np.abs(np.asarray(found).astype(int) - np.asarray(im)).mean() < 4


def deep_tiff(values, bits):
    """An uncompressed TIFF of grey levels with 12 or 16 bits each, written field by field: Pillow writes none of 12."""
    height, width = values.shape
    if bits == 12:
        data = b"".join(
            bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255]) for row in values for a, b in row.reshape(-1, 2).tolist()
        )
    else:
        data = values.astype("<u2").tobytes()
    tags = [
        (256, width),
        (257, height),
        (258, bits),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, height),
        (279, len(data)),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize("bits", [12, 16])
def test_grey_tiffs_of_12_and_16_bits(tmp_path, bits):
    (tmp_path / "deep.tif").write_bytes(deep_tiff(STEPS.astype(int) << bits - 8, bits))
    assert (np.asarray(open_tile(tmp_path / "deep.tif"))[..., 0] == STEPS).all()


def test_grey_of_16_bits_in_png_and_ppm(tmp_path):
    Image.fromarray(STEPS.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    (tmp_path / "deep.pgm").write_bytes(b"P5 2 2 65535\n" + (STEPS.astype(np.uint16) * 257).astype(">u2").tobytes())
    for name in ("deep.png", "deep.pgm"):
        assert (np.asarray(open_tile(tmp_path / name))[..., 2] == STEPS).all(), name


def test_a_photograph_is_turned_as_its_camera_was_held(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(np.kron(STEPS, np.ones((16, 32), dtype=np.uint8)))
    turned.save(tmp_path / "phone.png", exif=exif)
    Image.fromarray(np.asarray(turned).astype(np.uint16) * 257).save(tmp_path / "deep.png", exif=exif)
    for name in ("phone.png", "deep.png"):
        found = open_tile(tmp_path / name)
        assert (
            found.size == (32, 64)
            and found.getpixel((31, 0)) == (0, 0, 0)
            and found.getpixel((0, 63)) == (255, 255, 255)
        ), name


# What is refused


def test_levels_without_black_and_white(tmp_path):
    """Integers of 32 bits came out black, or white, whatever they were."""
    for name, values in {"whole.tif": STEPS.astype(np.int32), "large.tif": STEPS.astype(np.int32) << 20}.items():
        Image.fromarray(values).save(tmp_path / name)
        assert "32 bits" in refused(tmp_path / name)
    Image.fromarray(STEPS.astype(np.float32)).save(tmp_path / "fractions.tif")
    assert "fractions" in refused(tmp_path / "fractions.tif")


@pytest.mark.parametrize(
    "size", [(MAX_PIXELS, 1), (3, 20_001), (5_001, 5_000)], ids=lambda size: "x".join(map(str, size))
)
def test_pictures_that_are_too_long_or_too_large(tmp_path, size):
    Image.new("1", size).save(tmp_path / "long.png")
    assert f"{size[0]}×{size[1]} pixels" in refused(tmp_path / "long.png")


def test_what_is_no_picture_file(tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "text.png").write_text("a letter, not a picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "document.pdf").write_bytes(b"%PDF-1.4\n")
    words = {
        "folder.png": "folder",
        "loop.png": "cannot be read",
        "text.png": "not a readable picture",
        "empty.png": "0 bytes",
        "document.pdf": "not a readable picture",
        "none.png": "no such file",
    }
    for name, what in words.items():
        assert what in refused(tmp_path / name), name


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a regular file" in refused(tmp_path / "pipe.png")
    assert "not a regular file" in refused("/dev/zero")


def test_more_than_one_picture(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for name in ("moving.gif", "moving.webp", "pages.tiff"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert "2 frames" in refused(tmp_path / name), name


# Fuzz: nothing but a picture or a DataError may come out of a damaged file


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """Small files of several formats, to be damaged."""
    folder = tmp_path_factory.mktemp("seeds")
    small = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 24, 3), dtype=np.uint8))
    for name in ("a.png", "a.jpg", "a.gif", "a.webp", "a.bmp", "a.tiff"):
        small.save(folder / name)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def damaged(data, rng):
    """The file with up to eleven bytes or pieces changed, taken out or put in."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 12)):
        if len(data) < 2:
            break
        at = int(rng.integers(len(data)))
        match rng.integers(4):
            case 0:
                data[at] = int(rng.integers(256))
            case 1:
                del data[at : at + int(rng.integers(1, 40))]
            case 2:
                data[at:at] = rng.bytes(int(rng.integers(1, 20)))
            case 3:
                data[at : at + 4] = (0xFFFFFFFF).to_bytes(4, "big")
    return bytes(data)


def opens_or_refuses(path, data):
    path.write_bytes(data)
    try:
        im = open_tile(path)
    except DataError as error:
        assert "\n" not in str(error) and str(path) in str(error)
    else:
        assert im.mode == "RGB" and min(im.size) >= 1


@settings(max_examples=650, **FUZZ)
@given(st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_damaged_pictures(tmp_path_factory, recwarn, seeds, which, seed):
    opens_or_refuses(tmp_path_factory.getbasetemp() / "fuzzed.png", damaged(seeds[which], np.random.default_rng(seed)))
    assert not recwarn.list


@pytest.mark.nightly
@settings(max_examples=6500, **FUZZ)
@given(st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_many_damaged_pictures(tmp_path_factory, seeds, which, seed):
    opens_or_refuses(tmp_path_factory.getbasetemp() / "fuzzed.png", damaged(seeds[which], np.random.default_rng(seed)))


def test_what_pillow_logs_is_not_printed(capfd, monkeypatch):
    """Without a handler, Python prints a library's errors. Pillow logs one for a TIFF of too many samples a pixel."""
    monkeypatch.setattr(logging.root, 'handlers', [])  # pytest's own
    logging.getLogger('PIL.TiffImagePlugin').error('More samples per pixel than can be decoded: 2048')
    assert capfd.readouterr().err == ''


# What is looked for in folders


@pytest.mark.parametrize("name", ["a.png", "b.jfif", "c.JPE", "d.webp", "e.ppm", "f.Tif", "g.avif"])
def test_what_can_be_opened_is_found_in_a_folder(tmp_path, name):
    """A list written by hand had left out some names that Pillow knows."""
    Image.new("RGB", (8, 8), "red").save(tmp_path / name)
    (tmp_path / "notes.pdf").touch()
    (tmp_path / "picture").touch()
    assert pictures_in(tmp_path, pytest.fail) == [tmp_path / name]
    assert open_tile(tmp_path / name).size == (8, 8)


def test_every_ending_is_of_a_format_that_is_opened():
    known = Image.registered_extensions()
    assert {known[ending] for ending in endings()} == set(FORMATS)
    assert endings(("JPEG",)) < endings() and ".png" not in endings(("JPEG",))
