"""Draws what stands for a post elsewhere: its cover on the home page, and the card where its address is shared."""

import io
from contextlib import suppress

from PIL import Image, ImageDraw, ImageFont, ImageOps
from resvg_py import svg_to_bytes

from .svg import svg_size
from .webp import encode, opened

COVER = (640, 360)
CARD = (1200, 630)
LEFT = 70  # of the card's text, in pixels
LONGEST = 20  # times as wide as high, or the other way, a picture may be to stand for a post
PAPER, INK, QUIET, ACCENT = "#fdfdfc", "#1c2127", "#5b6470", "#1f5fa8"
LARGEST_DRAWING = 2_000_000  # bytes of an SVG that is drawn as a cover
# The colours of a drawn cover on a light page; _sass/site/_home.scss has them for both themes.
STYLE = """
.strong { fill: #1f5fa8 } .soft { fill: #86abd8 } .track { fill: #e3e6ea } .warm { fill: #c9782a } .paper { fill: #fff }
.line { fill: none; stroke-linejoin: round } .line.strong { stroke: #1f5fa8 } .line.soft { stroke: #86abd8 }
.line.track { stroke: #e3e6ea } .line.ink { stroke: #1c2127 } .line.paper { stroke: #fff }
.sky { fill: #dfe7ee } .road { fill: #b9c0c8 } .thing { fill: #7d8894 } .car { fill: #b23a48 }
.tick rect { fill: none; stroke: #1f5fa8; stroke-width: 5 } .tick circle { fill: #1f5fa8 }
.tick path { fill: none; stroke: #fff; stroke-width: 3 }
"""


def is_drawing(content: bytes) -> bool:
    """Whether these are the bytes of an SVG."""
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _check_shape(width: float, height: float) -> None:
    """ValueError, in one line, of what is too long and thin to stand for a post."""
    if not 1 / LONGEST <= width / height <= LONGEST:
        raise ValueError(f"{width:g} x {height:g} pixels are too long and thin for a cover")


def drawn(content: bytes) -> bytes:
    """An SVG as a PNG on white, as wide as a cover. ValueError, in one line, where it can't be drawn."""
    if len(content) > LARGEST_DRAWING:
        raise ValueError(f"a drawing of {len(content)} bytes; {LARGEST_DRAWING} are the most")
    try:
        size = svg_size(content)
    except SyntaxError:  # of XML
        size = None
    if size is None:
        raise ValueError("not a drawing that says how large it is")
    _check_shape(*size)
    return svg_to_bytes(svg_string=content.decode(), style_sheet=STYLE, background="#ffffff", width=COVER[0], dpi=96)


def cover_of(content: bytes) -> Image.Image:
    """The picture on white. ValueError, in one line, where it can't stand for a post."""
    image = opened(drawn(content) if is_drawing(content) else content)
    _check_shape(*image.size)
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")


def _says_much(content: bytes) -> tuple:
    """Ranks a page's pictures: those shaped like a cover come first, then what has much in it."""
    size = svg_size(content) if is_drawing(content) else Image.open(io.BytesIO(content)).size
    return bool(size) and 1.2 <= size[0] / size[1] <= 3, len(content)


def best_cover(pictures: list):
    """Of a page's pictures the one that says most at a glance; None where none can stand for the page."""
    for content in sorted(pictures, key=_says_much, reverse=True):
        with suppress(ValueError):
            return cover_of(content)
    return None


def draw_cover(image: Image.Image) -> bytes:
    """The cover as WebP: the whole picture, and beside it nothing, where the page's own ground shows."""
    return encode(ImageOps.pad(image.convert("RGBA"), COVER, color=(0, 0, 0, 0)), quality=68)


def _wrap(text: str, font, width: int) -> list:
    """The text in lines of at most `width` pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _draw_title(draw, title: str, width: int) -> None:
    """Writes the title as large as it can be on eight lines at most."""
    for size in (66, 58, 50, 42, 34):
        font = ImageFont.load_default(size)
        lines = _wrap(title, font, width)
        if len(lines) * size <= 300:
            break
    for number, line in enumerate(lines[:8]):
        draw.text((LEFT, 120 + round(number * size * 1.2)), line, INK, font)


def draw_card(title: str, kicker: str, site: str, image: Image.Image | None) -> bytes:
    """A card of 1200 x 630 pixels as PNG: the title, a small line above it, the site's name, and a picture if any."""
    card = Image.new("RGB", CARD, PAPER)
    draw, width = ImageDraw.Draw(card), 600 if image else 1050
    draw.rectangle((0, 0, 14, CARD[1]), fill=ACCENT)
    draw.text((LEFT, 64), kicker, ACCENT, ImageFont.load_default(30))
    _draw_title(draw, title, width)
    small = ImageFont.load_default(26)
    below = _wrap(site, small, width)
    draw.multiline_text((LEFT, CARD[1] - 50 - 36 * len(below)), "\n".join(below), QUIET, small, spacing=8)
    if image:
        shown = ImageOps.contain(image, (460, 510))
        box = (CARD[0] - 40 - shown.width, (CARD[1] - shown.height) // 2)
        card.paste(shown, box)
        draw.rectangle((box[0] - 1, box[1] - 1, box[0] + shown.width, box[1] + shown.height), outline="#dcdfe4")
    buffer = io.BytesIO()
    card.quantize(128).save(buffer, "PNG")
    return buffer.getvalue()
