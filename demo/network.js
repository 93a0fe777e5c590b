// The released network in ONNX Runtime's WebAssembly build: `Network` of recaptcha/network.py. Tiles, or a photograph
// that is cut into squares, go in; a probability for each class and tile comes out, and one for each class and place.
// Several threads where the page is isolated from other origins, which the service worker sees to; else one.

const WARM = [450, 450, 3]; // of a photograph

// Eight bits save download; WebAssembly's kernels are a tenth faster with the weights unpacked to floats.
const OPTIONS = {
  executionProviders: ["wasm"],
  graphOptimizationLevel: "all",
  extra: { session: { disable_quant_qdq: "1" } },
};

/** `data` as rows of `length` numbers. */
function rowsOf(data, length) {
  return Array.from({ length: data.length / length }, (_, row) => [...data.subarray(row * length, (row + 1) * length)]);
}

export class Network {
  /** `files` has the addresses of runtime, glue, wasm and model; `sizes` the pixels at which it sees either kind. */
  static async load(files, sizes) {
    const ort = await import(files.runtime);
    const network = new Network();
    network.threads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
    Object.assign(ort.env, { logLevel: "error" });
    Object.assign(ort.env.wasm, { numThreads: network.threads, wasmPaths: { mjs: files.glue, wasm: files.wasm } });
    const session = await ort.InferenceSession.create(files.model, OPTIONS);
    const asked = ({ bytes, shape }, size, output) => {
      const side = new ort.Tensor("int64", BigInt64Array.of(BigInt(size)), [1]);
      return session.run({ tiles: new ort.Tensor("uint8", bytes, shape), side }, [output, "places"]);
    };
    let last = Promise.resolve(); // a session does one thing at a time
    network.run = (picture, size, output) => {
      const run = () => asked(picture, size, output);
      last = last.then(run, run);
      return last;
    };
    return Object.assign(network, { sizes });
  }

  /** Of each tile its probabilities, and of its places theirs, row by row. */
  async tiles(tiles) {
    const { probabilities, places } = await this.run(tiles, this.sizes.tile, "probabilities");
    const [count, across, down, classes] = places.dims;
    const rows = rowsOf(places.data, classes);
    const maps = Array.from({ length: count }, (_, k) => rows.slice(k * across * down, (k + 1) * across * down));
    return { probs: rowsOf(probabilities.data, classes), maps };
  }

  /** The same of the squares of a photograph; there is one map, of all of it. */
  async photograph({ bytes, shape }) {
    const one = { bytes, shape: [1, ...shape] };
    const { squares, places } = await this.run(one, this.sizes.photograph, "squares");
    const [classes] = squares.dims.slice(-1);
    return { probs: rowsOf(squares.data, classes), maps: [rowsOf(places.data, classes)] };
  }

  /** A kind that has not been asked yet takes longer: photographs, since the page begins with tiles. */
  async warmUp() {
    const bytes = new Uint8Array(WARM.reduce((product, side) => product * side));
    await this.photograph({ bytes, shape: WARM });
  }
}
