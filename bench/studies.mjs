// The lecture's experiments on real sets: every study at the standard budget. What is finished stays, so that the same
// command goes on where it stopped; with everything finished it draws the figures and reports again. A training that
// several studies of a set have in common is run by the first of them.
//   node bench/studies.mjs [--runs sst2/compare,e2e/forgetting] [--budget standard] [--jobs 2] [--base HUB-ID] [--dry-run]
// With --dry-run it prints the cells with what is left of them to train, and trains nothing.
// Writes results/studies/SET/STUDY; docs/lecture.md is made of it by scripts/generate-lecture.mjs.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawn } from "./defaults-rows.mjs";
import { partsOfDevelopment } from "./e2e-rows.mjs";

const { values } = parseArgs({
  options: {
    runs: { type: "string" },
    budget: { type: "string", default: "standard" },
    jobs: { type: "string", default: "2" },
    "dry-run": { type: "boolean", default: false },
    base: { type: "string", default: "sentence-transformers/all-MiniLM-L6-v2" },
  },
});
const shared = "../shared/data/classification";

/** Rows of a file whose lines are a text, a tab and a label. */
async function labelled(file) {
  const [, ...lines] = (await readFile(join(shared, file), "utf8")).split(/\r?\n/);
  return lines.filter(Boolean).map((line) => {
    const at = line.lastIndexOf("\t");
    return { text: line.slice(0, at), label: line.slice(at + 1) };
  });
}

const pairs = (rows) => rows.map(({ mr, ref }) => ({ prompt: `${mr}\n`, completion: ref }));

/** The sets, each with its training rows and those that are scored. */
const sets = {
  sst2: async () => ({
    train: await labelled("glue-sst2/train.tsv"),
    validation: await labelled("glue-sst2/dev.tsv"),
  }),
  "clinc-domains": async () => {
    const { train, test } = await drawn("clinc_domains", 10_000, 1000);
    return { train, validation: test };
  },
  e2e: async () => {
    const { train, held } = await partsOfDevelopment();
    return { train: pairs(train), validation: pairs(held).slice(0, 200) };
  },
};

const encoder = ["compare", "bottleneck-size", "placement", "data-size", "rank"];
const further = ["learning-rate", "intrinsic-dimension", "spectrum"];
const decoder = "petl-mini-decoder";
/** What is run, in this order. */
const runs = [
  ...["sst2", "clinc-domains"].flatMap((set) => encoder.map((study) => ({ set, study, base: values.base }))),
  ...["compare", "rank", "forgetting"].map((study) => ({ set: "e2e", study, base: decoder })),
  ...["sst2", "clinc-domains"].flatMap((set) => further.map((study) => ({ set, study, base: values.base }))),
];

const asked = values.runs?.split(",") ?? runs.map(({ set, study }) => `${set}/${study}`);
const unknown = asked.filter((name) => !runs.some(({ set, study }) => `${set}/${study}` === name));
if (unknown.length > 0) throw new Error(`no such run: ${unknown.join(", ")}`);

const folder = await mkdtemp(join(tmpdir(), "petl-studies-"));
try {
  for (const name of asked) {
    const { set, study, base } = runs.find((run) => `${run.set}/${run.study}` === name);
    const data = join(folder, set);
    await mkdir(data, { recursive: true });
    for (const [part, rows] of Object.entries(await sets[set]()))
      await writeFile(join(data, `${part}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const [place, out] = [join("results/studies", set), join("results/studies", set, study)];
    const isStudy = (other) => other !== study && existsSync(join(place, other, "study.json"));
    const beside = (await readdir(place).catch(() => [])).filter(isStudy);
    await petl(
      "study",
      study,
      "--base",
      base,
      "--data",
      data,
      "--budget",
      values.budget,
      "--jobs",
      values.jobs,
      ...(beside.length > 0 ? ["--reuse", beside.map((other) => join(place, other)).join(",")] : []),
      "--out",
      out,
      ...(values["dry-run"] ? ["--dry-run"] : []),
    );
  }
} finally {
  await rm(folder, { recursive: true });
}

function petl(...args) {
  process.stderr.write(`petl ${args.join(" ")}\n`);
  const child = spawn(process.execPath, ["packages/petl/dist/cli/start.js", ...args], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(code) : reject(new Error(`ended with ${code}`))));
  });
}
