"""Makes an SVG safe to publish as a file of its own, and measures it."""
import re
import xml.etree.ElementTree as ET

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
RUNS = {"script", "foreignObject", "iframe", "handler", "set", "animate", "animateTransform", "animateMotion"}
PIXELS = {"": 1, "px": 1, "pt": 96 / 72, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}


def clean_svg(content: bytes) -> bytes:
    """The drawing without scripts, event handlers, entities and links to elsewhere. ValueError if it is not an SVG."""
    if re.search(rb"<!ENTITY", content, re.I):
        raise ValueError("an SVG that defines entities")
    root = ET.fromstring(content)
    if root.tag.split("}")[-1] != "svg":
        raise ValueError("not an SVG")
    for parent in list(root.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag.split("}")[-1] in RUNS:
                parent.remove(child)
        for name, value in list(parent.attrib.items()):
            local, value = name.split("}")[-1].lower(), value.strip()
            leads_away = local in {"href", "src"} and not re.match(r"#|data:image/(png|jpeg|webp|gif);", value)
            if local.startswith("on") or leads_away or re.search(r"url\(\s*['\"]?(?!#)", value):
                del parent.attrib[name]
        if parent.tag.split("}")[-1] == "style" and re.search(r"@import|url\(\s*['\"]?(?!#)|\\", parent.text or ""):
            parent.text = ""
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def svg_size(content: bytes):
    """Width and height in CSS pixels, or None where the drawing does not say."""
    root = ET.fromstring(content)
    sides = [re.fullmatch(r"\s*([\d.]+)\s*([a-z]*)\s*", root.get(side, "")) for side in ("width", "height")]
    if all(side and side[2] in PIXELS for side in sides):
        return tuple(float(side[1]) * PIXELS[side[2]] for side in sides)
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    return (float(box[2]), float(box[3])) if len(box) == 4 else None
