// Any file that a reader hands over becomes a picture {width, height, data}, four bytes a pixel, or one error that says
// why not: `open_tile` of recaptcha/pictures.py for a browser. And makes pictures smaller as Pillow does, which a
// canvas does not: bilinear, along x and then along y. (Pillow may go the other way round where a picture is tall, and
// then differs by a level.)

import { rint } from "./lines.js";
import { MAX_PIXELS } from "./numbers.js";

const DECODED = 200_000_000; // pixels, the most that are decoded: what the largest camera of a phone delivers
const PRECISION = 22; // bits of a weight

/** What is wrong with a picture: the name of one of the page's words, and what to put into it. */
export class PictureError extends Error {
  constructor(word, ...values) {
    super(word);
    Object.assign(this, { word, values });
  }
}

/** The size is read before anything is decoded: a few kB can hold a picture that fills the memory. */
async function sizeOf(address) {
  const image = new Image();
  image.src = address;
  await new Promise((done, failed) =>
    Object.assign(image, { onload: done, onerror: () => failed(new PictureError("not_picture")) }),
  );
  return [image.naturalWidth, image.naturalHeight];
}

/** How many frames a file has, where the browser can tell. */
async function framesOf(file) {
  if (!self.ImageDecoder || !(await ImageDecoder.isTypeSupported(file.type).catch(() => false))) return 1;
  const decoder = new ImageDecoder({ data: await file.arrayBuffer(), type: file.type });
  await decoder.tracks.ready;
  const { frameCount } = decoder.tracks.selectedTrack;
  decoder.close();
  return frameCount;
}

/** What the browser decodes of a file, turned as its EXIF data says, colours as they are stored. */
async function decoded(file, width, height) {
  try {
    return await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    throw width * height > MAX_PIXELS ? new PictureError("too_large", width, height) : new PictureError("not_picture");
  }
}

/** A canvas with a picture on white, made smaller where it has more than `MAX_PIXELS`. */
function drawn(bitmap) {
  const { width, height } = bitmap;
  const share = Math.min(1, Math.sqrt(MAX_PIXELS / (width * height)));
  const [across, down] = [width, height].map((length) => Math.max(1, Math.floor(length * share)));
  const canvas = Object.assign(document.createElement("canvas"), { width: across, height: down });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, across, down);
  context.drawImage(bitmap, 0, 0, across, down);
  return { canvas, context };
}

/** As any file that can be read: `scaled` is the width and height that it had, where it was made smaller. */
export async function openPicture(file) {
  if (!file.size) throw new PictureError("empty");
  const address = URL.createObjectURL(file);
  try {
    const [width, height] = await sizeOf(address);
    if (width * height > DECODED) throw new PictureError("too_large", width, height);
    const frames = await framesOf(file);
    if (frames > 1) throw new PictureError("animated", frames);
    const bitmap = await decoded(file, width, height);
    const { canvas, context } = drawn(bitmap);
    const scaled = canvas.width < bitmap.width ? [bitmap.width, bitmap.height] : null;
    bitmap.close();
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return { width: canvas.width, height: canvas.height, data, canvas, scaled };
  } catch (error) {
    throw error instanceof PictureError ? error : new PictureError("not_picture");
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** For each place of a line of `to` pixels: the first of the `from` pixels that it is made of, and their weights. */
function weights(from, to) {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, x) => {
    const centre = (x + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(from, Math.trunc(centre + support + 0.5));
    const shares = Array.from({ length: last - first }, (_, i) =>
      Math.max(0, 1 - Math.abs((i + first - centre + 0.5) / support)),
    );
    const total = shares.reduce((sum, share) => sum + share, 0);
    return { first, shares: Int32Array.from(shares, (share) => Math.trunc(0.5 + (share / total) * 2 ** PRECISION)) };
  });
}

/**
 * Lines of `step` bytes a pixel made shorter; `jump` leads from one line to the next. What lies side by side is read
 * one after the other.
 */
function shorten(data, from, to, lines, step, jump, outStep, outJump) {
  const out = new Uint8ClampedArray(4 * to * lines);
  const half = 2 ** (PRECISION - 1);
  const places = weights(from, to);
  const draw = (x, line) => {
    const { first, shares } = places[x];
    const place = line * outJump + x * outStep;
    let at = line * jump + first * step;
    let red = half;
    let green = half;
    let blue = half;
    for (let i = 0; i < shares.length; i++, at += step) {
      red += data[at] * shares[i];
      green += data[at + 1] * shares[i];
      blue += data[at + 2] * shares[i];
    }
    out[place] = red >> PRECISION;
    out[place + 1] = green >> PRECISION;
    out[place + 2] = blue >> PRECISION;
    out[place + 3] = 255;
  };
  if (step < jump) for (let line = 0; line < lines; line++) for (let x = 0; x < to; x++) draw(x, line);
  else for (let x = 0; x < to; x++) for (let line = 0; line < lines; line++) draw(x, line);
  return out;
}

/** The picture with its longest side at most `side` pixels. */
export function shrink(picture, side) {
  const { width, height, data } = picture;
  const f = Math.min(1, side / Math.max(width, height));
  if (f === 1) return picture;
  const [W, H] = [width, height].map((length) => Math.max(1, rint(length * f)));
  const narrow = W === width ? data : shorten(data, width, W, height, 4, 4 * width, 4, 4 * W);
  return { width: W, height: H, data: H === height ? narrow : shorten(narrow, height, H, W, 4 * W, 4, 4 * W, 4) };
}

/** A part of a picture, [left, top, right, bottom]. */
export function crop({ width, data }, [left, top, right, bottom]) {
  const [w, h] = [right - left, bottom - top];
  const out = new Uint8ClampedArray(4 * w * h);
  for (let y = 0; y < h; y++) {
    const from = 4 * ((top + y) * width + left);
    out.set(data.subarray(from, from + 4 * w), 4 * y * w);
  }
  return { width: w, height: h, data: out };
}
