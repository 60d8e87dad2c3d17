// SPDX-License-Identifier: MIT
// usage: node run.js MODEL.onnx...
// Runs each model with onnxruntime on MODEL.in.f32 and writes MODEL.ort.f32.
const fs = require('fs');
const ort = require('onnxruntime-node');

async function run(path) {
  const base = path.replace(/\.onnx$/, '');
  const bytes = fs.readFileSync(base + '.in.f32');
  const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const meta = session.inputMetadata[0];
  const dims = meta.shape.slice(1).map(Number);
  const size = dims.reduce((a, b) => a * b, 1);
  const x = new ort.Tensor('float32', data, [data.length / size, ...dims]);
  const y = (await session.run({ [session.inputNames[0]]: x }))[session.outputNames[0]];
  fs.writeFileSync(base + '.ort.f32', Buffer.from(y.data.buffer, y.data.byteOffset, y.data.byteLength));
}

(async () => {
  for (const path of process.argv.slice(2))
    await run(path);
})().catch((reason) => {
  console.error(String(reason));
  process.exit(1);
});
