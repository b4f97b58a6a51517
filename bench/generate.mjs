// Going on with texts: the first token and each further one, greedy, beside transformers on the same checkpoint, in turn.
//   node bench/generate.mjs --base FOLDER [--python PYTHON] [--dtype float32|bfloat16] [--batch 1] [--tokens 32] [--rounds 5]
// Without --base a decoder of 134 million random weights is made (--bits 4 or 8: held in so many, which transformers does
// not read). Appends a record to results/generate.jsonl.
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { complete, openBase, unadapted } from "petl";
import { median, openHalf, surroundings } from "./halves.mjs";
import { writeRandomBase } from "./random-base.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string" },
    bits: { type: "string", default: "32" },
    python: { type: "string" },
    dtype: { type: "string", default: "float32" },
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
const small = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  torch_dtype: "float32",
  rms_norm_eps: 1e-5,
  vocab_size: 32000,
  hidden_size: 768,
  intermediate_size: 2048,
  max_position_embeddings: 1024,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  num_key_value_heads: 12,
};

const scratch = await mkdtemp(join(tmpdir(), "petl-generate-"));
if (!values.base) await writeRandomBase(scratch, small, Number(values.bits));
const folder = values.base ?? scratch;
const base = await openBase(folder, { threads });
const python =
  values.python &&
  (await openHalf("transformers", values.python, [
    ...["bench/python/generate.py", "--base", folder, "--dtype", values.dtype, "--batch", values.batch],
    ...["--prompt", values.prompt, "--tokens", values.tokens, "--threads", values.threads],
  ]));
try {
  const model = await unadapted(base);
  const prompts = Array.from({ length: batch }, (_, row) =>
    Array.from({ length: prompt }, (_id, at) => 3 + ((row * 31 + at * 17) % 200)),
  );
  const opening = await taken(() => goOn(1));
  const times = { first: [], each: [], transformers: [] };
  for (let round = 0; round < rounds; round++) {
    const first = await taken(() => goOn(1));
    const all = await taken(() => goOn(tokens));
    times.first.push(first);
    times.each.push(perToken(first, all));
    if (!python) continue;
    await python.run(1);
    times.transformers.push(python.times.at(-1));
  }
  const middle = (list, clock) => (list.length > 0 ? median(list.map((each) => each[clock])) : undefined);
  const summary = (clock) => {
    const theirs = times.transformers.map((one) => ({ first: one.first, each: perToken(one.first, one.all) }));
    const [first, each] = [middle(times.first, clock), middle(times.each, clock)];
    const [theirFirst, theirEach] = ["first", "each"].map((what) =>
      middle(
        theirs.map((one) => one[what]),
        clock,
      ),
    );
    const ratios = theirEach && { first_ratio: first / theirFirst, token_ratio: each / theirEach };
    return { first_ms: first, token_ms: each, python_first_ms: theirFirst, python_token_ms: theirEach, ...ratios };
  };
  const record = {
    benchmark: "generate",
    date: new Date().toISOString().slice(0, 10),
    base: values.base?.split("/").at(-1),
    bits: values.base ? undefined : Number(values.bits),
    python_dtype: python && values.dtype,
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
  python?.close();
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
