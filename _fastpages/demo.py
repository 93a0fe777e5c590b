"""Puts beside the demo page what is made from other things: the network and its runtime, the samples, and what the page has to know of them."""
import base64
import csv
import hashlib
import io
import json
import re
from pathlib import Path

from PIL import Image

from .errors import NotebookError

ROOT = Path(__file__).parent.parent
MODEL, TILES = ROOT / "recaptcha" / "assets" / "recaptcha-int8.onnx", ROOT / "images" / "demo" / "tiles.webp"
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"
SIDE = 120  # pixels of a tile in `TILES`
# What the page calls a file: where it is.
FILES = {"runtime": RUNTIME / "ort.wasm.min.mjs", "glue": RUNTIME / "ort-wasm-simd-threaded.mjs", "wasm": RUNTIME / "ort-wasm-simd-threaded.wasm",
         "model": MODEL}
# (file, target, which of the tiles, how `recaptcha.grid.compose` draws them): a bare grid; what a challenge looks like; 4×4; screenshots. `seed`
# is one whose header asks for the target, where there is a header.
SAMPLES = [
    ("challenge.jpg", "Crosswalk", range(9, 18), {"size": 120, "gutter": 4, "margin": 7, "header": 90, "footer": 50, "seed": 1}),
    ("bare.png", "Traffic Light", range(0, 9), {"size": 100}),
    ("four.jpg", "Car", range(20, 36), {"n": 4, "size": 100, "gutter": 2, "margin": 7, "header": 90, "footer": 50, "seed": 0}),
    ("page.jpg", "Palm", range(18, 27), {"size": 120, "gutter": 4, "margin": 7, "header": 90, "footer": 50, "page": (210, 90, 330, 130), "seed": 6}),
    ("dark.jpg", "Bicycle", range(27, 36), {"size": 112, "gutter": 3, "page": (60, 120, 80, 60), "ground": (40, 44, 52), "zoom": 1.25, "seed": 3}),
]
QUALITY = 92


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def compose_samples(folder: Path, grid) -> list:
    """Draws the samples from the tiles with `recaptcha.grid`; gives of each what the page says: file, size, target, tiles a side, the tiles that show the target."""
    with TILES.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        labels = [row["labels"].split(";") for row in csv.DictReader(file)]
    with Image.open(TILES) as image:
        figure = image.convert("RGB")
    across, samples = figure.width // SIDE, []
    corners = [(place % across * SIDE, place // across * SIDE) for place in range(len(labels))]
    tiles = [figure.crop((x, y, x + SIDE, y + SIDE)) for x, y in corners]
    for name, target, chosen, options in SAMPLES:
        picture, place = grid.compose([tiles[number] for number in chosen], **options)
        buffer = io.BytesIO()
        picture.save(buffer, Image.registered_extensions()[Path(name).suffix], quality=QUALITY)
        _write(folder / name, buffer.getvalue())
        samples.append({"file": name, "width": picture.width, "height": picture.height, "target": target, "side": place.n,
                        "tiles": [at for at, number in enumerate(chosen, 1) if target in labels[number]]})
    return samples


def publish_demo(out: Path) -> None:
    """Fills `out/demo/made`, and writes what the templates take from it to `out/_data/demo.json`. A site without the page needs neither."""
    if not (out / "_pages" / "demo.html").is_file():
        return
    from recaptcha import grid  # NumPy takes a moment to load
    made = out / "demo" / "made"
    try:
        contents = {name: path.read_bytes() for name, path in FILES.items()}
        about = json.loads(MODEL.with_suffix(".json").read_text(encoding="utf-8"))
        head = (out / "_includes" / "head.html").read_text(encoding="utf-8")
    except OSError as error:
        raise NotebookError(f"the demo page needs {error.filename}: `make site` installs what is not in the repository") from None
    files = {}
    for name, path in FILES.items():
        _write(made / path.name, contents[name])
        files[name] = f"{path.name}?v={hashlib.sha256(contents[name]).hexdigest()[:12]}"
    numbers = {name: getattr(grid, name) for name in ("COARSE", "FINE", "WEIGHTS", "SURE", "PAYLOAD", "SEAMS", "CLEAR")}
    _write(made / "numbers.js", "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in numbers.items()).encode())
    script = base64.b64encode(hashlib.sha256(re.search(r"<script>(.*?)</script>", head, re.S)[1].encode()).digest()).decode()
    data = {"files": files, "megabytes": round(sum(map(len, contents.values())) / 1e6), "script": f"sha256-{script}",
            "classes": about["classes"], "thresholds": about["thresholds"], "version": about["version"], "run": about["run"],
            "samples": compose_samples(made, grid)}
    _write(out / "_data" / "demo.json", (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())
