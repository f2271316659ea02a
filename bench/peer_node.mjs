// llama.cpp as node-llama-cpp ships it: built by its makers for every kind of x86, the best one chosen when it starts.
//
// usage: node peer_node.mjs NODE_MODULES MODEL.gguf THREADS WHAT [N]     WHAT as for peer_llama.py: ttft, decode, prefill, batch N
import path from "node:path";
import { pathToFileURL } from "node:url";

const begin = performance.now();
const [modules, modelPath, threads_, what, number_] = process.argv.slice(2);
const threads = Number(threads_), number = Number(number_ ?? 1);
const { getLlama } = await import(pathToFileURL(path.join(path.resolve(modules), "node-llama-cpp", "dist", "index.js")).href);
const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, logLevel: "disabled" });
const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
const loaded = performance.now();

function out(fields) {
  console.log(JSON.stringify({ who: "node-llama-cpp", what, threads, load_s: (loaded - begin) / 1000, ...fields }));
}

function prompt(n, r) {
  return Array.from({ length: n }, (_, i) => 300 + (((i + 13 * r) * 7919) % 31000));
}

const open = (size, sequences) => model.createContext({ contextSize: size, batchSize: 512, sequences, threads: { ideal: threads, min: threads }, flashAttention: true });

// When the first and the last of n greedy tokens behind a prompt came.
async function generate(sequence, tokens, n) {
  let first = 0, made = 0;
  for await (const _ of sequence.evaluate(tokens, { temperature: 0, yieldEogToken: true })) {
    if (made++ === 0) first = performance.now();
    if (made === n) break;
  }
  return [first, performance.now()];
}

if (what === "ttft") {
  const sequence = (await open(512, 1)).getSequence();
  await generate(sequence, prompt(32, 0), 1);
  out({ first_s: (performance.now() - begin) / 1000 });
} else if (what === "decode") {
  const sequence = (await open(512, 1)).getSequence();
  for (let r = 0; r < 4; r++) {
    await sequence.clearHistory();
    const [a, b] = await generate(sequence, prompt(32, r), r === 0 ? 8 : 129);
    if (r) out({ tok_s: 128000 / (b - a) });
  }
} else if (what === "prefill") {
  const sequence = (await open(600, 1)).getSequence();
  for (let r = 0; r < 6; r++) {
    await sequence.clearHistory();
    const t = performance.now();
    const [a] = await generate(sequence, prompt(512, r), 1);
    if (r) out({ tok_s: 512000 / (a - t) });
  }
} else if (what === "batch") {
  const context = await open(256, number);
  const all = Array.from({ length: number }, () => context.getSequence());
  const times = await Promise.all(all.map((s, i) => generate(s, prompt(32, i), 101)));
  const start = Math.max(...times.map((t) => t[0])), end = Math.max(...times.map((t) => t[1]));
  out({ n_seq: number, tok_s: (number * 100000) / (end - start) });
}
process.exit(0);
