// The released network in ONNX Runtime's WebAssembly build: tiles in, a probability for each class and tile out.
// Several threads where the page is isolated from other origins, which the service worker sees to; else one.

const WARM_UPS = 3; // code that has run for a while is compiled better
const WARM_SHAPE = [9, 120, 120, 3];

// Eight bits save download; WebAssembly's kernels are a tenth faster with the weights unpacked to floats.
const OPTIONS = {
  executionProviders: ["wasm"],
  graphOptimizationLevel: "all",
  extra: { session: { disable_quant_qdq: "1" } },
};

export class Network {
  /** `files` has the addresses of runtime, glue, wasm and model. */
  static async load(files) {
    const ort = await import(files.runtime);
    const network = new Network();
    network.threads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
    Object.assign(ort.env, { logLevel: "error" });
    Object.assign(ort.env.wasm, { numThreads: network.threads, wasmPaths: { mjs: files.glue, wasm: files.wasm } });
    const session = await ort.InferenceSession.create(files.model, OPTIONS);
    let last = Promise.resolve(); // a session does one thing at a time
    network.probs = ({ bytes, shape }) => {
      const run = async () => {
        const { probabilities } = await session.run({ tiles: new ort.Tensor("uint8", bytes, shape) });
        const classes = probabilities.dims[1];
        return Array.from({ length: shape[0] }, (_, tile) => [
          ...probabilities.data.slice(tile * classes, (tile + 1) * classes),
        ]);
      };
      last = last.then(run, run);
      return last;
    };
    return network;
  }

  async warmUp() {
    const bytes = new Uint8Array(WARM_SHAPE.reduce((product, side) => product * side));
    for (let i = 0; i < WARM_UPS; i++) await this.probs({ bytes, shape: WARM_SHAPE });
  }
}
