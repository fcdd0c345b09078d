// Runs an ONNX network of one input in ONNX Runtime on the CPU and times it; its first output is what counts.
//   node onnxruntime.js input  --dims N,C,H,W --out IN.npy                 a fixed pseudo-random input in 0..1
//   node onnxruntime.js run    --modules DIR --model M.onnx --in IN.npy --out OUT.npy --threads N --seconds S
//   node onnxruntime.js picture --raw FILE --width W --height H --out IN.npy   8-bit grey samples as 0..1
//   node onnxruntime.js differ --a A.npy --b B.npy                         largest absolute difference; of the values
//                                                                          as 8-bit samples: largest, percentage apart
// Each prints one line of JSON.
'use strict';
const path = require('path');
const { createRequire } = require('module');
const npy = require('./npy.js');

function options(words) {
  const result = {};
  for (let i = 0; i + 1 < words.length; i += 2) result[words[i].replace(/^--/, '')] = words[i + 1];
  return result;
}

// A linear congruential generator (Numerical Recipes' constants): the same bytes on every machine.
function make_input(o) {
  const dims = o.dims.split(',').map(Number);
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  let state = 1;
  for (let i = 0; i < data.length; ++i) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = (state >>> 24) / 255;
  }
  npy.write(o.out, dims, data);
  return { dims };
}

// Samples as every reader of 8-bit video makes them: s * (1/255), both in f32.
function make_picture(o) {
  const samples = require('fs').readFileSync(o.raw);
  const data = new Float32Array(o.width * o.height);
  if (samples.length !== data.length) throw new Error(`${o.raw}: ${samples.length} bytes, not ${data.length}`);
  for (let i = 0; i < data.length; ++i) data[i] = samples[i] * Math.fround(1 / 255);
  npy.write(o.out, [1, 1, Number(o.height), Number(o.width)], data);
  return { width: Number(o.width), height: Number(o.height) };
}

// clamp(round_half_even(v * 255), 0, 255)
function to_sample(v) {
  const x = Math.min(Math.max(Math.fround(v * 255), 0), 255);
  const floor = Math.floor(x);
  return x - floor > 0.5 || (x - floor === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

function percentile(sorted, p) { return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))]; }

async function run(o) {
  const require_there = createRequire(path.resolve(o.modules, 'package.json'));
  const ort = require_there('onnxruntime-node');
  const threads = Number(o.threads);
  const session = await ort.InferenceSession.create(o.model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
  });
  const input = npy.read(o.in);
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', input.data, input.shape) };
  const name = session.outputNames[0];
  let result = await session.run(feeds);
  const milliseconds = [];
  const end = performance.now() + 1000 * Number(o.seconds);
  while (performance.now() < end || milliseconds.length < 3) {
    const start = performance.now();
    result = await session.run(feeds);
    milliseconds.push(performance.now() - start);
  }
  if (o.out) npy.write(o.out, result[name].dims, result[name].data);
  milliseconds.sort((a, b) => a - b);
  const p50 = percentile(milliseconds, 0.5);
  return {
    engine: 'onnxruntime ' + require_there('onnxruntime-node/package.json').version,
    threads,
    frames: milliseconds.length,
    fps: (1000 * milliseconds.length) / milliseconds.reduce((a, b) => a + b),
    ms_p50: p50,
    ms_min: milliseconds[0],
  };
}

function differ(o) {
  const a = npy.read(o.a);
  const b = npy.read(o.b);
  if (a.shape.join() !== b.shape.join()) throw new Error(`shapes differ: [${a.shape}] and [${b.shape}]`);
  let largest = 0;
  let steps = 0;
  let apart = 0;
  let far = 0;
  for (let i = 0; i < a.data.length; ++i) {
    const d = Math.abs(a.data[i] - b.data[i]);
    if (!(d <= largest)) largest = d; // also takes NaN
    const step = Math.abs(to_sample(a.data[i]) - to_sample(b.data[i]));
    steps = Math.max(steps, step);
    apart += step > 0;
    far += step > 1;
  }
  const percent = (count) => (100 * count) / a.data.length;
  return {
    max_abs_difference: largest,
    max_steps: steps,
    percent_apart: percent(apart),
    percent_beyond_one: percent(far),
    apart,
    beyond_one: far,
    elements: a.data.length,
  };
}

const commands = { input: make_input, picture: make_picture, run, differ };
const [command, ...rest] = process.argv.slice(2);
Promise.resolve()
  .then(() => commands[command](options(rest)))
  .then((line) => console.log(JSON.stringify(line)))
  .catch((error) => {
    console.error(`onnxruntime.js: ${error.message}`);
    process.exit(1);
  });
