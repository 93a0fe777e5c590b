"""Decides how a picture is stored: as WebP where that is smaller, and never wider than a screen."""

import io
import warnings

from PIL import Image

MOST_PIXELS = 40_000_000  # of a picture that is opened at all: beyond that a small file can fill the memory
WIDEST = 2000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
# A lossless file above this many bytes is probably a photograph; then the lossy one is taken if it is less than half.
PHOTOGRAPH, QUALITY = 40_000, 88


def encode(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", **options)
    return buffer.getvalue()


def opened(content: bytes) -> Image.Image:
    """The picture, decoded. ValueError, in one line, where a page can't hold it, whatever its bytes do to decoders."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is stricter
            image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Exception as error:  # a decoder raises what it likes
        raise ValueError(f"not a picture that can be read ({', '.join(FORMATS)})") from error
    if image.width * image.height > MOST_PIXELS:
        raise ValueError(f"{image.width} x {image.height} pixels are too many; {MOST_PIXELS} are the most")
    try:
        image.load()
    except Exception as error:
        raise ValueError("a picture that is damaged") from error
    return image


def smaller(content: bytes):
    """(the picture's bytes, its MIME type, its size in pixels). ValueError for what no page can hold."""
    image = opened(content)
    mime, size = Image.MIME.get(image.format, ""), image.size
    if mime not in {"image/png", "image/jpeg"} or getattr(image, "is_animated", False):
        return content, mime, size
    shrunk = size[0] > WIDEST
    if shrunk:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        image.thumbnail((WIDEST, size[1]))
    candidate = _encoded(image, mime)
    if shrunk or len(candidate) < len(content):
        return candidate, "image/webp", size
    return content, mime, size


def _encoded(image: Image.Image, mime: str) -> bytes:
    """The picture as WebP: lossy what was so before, and what is probably a photograph."""
    if mime == "image/jpeg":
        return encode(image, quality=QUALITY)
    lossless = encode(image, lossless=True, method=3)
    if len(lossless) <= PHOTOGRAPH:
        return lossless
    lossy = encode(image, quality=QUALITY)
    return lossy if len(lossy) < len(lossless) / 2 else lossless
