"""Fits drawings (SVG) to a page: their photographs small, matplotlib's without their white ground and with a twin for
dark pages, and all as wide at least as their smallest text needs to be read.
"""

import base64
import binascii
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from .svg import SVG, XLINK, svg_size
from .webp import smaller

READABLE = 11  # CSS pixels that text has at least
# What a dark page shows light, the ink of `recaptcha.style` and black, and paper (as _sass/site/_colours.scss has it).
INKS, LIGHT_INK = ("#1c2127", "#000000"), "#e3e6ea"
PAPER, DARK_PAPER = "#ffffff", "#14171c"
CONTRAST = 3  # of coloured text on a dark page, at least
EMBEDDED = re.compile(r"data:image/(?:png|jpeg);base64,")
POSITION = re.compile(r"\s*(?:M|translate\()\s*(-?[\d.]+)[\s,]+(-?[\d.]+)")
LETTERS = re.compile(r"scale\(([\d.]+) -")  # how matplotlib draws an outline of 100 units: "scale(0.11 -0.11)"
FONT = re.compile(r"(?:^|;)\s*font(?:-size)?:[^;]*?([\d.]+)px")
COLOUR = re.compile(r"fill: (#[0-9a-f]{6})")
SHAPES = {"path", "use"}  # matplotlib's; letters are coloured by the group that they are in
REFERENCE = re.compile(r"url\(#([^)]*)\)")


@dataclass(frozen=True)
class Drawing:
    content: bytes
    dark: bytes | None  # the same for a dark page; None of one that brings its own ground
    width: int | None  # CSS pixels at which its smallest text can still be read


def fitted(content: bytes) -> Drawing:
    """A drawing that `clean_svg` gave, as a page shows it."""
    root = ET.fromstring(content)
    _shrink_pictures(root)
    width = _least_width(root, content)
    figure = root.find(f"{{{SVG}}}g[@id='figure_1']")
    clips = {} if figure is None else _clips(root)
    if figure is None or not _can_be_dark(figure, clips):
        return Drawing(_written(root), None, width)
    for ground in _grounds(figure):
        ground.set("style", "fill: none")
    light = _written(root)
    _darken(figure, clips)
    return Drawing(light, _written(root), width)


def _written(root) -> bytes:
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _tag(element) -> str:
    return element.tag.rpartition("}")[2]


def _name(element) -> str:
    return element.get("id", "")


def _shrink_pictures(root) -> None:
    """Has each picture in a drawing stored as other pictures are, where that is smaller."""
    for image in root.iter(f"{{{SVG}}}image"):
        for name in (f"{{{XLINK}}}href", "href"):
            kind = EMBEDDED.match(image.get(name, ""))
            if not kind:
                continue
            try:
                content, mime, _ = smaller(base64.b64decode(image.get(name)[kind.end() :]))
            except (binascii.Error, ValueError):
                continue  # what a browser makes of it is the browser's
            image.set(name, f"data:{mime};base64,{base64.b64encode(content).decode()}")


def _least_width(root, content: bytes) -> int | None:
    """How wide a drawing is at least, in CSS pixels, for its text to be readable; None without text."""
    size, box = svg_size(content), re.split(r"[\s,]+", root.get("viewBox", "").strip())
    texts = _text_sizes(root)
    if not size or not texts:
        return None
    units = float(box[2]) if len(box) == 4 and float(box[2]) > 0 else size[0]
    return round(min(size[0], READABLE * units / min(texts)))


def _text_sizes(root) -> list:
    """The sizes of all text, in the drawing's own units: of matplotlib's outlines of letters, and of fonts."""
    found = []
    for element in root.iter():
        if _name(element).startswith("text_"):
            found += [100 * float(size) for each in element for size in LETTERS.findall(each.get("transform", ""))]
        found += [float(size) for size in FONT.findall(element.get("style", ""))]
        found += [float(size) for size in re.findall(r"^([\d.]+)(?:px)?$", element.get("font-size", ""))]
    return [size for size in found if size > 0]


