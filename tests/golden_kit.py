"""What Python says of pictures, tiles and numbers, for the demo page's scripts to say the same (tests/js)."""

import hashlib
import json
import random

import numpy as np
from PIL import Image

from _fastpages.demo import demo_tiles
from recaptcha import candidates, grid, lines, regions
from recaptcha.answers import Answer
from recaptcha.compose import any_kind, compose, disturb
from recaptcha.grid import Grid, locate_all
from recaptcha.network import Network
from recaptcha.pictures import DataError

CHOICES = {"auto": "auto", "3": "3x3", "4": "4x4", "1": "none"}  # the page's, and Python's
COMPOSED, DISTURBED, SEED = 12, 6, 8


def demo_pictures():
    """The tiles of the demo figure, without what they show."""
    return [picture for picture, _ in demo_tiles()]


def noise(rng, width, height):
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def composed():
    """(what it is, picture) of challenges as they may be pictured, and one that is larger than what is measured."""
    rng, tiles, found = random.Random(SEED), demo_pictures(), []
    for number in range(COMPOSED):
        kind = any_kind(rng)
        found.append((f"composed {number}: {kind}", compose(rng.sample(tiles, kind["n"] ** 2), **kind)[0]))
    large = compose(rng.sample(tiles, 9), size=120, gutter=4, margin=7, header=90, page=(300, 200, 250, 100), zoom=1.9)[
        0
    ]
    return [*found, ("large", large)]


def disturbed():
    """(what it is, picture) of challenges as they may be handed over; and one screen with two of them."""
    rng, tiles, found = random.Random(SEED + 1), demo_pictures(), []
    for number in range(DISTURBED):
        kind = any_kind(rng)
        picture, _ = disturb(*compose(rng.sample(tiles, kind["n"] ** 2), **kind), rng)
        picture.thumbnail((1000, 1000))
        found.append((f"disturbed {number}: {kind}", picture))
    return [*found, ("two challenges", two_challenges()[0])]


def two_challenges():
    """A screen with a 3×3 and, beside it, a 4×4; and their grids, the left one first."""
    tiles, places = demo_pictures(), ((40, 60), (620, 90))
    boxes = [compose(tiles[:9], 3, 130, 4, 7, 110, 60), compose(tiles[9:25], 4, 95, 2, 7, 110, 60)]
    screen = Image.new("RGB", (1100, 720), "white")
    for (box, _), place in zip(boxes, places):
        screen.paste(box, place)
    moved = [Grid.square(one.n, one.x + x, one.y + y, one.width, one.pitch) for (_, one), (x, y) in zip(boxes, places)]
    return screen, moved


