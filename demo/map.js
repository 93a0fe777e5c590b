// Where the network sees a class: its probabilities at places of a tile, or of a photograph that is cut into squares,
// laid over the picture. As `Answer.draw` of recaptcha/answers.py.

const COLOUR = [230, 159, 0];
const STRONGEST = 0.6; // how much of the colour covers a place that surely shows the class
const DRAWN = 60; // pixels of a tile's map

function canvasOf(side) {
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  return { canvas, context: canvas.getContext("2d") };
}

/** Lays a map, probabilities row by row, over the items of the tiles that it covers: one, or all of a photograph. */
export function layOver(items, map) {
  const places = Math.sqrt(map.length);
  const tiles = Math.sqrt(items.length);
  const small = canvasOf(places);
  const colours = new ImageData(places, places);
  map.forEach((probability, at) => colours.data.set([...COLOUR, Math.round(255 * STRONGEST * probability)], 4 * at));
  small.context.putImageData(colours, 0, 0);
  const large = canvasOf(tiles * DRAWN);
  large.context.drawImage(small.canvas, 0, 0, tiles * DRAWN, tiles * DRAWN);
  items.forEach((item, k) => {
    const { canvas, context } = canvasOf(DRAWN);
    context.drawImage(large.canvas, -(k % tiles) * DRAWN, -Math.floor(k / tiles) * DRAWN);
    canvas.setAttribute("aria-hidden", "true");
    item.prepend(canvas);
  });
}

/** The highest probability of a map, and the tile that has it, from 1; `tiles` are a side. */
export function surest(map, tiles) {
  const places = Math.sqrt(map.length);
  const probability = Math.max(...map);
  const at = map.indexOf(probability);
  const tileOf = (place) => Math.floor((place * tiles) / places);
  return { probability, number: tileOf(Math.floor(at / places)) * tiles + tileOf(at % places) + 1 };
}
