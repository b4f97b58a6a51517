// Times llama.cpp's greedy generation behind node-llama-cpp's prebuilt library: a first token, and a text of so many.
// Says {"ready": true}, then runs as many rounds as each line on stdin asks, as bench/python/generate.py does.
//   node bench/llama-half.mjs --llama FOLDER --gguf FILE [--prompt 64] [--tokens 32] [--threads 1]
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    llama: { type: "string" },
    gguf: { type: "string" },
    prompt: { type: "string", default: "64" },
    tokens: { type: "string", default: "32" },
    threads: { type: "string", default: "1" },
  },
});
const installed = resolve(join(values.llama ?? ".", "node_modules/node-llama-cpp/dist/index.js"));
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(installed).href);
const [prompt, tokens, threads] = [values.prompt, values.tokens, values.threads].map(Number);
const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: resolve(values.gguf ?? "") });
const sequence = (await model.createContext({ contextSize: 2 * (prompt + tokens), threads })).getSequence();
const ids = Array.from({ length: prompt }, (_, at) => 3 + ((at * 17) % 200));

async function taken(count) {
  await sequence.clearHistory();
  const [start, before] = [performance.now(), process.cpuUsage()];
  let made = 0;
  for await (const _ of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) if (++made === count) break;
  if (made < count) throw new Error(`llama.cpp ended after ${made} of ${count} tokens`);
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - start, cpu: (user + system) / 1000 };
}

await taken(2);
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) break;
  const ms = [];
  for (let round = 0; round < Number(line); round++) ms.push({ first: await taken(1), all: await taken(tokens) });
  console.log(JSON.stringify({ ms, rss: process.resourceUsage().maxRSS * 1024 }));
}
process.exit(0); // llama.cpp's threads would wait