def payloads():
    """(what it is, picture) of bare payloads in the sizes that are delivered: nine tiles, and one photograph."""
    tiles = demo_pictures()
    photograph = tiles[0].resize((450, 450), Image.BICUBIC)
    nine = [compose(tiles[9:18], size=side // 3)[0] for side in grid.PAYLOAD]
    blurred = nine[0].resize((60, 60), Image.BICUBIC).resize((300, 300), Image.BICUBIC)
    return [
        *((f"payload {picture.size}", picture) for picture in nine),
        ("payload of a photograph", photograph),
        ("payload without seams to see", blurred),
        ("payload of a photograph, 300", photograph.resize((300, 300), Image.BICUBIC)),
        ("payload of nine, 1.25", nine[2].resize((562, 563), Image.BICUBIC)),
        ("payload of a photograph, 2", photograph.resize((900, 899), Image.BICUBIC)),
    ]


def edge_cases():
    """(what it is, picture, the page's choice) at the edges of what is a challenge."""
    rng = np.random.default_rng(1)
    flat = [
        (f"flat {size}", Image.new("RGB", size, "teal"), choice)
        for size, choice in (
            ((300, 200), "auto"),
            ((300, 300), "3"),
            ((300, 300), "4"),
            ((301, 299), "3"),
            ((315, 300), "4"),
            ((316, 300), "4"),
            ((300, 330), "3"),
            ((2, 2), "3"),
            ((3, 3), "3"),
            ((1, 1), "1"),
            ((61, 47), "1"),
            ((47, 61), "auto"),
            ((48, 48), "auto"),
            ((40, 40), "4"),
        )
    ]
    return [
        *flat,
        ("noise", noise(rng, 120, 120), "auto"),
        ("noise", noise(rng, 90, 93), "4"),
        ("one line", noise(rng, 1, 64), "auto"),
        ("strip", noise(rng, 700, 50), "auto"),
    ]


def located(picture, choice):
    """What `locate_all`, `cut` and `photograph` make of a picture, or the page's word for an error."""
    try:
        found = locate_all(picture, CHOICES[choice])
    except DataError:
        return {"error": "no_grid" if choice == "auto" else "no_such_grid"}
    tiles, photograph = found[0].cut(picture), found[0].photograph(picture)
    return {
        "boxes": found[0].boxes_in(picture.size),
        "confidence": found[0].confidence,
        "others": [one.boxes_in(picture.size) for one in found[1:]],
        "shape": tiles.shape,
        "sha256": hashlib.sha256(tiles.tobytes()).hexdigest(),
        "photograph": [photograph.shape, hashlib.sha256(photograph.tobytes()).hexdigest()],
    }


def grids(save):
    cases = [(about, picture, "auto") for about, picture in composed()]
    cases += [(about, picture, choice) for about, picture, _ in cases[:2] for choice in ("3", "4")]
    cases += [(about, picture, "auto") for about, picture in [*payloads(), *disturbed()]]
    return [
        {"about": about, "picture": save(picture), "choice": choice, **located(picture, choice)}
        for about, picture, choice in [*cases, *edge_cases()]
    ]


def seen_regions(save):
    """Where a challenge may be in the small picture, of what was composed."""
    found = []
    for about, picture in [*composed()[:4], *disturbed()]:
        small = grid.shrink(grid.shrink(picture, grid.FINE), grid.COARSE)
        grey = np.asarray(small, dtype=np.float32).mean(2)
        found.append(
            {
                "about": about,
                "picture": save(small),
                "squares": np.array(regions.squares(grey)).tolist(),
                "regions": np.array(regions.regions(grey)).tolist(),
            }
        )
    return found


def photographs(save):
    """The photograph that a 4×4 is cut from, with gutters and without; some grids reach beyond the picture."""
    picture = noise(np.random.default_rng(5), 97, 90)
    places = [
        Grid.square(4, 3.4, 2.5, 19.6, 21.5),
        Grid.square(4, 3.4, 2.5, 21.4, 21.5),
        Grid.square(4, 0, 0, 22.5, 22.5),
        Grid.square(4, -0.7, 5.5, 24.1, 24.1),
        Grid.square(4, 1, -2, 22, 25),
    ]
    found = []
    for place in places:
        joined = place.photograph(picture)
        sha256 = hashlib.sha256(joined.tobytes()).hexdigest()
        found.append({"picture": save(picture), "grid": vars(place), "shape": joined.shape, "sha256": sha256})
    return found


def as_vector(candidate):
    return {name: float(value) for name, value in vars(candidate).items()}


def finder(save):
    """Each step of the finder, of composed pictures: what is proposed, judged, found, and measured of the best."""
    found = []
    for about, picture in composed()[:4]:
        full = grid.shrink(picture, grid.FINE)
        small = grid.shrink(full, grid.COARSE)
        view = candidates.View.of(small)
        proposed = candidates.propose(view)
        best, lead = candidates.search(view)
        exact = grid.find_grid(picture)
        found.append(
            {
                "about": about,
                "picture": save(picture),
                "proposed": [as_vector(one) for one in proposed],
                "judged": [as_vector(candidates.judge(view, one)) for one in proposed[::4]],
                "neighbours": [as_vector(one) for one in candidates.neighbours(view, proposed[0])],
                "best": as_vector(best),
                "lead": float(lead),
                "grid": as_vector(exact),
            }
        )
    return found


def seams(save):
    """How far the lines between even tiles stand out, of payloads."""
    return [
        {"picture": save(picture), "n": n, "seams": grid.seams(picture, n)} for _, picture in payloads() for n in (3, 4)
    ]


def shrunk(save):
    """Pictures made smaller by Pillow along x and then along y.

    Which comes first when Pillow does both at once depends on its version, and makes a level's difference.
    """
    rng, found = np.random.default_rng(2), []
    for (width, height), side in {
        (90, 40): 60,
        (40, 90): 60,
        (64, 64): 17,
        (333, 7): 100,
        (50, 50): 49,
        (30, 20): 30,
    }.items():
        picture, share = noise(rng, width, height), min(1, side / max(width, height))
        size = [max(1, round(length * share)) for length in (width, height)]
        small = picture.resize((size[0], height), Image.BILINEAR).resize(size, Image.BILINEAR)
        assert np.abs(np.subtract(small, picture.resize(size, Image.BILINEAR), dtype=int)).max() <= 1
        found.append({"picture": save(picture), "side": side, "small": save(small)})
    return found


def seen_lines(save):
    """What is seen of lines: on noise, on a picture of columns some of which are of one colour, on profiles."""
    rng = np.random.default_rng(3)
    columns = rng.integers(0, 256, (40, 24, 3), dtype=np.uint8)
    columns[:, ::5] = rng.integers(0, 256, (5, 3))
    columns[:7, ::10] = 255 - columns[:7, ::10]
    pictures = [noise(rng, 37, 22), noise(rng, 4, 9), Image.fromarray(columns)]
    edges = [
        {
            "picture": save(picture),
            "along": lines.edge_map(np.asarray(picture, np.float32)).tolist(),
            "across": lines.edge_map(np.asarray(picture, np.float32).transpose(1, 0, 2)).tolist(),
        }
        for picture in pictures
    ]
    plain = [
        {"picture": save(picture), "plain": lines.plain(np.asarray(picture, np.float32)).tolist()}
        for picture in pictures
    ]
    profiles = [rng.uniform(0, 40, length) for length in (1, 5, 21, 80)]
    outstanding = [
        {
            "profile": profile.tolist(),
            "near": near,
            "far": far,
            "standOut": lines.stand_out(profile, near, far).tolist(),
            "widened": lines.widen(profile).tolist(),
        }
        for profile in profiles
        for near, far in ((3, 10), (2, 6), (8, 30))
    ]
    halves = [*np.arange(-3, 3.5, 0.5).tolist(), 0.49999999999999994, 2.4999, 1e9 + 0.5]
    return {
        "edges": edges,
        "plain": plain,
        "profiles": outstanding,
        "rounded": [[value, round(value)] for value in halves],
    }


def in_words(thing, tiles):
    tiles = [str(tile) for tile in tiles]
    if len(tiles) < 2:
        return f"Tile {tiles[0]} shows {thing}." if tiles else f"No tile shows {thing}."
    return f"Tiles {', '.join(tiles[:-1])} and {tiles[-1]} show {thing}."


UNSURE = {"unsure_grid": "the tiles may lie elsewhere", "unsure_tiles": "a tile may be wrong"}


def answers():
    """Tiles chosen from probabilities, and how sure that is, as the command line has them.

    Some of the probabilities are a class's threshold itself, or next to it.
    """
    network, rng, found = Network(), np.random.default_rng(4), []
    for n, spread, sure in ((1, 1, 1.0), (3, 1, 0.3), (3, 5, 0.9), (4, 9, 0.2)):
        place = Grid.square(n, 0, 0, 1, 1, confidence=sure)
        probs = rng.random((n * n, len(network.classes)), dtype=np.float32) ** spread
        for i, name in enumerate(network.classes):
            own = np.float32(network.thresholds[i])
            if spread == 1:
                probs[0, i], probs[n * n // 2, i], probs[-1, i] = (
                    own,
                    np.nextafter(own, np.float32(1)),
                    np.nextafter(own, np.float32(0)),
                )
            said = Answer(None, name, place, probs, network.thresholds)
            found.append(
                {
                    "target": name,
                    "index": i,
                    "threshold": float(network.thresholds[i]),
                    "probs": probs.tolist(),
                    "tiles": said.clicks(),
                    "sentence": in_words(f"a {name.lower()}", said.clicks()),
                    "kind": said.kind,
                    "grid": sure,
                    "confidence": said.confidence,
                    "doubts": [word for word, reason in UNSURE.items() if reason in said.unsure],
                }
            )
    return found


def write_golden(folder):
    """Fills a folder with `golden.json` and the pictures that it names, three bytes a pixel and a fourth."""

    def save(picture):
        name = f"{sum(1 for _ in folder.glob('*.rgba'))}.rgba"
        (folder / name).write_bytes(picture.convert("RGBA").tobytes())
        return {"file": name, "width": picture.width, "height": picture.height}

    golden = {"grids": grids(save), "seams": seams(save), "shrunk": shrunk(save)}
    golden |= {"regions": seen_regions(save), "photographs": photographs(save)}
    golden |= {"lines": seen_lines(save), "finder": finder(save), "answers": answers()}
    (folder / "golden.json").write_text(json.dumps(golden), encoding="utf-8")
    return golden
