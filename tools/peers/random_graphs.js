// Runs the models that test_compiler_random_graph has written in ONNX Runtime on the CPU and compares all results.
//   node random_graphs.js --modules DIR --folder DIR
// Prints one line of JSON; exits with 1 when a result differs by more than 1e-3 of the largest number in it.
'use strict';
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const kTolerance = 1e-3;

function options(words) {
  const result = {};
  for (let i = 0; i + 1 < words.length; i += 2) result[words[i].replace(/^--/, '')] = words[i + 1];
  return result;
}

// The largest difference as a share of the largest number (of 1 at least); NaN only where both have it.
function distance(a, b) {
  let largest = 1;
  let worst = 0;
  for (const v of a) if (Number.isFinite(v)) largest = Math.max(largest, Math.abs(v));
  for (let i = 0; i < a.length; ++i) {
    const x = a[i];
    const y = b[i];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    const difference = Math.abs(x - y) / largest;
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  }
  return worst;
}

async function compare(ort, base) {
  const ours = JSON.parse(fs.readFileSync(`${base}.json`));
  const session = await ort.InferenceSession.create(`${base}.onnx`, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  const feeds = {};
  for (const input of ours.inputs) {
    feeds[input.name] = new ort.Tensor('float32', Float32Array.from(input.data, Number), input.dims);
  }
  const theirs = await session.run(feeds);
  const wrong = [];
  let worst = 0;
  for (const output of ours.outputs) {
    const other = theirs[output.name];
    if (other.dims.join() !== output.dims.join()) {
      wrong.push(`${output.name}: [${output.dims}], theirs [${other.dims}]`);
      continue;
    }
    const d = distance(Array.from(other.data), output.data.map(Number));
    if (d > kTolerance) wrong.push(`${output.name} [${output.dims}]: ${d}`);
    else worst = Math.max(worst, d);
  }
  return { wrong, worst, operators: ours.operators };
}

async function main(o) {
  const ort = createRequire(path.resolve(o.modules, 'package.json'))('onnxruntime-node');
  const result = { graphs: 0, differ: 0, refused: 0, operators: 0, worst: 0 };
  const operators = new Set();
  const bases = fs.readdirSync(o.folder).filter((f) => f.endsWith('.json')).map((f) => path.join(o.folder, f.slice(0, -5)));
  for (const base of bases.sort((a, b) => Number(path.basename(a)) - Number(path.basename(b)))) {
    try {
      const { wrong, worst, operators: met } = await compare(ort, base);
      ++result.graphs;
      met.forEach((op) => operators.add(op));
      result.worst = Math.max(result.worst, worst);
      if (wrong.length === 0) continue;
      ++result.differ;
      console.error(`${path.basename(base)} (${met.join(' ')}): ${wrong.join('; ')}`);
    } catch (error) {
      ++result.refused;
      console.error(`${path.basename(base)}: ONNX Runtime: ${error.message}`);
    }
  }
  result.operators = operators.size;
  console.log(JSON.stringify(result));
  return result.differ === 0 && result.graphs > 0;
}

main(options(process.argv.slice(2)))
  .then((equal) => process.exit(equal ? 0 : 1))
  .catch((error) => {
    console.error(`random_graphs.js: ${error.message}`);
    process.exit(1);
  });
