// Random rows of one batch that ask random adapters, against each row alone: many methods, ranks, scales, sites and labels on one
// base, loaded, replaced and unloaded meanwhile. Texts that go on are compared token by token.
//   node scripts/mixed-campaign.mjs [--rows 100000] [--texts 200] [--adapters 40] [--seed 1]
//     [--encoder BASE] [--decoder BASE] [--alone 1] [--progress FILE] [--out results/mixed.jsonl]
// --alone: how many rows of one adapter are computed side by side for the comparison.
// Ends with 1 where a score is off by more than 1e-5, or a label or a greedy token differs; appends a record. With the same FILE it
// goes on where it was stopped.
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { random } from "@petl/core";
import {
  adalora,
  adaptTo,
  bitfit,
  bottleneck,
  complete,
  dora,
  generate,
  ia3,
  llamaAdapter,
  lnTuning,
  loadAdapter,
  loha,
  lokr,
  lora,
  openBank,
  openBase,
  parallel,
  predict,
  prefix,
  prompt,
  saveAdapter,
  vera,
} from "petl";
import { surroundings } from "../bench/halves.mjs";
import { tinyBase } from "./tiny-bases.mjs";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "100000" },
    texts: { type: "string", default: "200" },
    adapters: { type: "string", default: "40" },
    seed: { type: "string", default: "1" },
    encoder: { type: "string" }, // untrained bases of two layers of 16 where left out
    decoder: { type: "string" },
    alone: { type: "string", default: "1" },
    progress: { type: "string" },
    out: { type: "string", default: "results/mixed.jsonl" },
  },
});
const [rows, texts, count, seed] = [values.rows, values.texts, values.adapters, values.seed].map(Number);
let stream = random(seed, "a campaign of mixed rows");
const scratch = await mkdtemp(join(tmpdir(), "petl-mixed-"));
const words = "the a film song was is not so very good bad dull fine what who and of in".split(" ");
const text = () => Array.from({ length: 1 + stream.integer(24) }, () => words[stream.integer(words.length)]).join(" ");

/** A method with options of its own, drawn. */
const methods = [
  () => lora({ rank: 1 + stream.integer(12), alpha: 1 + stream.integer(30), rankStabilized: stream.integer(2) === 1 }),
  () => lora({ rank: 1 + stream.integer(4), targets: "all-linear" }),
  () => bottleneck({ size: 1 + stream.integer(12), placement: stream.integer(2) === 1 ? "houlsby" : "pfeiffer" }),
  () => parallel({ size: 1 + stream.integer(12), scale: 1 + stream.integer(4) }),
  () => ia3(),
  () => lnTuning(),
  () => [lora({ rank: 2 }), bitfit()],
  () => bitfit(),
  () => dora({ rank: 1 + stream.integer(4), alpha: 1 + stream.integer(9) }),
  () => adalora({ initialRank: 1 + stream.integer(6) }),
  () => loha({ rank: 1 + stream.integer(3) }),
  () => lokr({ rank: 1 + stream.integer(2) }),
  () => prefix({ tokens: 1 + stream.integer(2) }),
  () => prompt({ tokens: 2 + stream.integer(2) }),
  () => vera({ rank: 4 }),
];

async function drawn(base, purpose, at, of = methods) {
  const model = await adaptTo(base, of[at % of.length](), purpose, { seed: at });
  model.phi.values.set(model.phi.values.map((value) => value + 0.6 * (stream.uniform() - 0.5)));
  const path = join(scratch, `${purpose.task}-${at}`);
  await saveAdapter(model, path);
  return path;
}

