"""Makes an SVG safe to publish as a file of its own, and measures it."""

import re
import xml.etree.ElementTree as ET

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
RUNS = {"script", "foreignObject", "iframe", "handler", "set", "animate", "animateTransform", "animateMotion"}
SIDE = re.compile(r"([\d.]+) ?([a-z]*)")  # "6.4in"
LARGEST = 100_000  # CSS pixels
PIXELS = {"": 1, "px": 1, "pt": 96 / 72, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}


def _leads_away(attribute: str, value: str) -> bool:
    """Whether an attribute runs something or loads from elsewhere."""
    if attribute in {"href", "src"} and not re.match(r"#|data:image/(png|jpeg|webp|gif);", value):
        return True
    return attribute.startswith("on") or bool(re.search(r"url\(\s*['\"]?(?!#)", value))


def clean_svg(content: bytes) -> bytes:
    """The drawing without scripts, event handlers, entities and links to elsewhere. ValueError if it is not an SVG."""
    if re.search(rb"<!ENTITY", content, re.I):
        raise ValueError("an SVG that defines entities")
    root = ET.fromstring(content)
    if root.tag.split("}")[-1] != "svg":
        raise ValueError("not an SVG")
    for parent in list(root.iter()):
        parent[:] = [child for child in parent if isinstance(child.tag, str) and child.tag.split("}")[-1] not in RUNS]
        for name in [
            name for name, value in parent.attrib.items() if _leads_away(name.split("}")[-1].lower(), value.strip())
        ]:
            del parent.attrib[name]
        if parent.tag.split("}")[-1] == "style" and re.search(r"@import|url\(\s*['\"]?(?!#)|\\", parent.text or ""):
            parent.text = ""
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def svg_size(content: bytes):
    """Width and height in CSS pixels, or None where the drawing does not say."""
    root = ET.fromstring(content)
    sides = [SIDE.fullmatch(" ".join(root.get(side, "").split())) for side in ("width", "height")]
    if all(side and side[2] in PIXELS for side in sides):
        return _possible([float(side[1]) * PIXELS[side[2]] for side in sides])
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    return _possible([float(side) for side in box[2:]]) if len(box) == 4 else None


def _possible(size: list):
    """Width and height, or None where no page can show so much or so little."""
    return tuple(size) if all(0 < side <= LARGEST for side in size) else None
