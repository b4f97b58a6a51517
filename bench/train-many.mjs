// K users' small data sets: K adapters trained with one step for all, beside the same trainings one after another. Each way runs
// in a process of its own, so that its memory is its own.
//   node bench/train-many.mjs [--base FOLDER] [--users 32] [--rows 40] [--epochs 2] [--batch 8]
// Appends a record to results/train-many.jsonl.
import { appendFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { adaptTo, lora, openBase, openData, train, trainMany } from "petl";
import { runToEnd, surroundings } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string", default: "../shared/data/checkpoints/all-minilm-l6-v2" },
    users: { type: "string", default: "32" },
    rows: { type: "string", default: "40" },
    epochs: { type: "string", default: "2" },
    batch: { type: "string", default: "8" },
    threads: { type: "string", default: "1" },
    way: { type: "string" },
    out: { type: "string", default: "results/train-many.jsonl" },
  },
});
const [count, rows] = [values.users, values.rows].map(Number);
const settings = { epochs: Number(values.epochs), batch: Number(values.batch), lr: 1e-3 };

if (values.way) process.stdout.write(`${JSON.stringify(await trained(values.way))}\n`);
else {
  const own = (way) =>
    runToEnd(process.execPath, [
      fileURLToPath(import.meta.url),
      ...Object.entries({ ...values, way }).flatMap(([name, value]) => [`--${name}`, value]),
    ]);
  const ways = { together: await own("together"), apart: await own("apart") };
  const record = {
    benchmark: "train-many",
    date: new Date().toISOString().slice(0, 10),
    base: values.base.split("/").at(-1),
    method: "lora",
    users: count,
    rows,
    ...settings,
    threads: Number(values.threads),
    ...ways,
    processor_ratio: ways.together.processor_seconds / ways.apart.processor_seconds,
    time_ratio: ways.together.seconds / ways.apart.seconds,
    memory_ratio: ways.together.peak_rss_bytes / ways.apart.peak_rss_bytes,
    largest_distance: Math.max(...ways.together.losses.map((loss, at) => Math.abs(loss - ways.apart.losses[at]))),
    surroundings: surroundings(),
  };
  for (const way of Object.values(ways)) delete way.losses;
  await appendFile(values.out, `${JSON.stringify(record)}\n`);
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

/** Trains every user in one way; the last loss of each. */
async function trained(way) {
  const base = await openBase(values.base, { threads: Number(values.threads) });
  const users = [];
  for (let at = 0; at < count; at++)
    users.push({ name: `user-${at}`, data: await openData(rowsOf(at), base, { validation: 0 }), seed: at });
  const [begin, before] = [performance.now(), process.cpuUsage()];
  const last = new Map();
  if (way === "together") {
    for await (const event of trainMany(base, users, lora(), settings))
      if (event.kind === "step") last.set(event.name, event.loss);
  } else
    for (const { name, data, seed } of users) {
      const model = await adaptTo(base, lora(), data, { seed });
      for await (const event of train(model, data, { ...settings, seed }))
        if (event.kind === "step") last.set(name, event.loss);
    }
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(before);
  await base.close();
  return {
    seconds,
    processor_seconds: (user + system) / 1e6,
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    losses: users.map(({ name }) => last.get(name)),
  };
}

/** A user's rows: texts of about twenty words, whose label is one of their words. */
function rowsOf(user) {
  const words = ["film", "song", "book", "day", "room", "voice", "house", "road", "story", "light"];
  return Array.from({ length: rows }, (_, row) => {
    const good = (row + user) % 2 === 0;
    const some = Array.from({ length: 18 }, (_word, at) => words[(user * 7 + row * 3 + at * at) % words.length]);
    return { text: [good ? "fine" : "dull", ...some].join(" "), label: good ? "good" : "bad" };
  });
}