let [worst, labels, tokens] = [0, 0, 0];
try {
  await classified();
  await continued();
  const record = {
    campaign: "mixed rows",
    date: new Date().toISOString().slice(0, 10),
    bases: [values.encoder ?? "untrained", values.decoder ?? "untrained"],
    rows,
    rows_alone_side_by_side: Number(values.alone),
    adapters: count,
    methods: methods.length,
    largest_distance: worst,
    labels_that_differ: labels,
    texts,
    texts_that_differ: tokens,
    surroundings: surroundings(),
  };
  await appendFile(values.out, `${JSON.stringify(record)}\n`);
  process.stdout.write(
    `${rows} rows over ${count} adapters: largest distance ${worst.toExponential(2)}, ${labels} labels differ; ${texts} texts: ${tokens} differ\n`,
  );
  if (worst > 1e-5 || labels > 0 || tokens > 0) process.exitCode = 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function classified() {
  const base = await openBase(values.encoder ?? (await tinyBase(join(scratch, "encoder"), "encoder", words)), {
    threads: 1,
  });
  const bank = await openBank(base, { resident: Math.ceil(count / 2), maxBatch: 32, maxWait: 0 });
  const paths = [];
  for (let at = 0; at < count; at++) {
    const names = ["a", "b", "c", "d", "e"].slice(0, 2 + stream.integer(4));
    paths.push(await drawn(base, { task: "classification", labels: names }, at));
    await bank.load(`${at}`, paths[at]);
  }
  const behind = await doneBefore();
  for (const each of behind) {
    worst = Math.max(worst, each.worst);
    labels += each.labels;
  }
  for (let done = 1000 * behind.length; done < rows; done += 1000) {
    stream = random(seed, "rows of a campaign", done);
    let [furthest, differing] = [0, 0];
    const asked = Array.from({ length: Math.min(1000, rows - done) }, () => ({
      adapter: `${stream.integer(count)}`,
      text: text(),
    }));
    const answers = bank.predict(asked);
    const again = stream.integer(count); // loads and unloads under way change nothing
    await bank.load(`${again}`, paths[again]);
    await bank.load("other", paths[stream.integer(count)]);
    await bank.unload("other");
    const found = await answers;
    for (let at = 0; at < count; at++) {
      const own = asked.flatMap((row, place) => (row.adapter === `${at}` ? [place] : []));
      if (own.length === 0) continue;
      const alone = await predict(
        await loadAdapter(base, paths[at]),
        own.map((place) => asked[place].text),
        { batch: Number(values.alone) },
      );
      for (const [i, place] of own.entries()) {
        if (alone[i].label !== found[place].label) differing++;
        for (const [name, score] of Object.entries(alone[i].scores))
          furthest = Math.max(furthest, Math.abs(score - found[place].scores[name]));
      }
    }
    worst = Math.max(worst, furthest);
    labels += differing;
    if (values.progress)
      await appendFile(values.progress, `${JSON.stringify({ worst: furthest, labels: differing })}\n`);
    process.stderr.write(`${done + asked.length} rows, ${worst.toExponential(2)}\n`);
  }
  await bank.close();
  await base.close();
}

/** What the rounds of a thousand rows have found that were over when it was stopped. */
async function doneBefore() {
  const told = values.progress ? await readFile(values.progress, "utf8").catch(() => "") : "";
  return told.split("\n").flatMap((line) => (line ? [JSON.parse(line)] : []));
}

async function continued() {
  const base = await openBase(values.decoder ?? (await tinyBase(join(scratch, "decoder"), "decoder", words)), {
    threads: 1,
  });
  const models = [];
  // norms and biases there are few of in a decoder
  const some = [...methods.slice(0, 5), ...methods.slice(8), () => llamaAdapter({ tokens: 1 + stream.integer(2) })];
  for (let at = 0; at < Math.min(2 * some.length, count); at++)
    models.push(await loadAdapter(base, await drawn(base, { task: "causal-lm", labels: [] }, at, some)));
  const asked = Array.from({ length: texts }, () => ({
    model: models[stream.integer(models.length)],
    prompt: text(),
    maxTokens: 1 + stream.integer(20),
  }));
  const found = await Promise.all(
    asked.map(async ({ model, prompt: opening, maxTokens }) => {
      const ids = [];
      for await (const { id } of generate(model, opening, { maxTokens })) ids.push(id);
      return ids;
    }),
  );
  for (const [at, { model, prompt: opening, maxTokens }] of asked.entries())
    for await (const { ids } of complete(model, [opening], { maxTokens }))
      if (String(ids) !== String(found[at])) tokens++;
  await base.close();
}
