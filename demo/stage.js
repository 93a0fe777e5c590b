// The picture on the demo page and the tiles over it. Where tiles would be too small to read, the page shows only them
// and what is near.
import { boxesOf } from "./challenge.js";

const READABLE = 64; // pixels of a tile on the screen
const AROUND = 0.08; // what is shown around a grid, as a share of its side
const stage = document.getElementById("demo-stage");
const canvas = document.getElementById("demo-canvas");
const list = document.getElementById("demo-tiles");
let shown = null;

/** How large the picture is shown at most: by the room there is, and by the height that the style allows. */
function largest() {
  return [stage.parentElement.clientWidth, Number.parseFloat(getComputedStyle(stage).maxHeight)];
}

/** Left, top, width and height of what is shown of the picture. */
function frame({ width, height }, grid) {
  const [across, down] = [grid.width, grid.height].map((length) => (grid.n - 1) * grid.pitch + length);
  const [room, high] = largest();
  if (grid.width * Math.min(room / width, high / height) >= READABLE) return [0, 0, width, height];
  const around = AROUND * across;
  const left = Math.max(0, Math.floor(grid.x - around));
  const top = Math.max(0, Math.floor(grid.y - around));
  return [
    left,
    top,
    Math.min(width, Math.ceil(grid.x + across + around)) - left,
    Math.min(height, Math.ceil(grid.y + down + around)) - top,
  ];
}

function place() {
  const { picture, grid } = shown;
  const [left, top, width, height] = frame(picture, grid);
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").drawImage(picture.canvas, -left, -top);
  stage.style.setProperty("--ratio", width / height);
  boxesOf(grid, picture).forEach(([l, t, r, b], k) =>
    Object.assign(list.children[k].style, {
      left: `${(100 * (l - left)) / width}%`,
      top: `${(100 * (t - top)) / height}%`,
      width: `${(100 * (r - l)) / width}%`,
      height: `${(100 * (b - t)) / height}%`,
    }),
  );
}

export function showPicture(picture, grid) {
  shown = { picture, grid };
  list.replaceChildren(
    ...Array.from({ length: grid.n * grid.n }, () => {
      const item = document.createElement("li");
      const button = Object.assign(document.createElement("button"), { type: "button" });
      for (const className of ["unseen", "number", "probability"])
        button.append(Object.assign(document.createElement("span"), { className }));
      const [, ...shown] = button.children; // the first says it all
      for (const part of shown) part.setAttribute("aria-hidden", "true");
      item.append(button);
      return item;
    }),
  );
  place();
}

/** Lights the tiles up; `name` says a tile in words. */
export function show(tiles, name) {
  tiles.forEach((tile, k) => {
    const item = list.children[k];
    const set = (part, text) => {
      item.querySelector(`.${part}`).textContent = text;
    };
    item.classList.toggle("said", tile.said);
    item.dataset.probability = tile.probability.toFixed(4);
    item.style.setProperty("--shade", tile.said ? 0 : 0.6 * (1 - tile.probability));
    item.querySelector("canvas")?.remove();
    set("unseen", name(tile));
    set("number", tile.number);
    set("probability", tile.probability.toFixed(2));
  });
}

const again = () => requestAnimationFrame(() => shown && place());
new ResizeObserver(again).observe(stage.parentElement);
addEventListener("resize", again); // the height of the window counts, too
