// Going on with texts: the first token and each further one, greedy, beside transformers on the same checkpoint, in turn.
//   node bench/generate.mjs --base FOLDER [--python PYTHON] [--dtype float32|bfloat16] [--batch 1] [--tokens 32] [--rounds 5]
//   node bench/generate.mjs --shape half-billion --bits 4 --activations int8 --llama FOLDER --gguf FILE
// Without --base a decoder of random weights is made, of --shape, in --bits 32, 16, 8 or 4 (transformers does not read the last
// two). llama.cpp is node-llama-cpp (npm), installed in FOLDER; bench/python/write_gguf.py writes its FILE of the same shape.
// Appends a record to results/generate.jsonl.
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { complete, openBase, unadapted } from "petl";
import { median, openHalf, surroundings } from "./halves.mjs";
import { halfBillion, smallDecoder, writeRandomBase } from "./random-base.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string" },
    shape: { type: "string", default: "small" },
    bits: { type: "string", default: "32" },
    python: { type: "string" },
    llama: { type: "string" },
    gguf: { type: "string" },
    dtype: { type: "string", default: "float32" },
    activations: { type: "string", default: "float32" },
    batch: { type: "string", default: "1" },
    prompt: { type: "string", default: "64" },
    tokens: { type: "string", default: "32" },
    threads: { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
    out: { type: "string", default: "results/generate.jsonl" },
  },
});
const [batch, prompt, tokens, threads, rounds] = ["batch", "prompt", "tokens", "threads", "rounds"].map((name) =>
  Number(values[name]),
);
const scratch = await mkdtemp(join(tmpdir(), "petl-generate-"));
const shapes = { small: smallDecoder, "half-billion": halfBillion };
if (!values.base) await writeRandomBase(scratch, shapes[values.shape], Number(values.bits));
const folder = values.base ?? scratch;
const activations = values.activations === "int8" ? "int8" : "float32";
const base = await openBase(folder, { threads, activations });
const size = ["prompt", "tokens", "threads"].flatMap((name) => [`--${name}`, values[name]]);
const others = [];
if (values.python) {
  const own = ["--base", folder, "--dtype", values.dtype, "--batch", values.batch];
  others.push(await openHalf("python", values.python, ["bench/python/generate.py", ...own, ...size]));
}
if (values.llama) {
  if (batch !== 1) throw new Error("llama.cpp is asked for one text");
  const own = ["--llama", values.llama, "--gguf", values.gguf];
  others.push(await openHalf("llama", process.execPath, ["bench/llama-half.mjs", ...own, ...size]));
}
try {
  const model = await unadapted(base);
  const prompts = Array.from({ length: batch }, (_, row) =>
    Array.from({ length: prompt }, (_id, at) => 3 + ((row * 31 + at * 17) % 200)),
  );
  const opening = await taken(() => goOn(1));
  const times = { first: [], each: [] };
  for (let round = 0; round < rounds; round++) {
    const first = await taken(() => goOn(1));
    const all = await taken(() => goOn(tokens));
    times.first.push(first);
    times.each.push(perToken(first, all));
    for (const half of others) await half.run(1);
  }
  const middle = (list, clock) => median(list.map((each) => each[clock]));
  const summary = (clock) => {
    const [first, each] = [middle(times.first, clock), middle(times.each, clock)];
    const beside = others.map(({ name, times: theirs }) => {
      const firsts = theirs.map((one) => one.first);
      const [theirFirst, theirEach] = [firsts, theirs.map((one) => perToken(one.first, one.all))].map((list) =>
        middle(list, clock),
      );
      return {
        [`${name}_first_ms`]: theirFirst,
        [`${name}_token_ms`]: theirEach,
        [`${name}_first_ratio`]: first / theirFirst,
        [`${name}_token_ratio`]: each / theirEach,
      };
    });
    return Object.assign({ first_ms: first, token_ms: each }, ...beside);
  };
  const record = {
    benchmark: "generate",
    date: new Date().toISOString().slice(0, 10),
    base: values.base?.split("/").at(-1),
    shape: values.base ? undefined : values.shape,
    bits: values.base ? undefined : Number(values.bits),
    activations,
    python_dtype: values.python && values.dtype,
    gguf: values.llama && values.gguf.split("/").at(-1),
    batch,
    prompt,
    tokens,
    threads,
    rounds,
    opening_ms: opening.wall,
    wall: summary("wall"),
    cpu: summary("cpu"),
    surroundings: surroundings(),
  };
  await appendFile(values.out, `${JSON.stringify(record)}\n`);
  console.table({ wall: record.wall, cpu: record.cpu });

  /** Greedy, as many tokens whatever they are. */
  async function goOn(count) {
    for await (const _ of complete(model, prompts, { maxTokens: count, batch }));
  }
} finally {
  for (const half of others) half.close();
  await base.close();
  await rm(scratch, { recursive: true, force: true });
}

function perToken(first, all) {
  const further = (clock) => (all[clock] - first[clock]) / Math.max(1, tokens - 1);
  return { wall: further("wall"), cpu: further("cpu") };
}

/** Milliseconds that some work takes, and those of the processor, which other work on the machine changes less. */
async function taken(work) {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - start, cpu: (user + system) / 1000 };
}
