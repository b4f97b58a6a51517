// A study whose processes are killed at moments drawn at random, and begun again after each: it has to end with the records
// of one that nobody disturbed, seconds and memory aside, each cell once.
//   node scripts/study-kills.mjs [--study placement] [--kills 10] [--jobs 1] [--seed 7]
// Makes a base of two small layers and its own rows. Ends with 1 where a record is lost, stands twice or differs.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { canonical, random, safetensorsBytes, trainTokenizer, untrainedTensors } from "@petl/core";

const { values } = parseArgs({
  options: {
    study: { type: "string", default: "placement" },
    kills: { type: "string", default: "10" },
    jobs: { type: "string", default: "1" },
    seed: { type: "string", default: "7" },
  },
});
const folder = await mkdtemp(join(tmpdir(), "petl-study-kills-"));
const stream = random(Number(values.seed), "moments to kill a study at");
const texts = ["a fine film", "a dull film", "what a fine song", "so dull a song", "fine work", "dull work"];
let studies = 0;

try {
  await writeInputs();
  const begin = performance.now();
  await run("whole");
  const whole = performance.now() - begin;
  const expected = await recordsIn("whole");
  let [kills, wrong] = [0, []];
  while (kills < Number(values.kills)) {
    const out = `killed-${studies++}`;
    let ended = false;
    while (!ended && kills < Number(values.kills)) {
      ended = await run(out, 50 + stream.uniform() * whole);
      if (!ended) kills++;
    }
    if (!ended) await run(out);
    wrong = [...wrong, ...differences(expected, await recordsIn(out))];
  }
  const { study, jobs, seed } = values;
  console.log(
    JSON.stringify({ study, jobs: Number(jobs), seed: Number(seed), cells: expected.size, kills, studies, wrong }),
  );
  process.exitCode = wrong.length > 0 ? 1 : 0;
} finally {
  await rm(folder, { recursive: true });
}

/** Runs the study; kills its process after some milliseconds, and says whether it had ended by then. */
function run(out, wait) {
  const at = (name) => join(folder, name);
  const given = ["--base", at("base"), "--data", at("data"), "--source", at("source.txt"), "--seeds", "2"];
  const args = ["packages/petl/bin/petl.js", "study", values.study, ...given, "--jobs", values.jobs, "--out", at(out)];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", wait === undefined ? "inherit" : "ignore"],
  });
  const timer = wait === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), wait);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0 || signal === "SIGKILL") resolve(code === 0);
      else reject(new Error(`petl study ended with ${code}`));
    });
  });
}

/** The records of a study by cell and seed, without what differs from run to run; those that stand twice are told apart. */
async function recordsIn(out) {
  const lines = (await readFile(join(folder, out, "records.jsonl"), "utf8")).trimEnd().split("\n");
  const records = new Map();
  for (const line of lines) {
    const { seconds: _, peak_rss_bytes: __, ...record } = JSON.parse(line);
    const key = `${canonical(record.cell)} ${record.seed}`;
    records.set(records.has(key) ? `${key} twice` : key, JSON.stringify(record));
  }
  return records;
}

function differences(expected, found) {
  const keys = new Set([...expected.keys(), ...found.keys()]);
  return [...keys].filter((key) => expected.get(key) !== found.get(key));
}

async function writeInputs() {
  const [base, data] = [join(folder, "base"), join(folder, "data")];
  for (const path of [base, data]) await mkdir(path);
  const files = await trainTokenizer(Readable.from(texts), { kind: "wordpiece", vocabulary: 120, maxLength: 32 });
  const config = {
    architectures: ["BertForMaskedLM"],
    model_type: "bert",
    pad_token_id: 0,
    max_position_embeddings: 32,
    hidden_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 64,
    vocab_size: Object.keys(JSON.parse(files["tokenizer.json"]).model.vocab).length,
  };
  const tensors = await untrainedTensors(config, { head: "masked-lm", pooler: true }, 0);
  await writeFile(join(base, "config.json"), JSON.stringify(config));
  for (const [name, text] of Object.entries(files)) await writeFile(join(base, name), text);
  await writeFile(join(base, "model.safetensors"), safetensorsBytes(tensors));
  const rows = Array.from({ length: 42 }, (_, row) => `${texts[row % 6]} ${row},${row % 2 ? "bad" : "good"}`);
  for (const part of ["train", "test"]) await writeFile(join(data, `${part}.csv`), `text,label\n${rows.join("\n")}\n`);
  await writeFile(join(folder, "source.txt"), `${texts.join("\n")}\n`);
}
