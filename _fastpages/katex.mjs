// Reads [[tex, display], ...] as JSON and writes [{html} or {error}, ...]: what `maths.py` asks of KaTeX.
import { readFileSync } from "node:fs";
import katex from "katex";

const formulas = JSON.parse(readFileSync(0, "utf8"));
const macros = {}; // what a formula defines, for those after it

// `trust` off: no links, pictures or HTML out of TeX. `maxExpand` ends macros that define themselves.
const options = { strict: "ignore", trust: false, maxExpand: 500, maxSize: 20, macros, globalGroup: true };

function draw([tex, displayMode]) {
  try {
    return { html: katex.renderToString(tex, { ...options, displayMode }) };
  } catch (error) {
    return { error: error.message.replace(/^KaTeX parse error: /, "") };
  }
}

// What fails may need a line of its own, or a macro that a later formula defines.
function again(formula, first) {
  if (!first.error) return first;
  if (/display mode/.test(first.error)) return draw([formula[0], true]);
  return /Undefined control sequence/.test(first.error) ? draw(formula) : first;
}

const drawn = formulas.map(draw);
process.stdout.write(JSON.stringify(drawn.map((first, place) => again(formulas[place], first))));
