"""Puts together what the demo page loads: its scripts, the network and its runtime, the samples; what it has to know.

Every address carries its content's hash (see `versions`): the page gets the very files that it was built with, or none.
"""

import csv
import importlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from .errors import NotebookError
from .files import write
from .versions import integrity, versioned

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "demo"
MODEL = ROOT / "recaptcha" / "assets" / "recaptcha-int8.onnx"
TILES = ROOT / "images" / "demo" / "tiles.webp"
PHOTOGRAPH = TILES.with_stem("photograph")
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"
# Where it all goes: below the page, or the page's service worker would not be asked for what its threads run.
MADE = Path("demo") / "made"
SIDE = 120  # pixels of a tile in `TILES`
# What the page calls a file: where it is.
FILES = {
    "runtime": RUNTIME / "ort.wasm.min.mjs",
    "glue": RUNTIME / "ort-wasm-simd-threaded.mjs",
    "wasm": RUNTIME / "ort-wasm-simd-threaded.wasm",
    "model": MODEL,
}
# What the page's scripts share with the module's: its modules, and the names of their numbers.
NUMBERS = {
    "pictures": "MAX_PIXELS",
    "lines": "ALONG CAP NEAR FAR DULL LOWEST HIGHEST BORDER ALIKE MOSTLY SPREAD",
    "candidates": "BANDS GUTTERS SMALLEST LEAST BEYOND ACROSS DOWN KEPT WEIGHTS ASIDE INSIDE BESIDE TEXTURE SURE "
    "APART GOES_ON CLOSER",
    "regions": "STILL BLOCK PAGE SIDE FURTHER MOST TOUCH ADDED WHOLE",
    "trust": "TRUST SURE",
    "grid": "ROOM WIDEST RIM OF_GUTTER OF_RIM OF_OUTER COARSE FINE TINY WITHIN MORE SURELY SURE_GRID PAYLOAD RATIOS "
    "SEAMS STEEP SQUARE",
}
RENAMED = {("trust", "SURE"): "SURE_ANSWER"}  # another module has a number of the same name
IMPORT = re.compile(r'(?<= from ")\./([a-z]+\.js)(?=";)')
BOX = {"margin": 7, "header": 90, "footer": 50}  # what is around the tiles of a challenge
# (file, target, which of the tiles, how `recaptcha.compose` draws them): what a challenge looks like; a bare grid;
# 4×4, of no tiles but the photograph and what that shows; screenshots. `seed` is one whose header asks for the target,
# where there is a header.
SAMPLES = [
    ("challenge.jpg", "Crosswalk", range(9, 18), {**BOX, "size": 120, "gutter": 4, "seed": 1}),
    ("bare.png", "Traffic Light", range(9), {"size": 100}),
    ("photograph.jpg", None, None, {"n": 4, "size": 112, "gutter": 2, "margin": 4}),
    ("page.jpg", "Palm", range(18, 27), {**BOX, "size": 120, "gutter": 4, "page": (210, 90, 330, 130), "seed": 6}),
    (
        "dark.jpg",
        "Bicycle",
        range(27, 36),
        {"size": 112, "gutter": 3, "page": (60, 120, 80, 60), "ground": (40, 44, 52), "zoom": 1.25, "seed": 3},
    ),
]
QUALITY = 92


@dataclass(frozen=True)
class Sample:
    """A picture that a reader may try."""

    name: str
    content: bytes
    about: dict  # width, height, target, side (in tiles) and tiles (those that show the target, from 1)


def numbers() -> str:
    """A script that holds the numbers of `NUMBERS`."""
    # imported here: NumPy takes a moment to load, and a site without the page needs none of it
    modules = {name: importlib.import_module(f"recaptcha.{name}") for name in NUMBERS}
    shared = {
        RENAMED.get((of, name), name): getattr(modules[of], name)
        for of, names in NUMBERS.items()
        for name in names.split()
    }
    return "".join(f"export const {name} = {json.dumps(value, default=vars)};\n" for name, value in shared.items())


def demo_scripts() -> dict:
    """The page's scripts by name, as they are in the repository, and one that holds the numbers they share."""
    paths = [path for path in sorted(SCRIPTS.glob("*.js")) if path.name != "sw.js"]
    scripts = {path.name: path.read_text(encoding="utf-8") for path in paths}
    return scripts | {"numbers.js": numbers()}