def _clips(root) -> dict:
    """{name: (left, top, right, bottom)} of the rectangles to which parts of a drawing are cut."""
    found = {}
    for clip in root.iter(f"{{{SVG}}}clipPath"):
        for box in clip.iter(f"{{{SVG}}}rect"):
            left, top, width, height = (float(box.get(side, 0)) for side in ("x", "y", "width", "height"))
            found[_name(clip)] = left, top, left + width, top + height
    return found


def _pictures(axes, clips: dict) -> list:
    """The rectangles in which axes show a picture or a coloured grid."""
    found = []
    for part in axes:
        is_grid = "QuadMesh" in _name(part)
        for each in part.iter():
            clip = REFERENCE.match(each.get("clip-path", ""))
            if clip and clip[1] in clips and (is_grid or any(_tag(child) == "image" for child in each)):
                found.append(clips[clip[1]])
    return found


def _lies_on(part, boxes: list) -> bool:
    """Whether a part of axes begins within one of the rectangles, and not at their edge, as the frame does."""
    for each in part.iter():
        place = POSITION.match(each.get("transform") or each.get("d") or "")
        x, y = place.groups() if place else (each.get("x"), each.get("y"))
        if x and y:
            x, y = float(x), float(y)
            return any(left + 1 < x < right - 1 and top + 1 < y < bottom - 1 for left, top, right, bottom in boxes)
    return False


def _grounds(figure) -> list:
    """The white rectangles behind a figure and behind each of its axes."""
    groups = [figure, *(group for group in figure.iter() if _name(group).startswith("axes_"))]
    firsts = [group[0] for group in groups if len(group) and _name(group[0]).startswith("patch_")]
    return [path for first in firsts for path in first if f"fill: {PAPER}" in path.get("style", "")]


def _can_be_dark(figure, clips: dict) -> bool:
    """Whether a figure stands on white, and no text in it would be hard to read on a dark page."""
    ground = figure[0] if len(figure) else figure
    if not any(f"fill: {PAPER}" in path.get("style", "") for path in ground):
        return False
    colours = {
        colour
        for part in _recoloured(figure, clips)
        if _name(part).startswith("text_")
        for each in part.iter()
        for colour in COLOUR.findall(each.get("style", ""))
    }
    return all(_luminance(colour) > 0.05 * CONTRAST for colour in colours.difference(INKS))


def _luminance(colour: str) -> float:
    """How light a colour is, with what a dark page has of it (WCAG 2.1's relative luminance, plus 0.05)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.05 + 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _recoloured(figure, clips: dict):
    """The elements of a figure whose colours have a twin; what lies on a picture or a coloured grid keeps its own."""
    for part in figure:
        if _name(part).startswith(("axes_", "figure_")):
            boxes = _pictures(part, clips)
            kept = [each for each in part if "matplotlib.axis" not in _name(each) and _lies_on(each, boxes)]
            yield from _recoloured([each for each in part if each not in kept], clips)
        else:
            yield from part.iter()


def _darken(figure, clips: dict) -> None:
    """Makes ink light, and paper dark; white letters stay, as they are meant for a colour.

    Matplotlib leaves out `fill` where it is black: of letters, whose group has the light ink then, and of shapes; but
    also of the shape of a marker, which each `use` of it fills.
    """
    markers = {shape for defined in figure.iter(f"{{{SVG}}}defs") for shape in defined}
    for element in list(_recoloured(figure, clips)):
        style, is_shape = element.get("style", ""), _tag(element) in SHAPES
        is_filled = "fill:" in style or element in markers
        is_black = is_shape and not is_filled and (style or element.get("clip-path"))
        if is_black or _name(element).startswith("text_"):
            style = f"{style}; fill: {LIGHT_INK}".lstrip("; ")
        for ink in INKS:
            style = style.replace(ink, LIGHT_INK)
        if style:
            element.set("style", style.replace(PAPER, DARK_PAPER) if is_shape else style)
