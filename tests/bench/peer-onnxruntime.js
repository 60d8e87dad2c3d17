// SPDX-License-Identifier: MIT
// usage: node peer-onnxruntime.js MODULES
// onnxruntime-node from the folder MODULES as a peer of "penjing-cli bench --peers": one JSON object a line, see
// app/cli/bench/peer.c.  {"do": "open", path, batch, threads}, then {"do": "run", seconds}: median milliseconds.
const path = require('path');
const readline = require('readline');

function say(object) {
  process.stdout.write(JSON.stringify(object) + '\n');
}

let ort, version;
try {
  const folder = path.join(process.argv[2], 'onnxruntime-node');
  ort = require(folder);
  version = require(path.join(folder, 'package.json')).version;
} catch (reason) {
  say({ missing: 'it is not installed; tools/onnxruntime.sh BUILD fetches it' });
  process.exit(0);
}

let session, feeds;

async function open(request) {
  session = await ort.InferenceSession.create(request.path, {
    intraOpNumThreads: request.threads, interOpNumThreads: 1, graphOptimizationLevel: 'all', logSeverityLevel: 3 });
  const dims = session.inputMetadata[0].shape.slice(1).map(Number);
  const size = request.batch * dims.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, () => Math.random() - 0.5);
  feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, [request.batch, ...dims]) };
  await session.run(feeds);
  return {};
}

async function run(request) {
  const times = [], start = performance.now();
  do {
    const before = performance.now();
    await session.run(feeds);
    times.push(performance.now() - before);
  } while (performance.now() - start < request.seconds * 1e3);
  times.sort((a, b) => a - b);
  return { ms: times[times.length >> 1] };
}

const verbs = { open, run };
say({ name: 'onnxruntime-node ' + version });
(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    try {
      const request = JSON.parse(line);
      say(await verbs[request.do](request));
    } catch (reason) {
      say({ error: String(reason) });
    }
  }
  process.exit(0);
})();