def module(script: str) -> str:
    """What a script is called in the site."""
    return script.replace(".js", ".mjs")


def version_imports(scripts: dict) -> dict:
    """The scripts as the page loads them, .mjs, with `?v=` in what they import.

    A script that changes changes the addresses of all that lead to it; no two may import each other. Jekyll leaves out
    demo/*.js, however deep, and so tells sources from what is made of them.
    """
    done = {}

    def finished(name: str) -> str:
        if name not in done:
            done[name] = IMPORT.sub(address, scripts[name])
        return done[name]

    def address(match) -> str:
        return f"./{versioned(module(match[1]), finished(match[1]).encode())}"

    for name in scripts:
        finished(name)
    return {module(name): script for name, script in done.items()}


def demo_tiles() -> list:
    """Of each tile in `TILES` its picture and its labels."""
    with TILES.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        labels = [row["labels"].split(";") for row in csv.DictReader(file)]
    with Image.open(TILES) as image:
        figure = image.convert("RGB")
    across = figure.width // SIDE
    corners = [(place % across * SIDE, place // across * SIDE) for place in range(len(labels))]
    return [(figure.crop((x, y, x + SIDE, y + SIDE)), of) for (x, y), of in zip(corners, labels)]


def photograph() -> tuple:
    """The tile that is cut into squares, the class that it shows, and the numbers of the squares that show it."""
    with PHOTOGRAPH.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    with Image.open(PHOTOGRAPH) as image:
        return image.convert("RGB"), row["class"], [int(square) for square in row["squares"].split(";")]


def compose_samples() -> list:
    """The `Sample`s, drawn from the tiles with `recaptcha.compose`."""
    from recaptcha.compose import compose

    tiles, samples = demo_tiles(), []
    for name, target, chosen, options in SAMPLES:
        if chosen is None:
            whole, target, right = photograph()
            pictures = [whole]
        else:
            pictures = [tiles[number][0] for number in chosen]
            right = [at for at, number in enumerate(chosen, 1) if target in tiles[number][1]]
        picture, place = compose(pictures, **options)
        buffer = io.BytesIO()
        picture.save(buffer, Image.registered_extensions()[Path(name).suffix], quality=QUALITY)
        about = {"width": picture.width, "height": picture.height, "target": target, "side": place.n, "tiles": right}
        samples.append(Sample(name, buffer.getvalue(), about))
    return samples


def _fill(folder: Path, contents: dict) -> None:
    """The folder holds these files and no others."""
    for name, content in contents.items():
        write(folder / name, content)
    for path in folder.iterdir():
        if path.name not in contents:
            path.unlink()


def publish_demo(out: Path) -> None:
    """Fills `out/demo/made`, and writes what the templates take from it to `out/_data/demo.json`.

    A site without the page needs neither.
    """
    if not (out / "_pages" / "demo.html").is_file():
        return
    try:
        runtime = {name: path.read_bytes() for name, path in FILES.items()}
        about = json.loads(MODEL.with_suffix(".json").read_text(encoding="utf-8"))
    except OSError as error:
        missing = f"the demo page needs {error.filename}: `make site` installs what is not in the repository"
        raise NotebookError(missing) from None
    scripts = {name: script.encode() for name, script in version_imports(demo_scripts()).items()}
    samples = compose_samples()
    contents = scripts | {FILES[name].name: content for name, content in runtime.items()}
    _fill(out / MADE, contents | {sample.name: sample.content for sample in samples})
    modules = scripts | {FILES["runtime"].name: runtime["runtime"]}
    data = {
        "files": {name: versioned(FILES[name].name, content) for name, content in runtime.items()},
        "scripts": [
            {"name": name, "address": versioned(name, content), "integrity": integrity(content)}
            for name, content in modules.items()
        ],
        "megabytes": round(sum(map(len, runtime.values())) / 1e6),
        "thresholds": {
            "tile": about["thresholds"],
            "tiles": about["thresholds"],
            "photograph": about["square_thresholds"],
        },
        **{key: about[key] for key in ("classes", "sizes", "version", "run")},
        "samples": [{"file": versioned(sample.name, sample.content), **sample.about} for sample in samples],
    }
    write(out / "_data" / "demo.json", (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())
