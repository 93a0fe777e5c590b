"""Draws what stands for a post elsewhere: its cover on the home page, and the card that appears where its address is shared."""
import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from .webp import encode

COVER = (640, 360)
CARD = (1200, 630)
PAPER, INK, QUIET, ACCENT = "#fdfdfc", "#1c2127", "#5b6470", "#1f5fa8"


def _on_white(picture: bytes) -> Image.Image:
    with Image.open(io.BytesIO(picture)) as image:
        image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")


def best_cover(pictures: list):
    """Of a page's pictures the one that says most at a glance: shaped like a cover, and with much in it."""
    def rank(content):
        with Image.open(io.BytesIO(content)) as image:
            return 1.2 <= image.width / image.height <= 3, len(content)
    return max(pictures, key=rank, default=None)


def draw_cover(picture, path: Path):
    """Writes the cover from a picture's bytes and gives its {src, width, height}; None without a picture.

    A picture much wider or taller than the cover is cut to its middle; others are shown whole on white.
    """
    if picture is None:
        path.unlink(missing_ok=True)
        return None
    image = _on_white(picture)
    ratio = image.width / image.height / (COVER[0] / COVER[1])
    if 0.5 < ratio < 1.6:
        image = ImageOps.pad(image, COVER, color="white")
    else:
        image = ImageOps.fit(image, COVER)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(image, quality=68))
    return {"src": f"/images/social/{path.name}", "width": COVER[0], "height": COVER[1]}


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


def draw_card(title: str, kicker: str, site: str, picture, path: Path) -> None:
    """Writes a card of 1200 x 630 pixels: the title, a small line above it, the site's name, and the picture if there is one."""
    card = Image.new("RGB", CARD, PAPER)
    draw, x, width = ImageDraw.Draw(card), 70, 600 if picture else 1050
    draw.rectangle((0, 0, 14, CARD[1]), fill=ACCENT)
    for size in (66, 58, 50, 42, 34):
        font = ImageFont.load_default(size)
        lines = _wrap(title, font, width)
        if len(lines) * size <= 300:
            break
    draw.text((x, 64), kicker, ACCENT, ImageFont.load_default(30))
    for number, line in enumerate(lines[:8]):
        draw.text((x, 120 + round(number * size * 1.2)), line, INK, font)
    small = ImageFont.load_default(26)
    below = _wrap(site, small, width)
    draw.multiline_text((x, CARD[1] - 50 - 36 * len(below)), "\n".join(below), QUIET, small, spacing=8)
    if picture:
        shown = ImageOps.contain(_on_white(picture), (460, 510))
        box = (CARD[0] - 40 - shown.width, (CARD[1] - shown.height) // 2)
        card.paste(shown, box)
        draw.rectangle((box[0] - 1, box[1] - 1, box[0] + shown.width, box[1] + shown.height), outline="#dcdfe4")
    path.parent.mkdir(parents=True, exist_ok=True)
    card.quantize(128).save(path, "PNG")
