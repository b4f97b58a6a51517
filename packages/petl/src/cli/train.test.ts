import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bin, golden as goldenFolder, killedRuns, petl, temporaryFolder } from "./run-petl.fake.ts";

const golden = (path: string) => join(goldenFolder, path);
const scratch = mkdtempSync(join(tmpdir(), "petl-train-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let runs = 0;
const newFolder = () => join(scratch, `run-${runs++}`);

const goldenRun = (name: string) => JSON.parse(readFileSync(golden(`training/${name}.json`), "utf8"));
const metricsOf = (out: string) =>
  readFileSync(join(out, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The command line of a golden run. */
function flagsOf({ base, init, flags, data }: ReturnType<typeof goldenRun>, out: string): string[] {
  const { method, ...rest } = flags;
  const given = Object.entries<unknown>(rest).flatMap(([name, value]) =>
    name === "no-shuffle" ? ["--no-shuffle"] : [`--${name}`, String(value)],
  );
  const start = init ? ["--init", golden(init)] : ["--method", method];
  return [
    "train",
    "--base",
    golden(`models/${base}`),
    "--data",
    golden(data),
    ...start,
    ...given,
    "--threads",
    "1",
    "--out",
    out,
  ];
}

test.each([
  "bert-lora-accumulate",
  "bert-full",
  "bert-bitfit",
  "roberta-lora-token-classification",
  "bert-lora-masked-lm",
])("%s: the command line repeats torch's thirty steps", async (name) => {
  const run = goldenRun(name);
  const out = newFolder();
  const { code, stdout, stderr } = await petl([...flagsOf(run, out), "--json"]);
  expect(code, stderr).toBe(0);
  const steps = metricsOf(out).filter(({ loss }) => loss !== undefined);
  expect(steps).toHaveLength(30);
  for (const [i, { loss, lr, grad_norm }] of steps.entries()) {
    expect(loss / run.loss[i]).toBeCloseTo(1, 5); // float32 sums in another order
    expect(grad_norm / run.grad_norm[i]).toBeCloseTo(1, 4);
    expect(lr).toBeCloseTo(run.lr[i], 9);
  }
  const summary = JSON.parse(stdout);
  const head = summary.trainable_ratio_with_head * summary.base_parameters;
  expect(Math.round(head)).toBe(run.trained_parameters);
  expect(summary).toMatchObject({ steps: 30, examples: 64, out, evaluation: null });
});

test("what full fine-tuning writes is a base and an adapter", async () => {
  const out = newFolder();
  const run = goldenRun("bert-full");
  expect((await petl(flagsOf(run, out))).code).toBe(0);
  const rows = join(scratch, "rows.jsonl");
  writeFileSync(rows, '{"input_ids": [5, 6, 7]}\n{"input_ids": [8, 9, 10, 11, 12]}\n');
  const alone = await petl(["logits", "--base", out, "--input", rows]);
  const onBase = await petl(["logits", "--base", golden(`models/${run.base}`), "--adapter", out, "--input", rows]);
  expect(alone.stdout).toBe(onBase.stdout);
  expect(alone.stdout.trim().split("\n")).toHaveLength(2);
});

const withLora = ["--method", "lora", "--lora-dropout", "0.1"];
/** Ranks are taken away from step 6 to step 50: moving means and triplets without E are part of what is gone on from. */
const withAdaLora = [
  ...["--method", "adalora", "--initial-rank", "4", "--rank", "2", "--begin-steps", "5", "--final-steps", "10"],
  ...["--dropout", "0.1"],
];

/** A run of 60 steps with a checkpoint at every one. */
const longRun = (out: string, method = withLora) => [
  ...[
    "train",
    "--base",
    golden("models/bert-sequence-classification"),
    "--data",
    golden("training/data/classification.jsonl"),
  ],
  ...[...method, "--steps", "60", "--batch", "4", "--accumulate", "2", "--lr", "0.01"],
  ...["--validation", "0.25", "--evaluate-every", "7", "--checkpoint-every", "1", "--threads", "1", "--out", out],
];

/** What must not depend on interruptions: the adapter's bytes, and metrics without their seconds. */
function resultOf(out: string): { readonly adapter: string; readonly metrics: readonly unknown[] } {
  const adapter = createHash("sha256");
  for (const file of ["adapter_model.safetensors", "adapter_config.json"])
    adapter.update(readFileSync(join(out, file)));
  return { adapter: adapter.digest("hex"), metrics: metricsOf(out).map(({ seconds: _, ...rest }) => rest) };
}

test.each([
  ["lora", withLora],
  ["adalora", withAdaLora],
])(
  "killed at any moment and resumed, a run of %s ends with the same adapter and the same metrics",
  async (_, method) => {
    const whole = newFolder();
    expect((await petl(longRun(whole, method))).code).toBe(0);
    const wanted = resultOf(whole);
    const out = newFolder();
    expect(await killedRuns(out, longRun(out, method), [250, 700, 900, 1100, 1300, 1500, 60_000])).toBeGreaterThan(1);
    expect(resultOf(out)).toEqual(wanted);
    expect(readdirSync(out).sort()).toEqual([
      "README.md",
      "adapter_config.json",
      "adapter_model.safetensors",
      "metrics.jsonl",
      "run.json",
    ]);
  },
  120_000,
);

test("Ctrl-C saves, says how to go on and exits with 130; the run then ends as if it had never stopped", async () => {
  const [whole, out] = [newFolder(), newFolder()];
  await petl(longRun(whole));
  const child = spawn(process.execPath, [bin, ...longRun(out)], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
    if (!child.killed && said.includes("step 1/")) child.kill("SIGINT");
  });
  expect(await new Promise((resolve) => child.on("close", resolve))).toBe(130);
  expect(said).toContain(`petl train --resume ${out}`);
  const again = await petl(longRun(out));
  expect(again.code).toBe(2);
  expect(again.stderr).toContain("--resume");
  expect(again.stderr).toContain("--overwrite");
  const beside = await petl(["train", "--resume", out, "--lr", "1", "--rank", "4", "--no-shuffle"]);
  expect(beside.stderr).toContain("leave out --rank, --lr, --shuffle");
  const page = join(out, "..", "resumed.html");
  expect((await petl(["train", "--resume", out, "--report", page])).code).toBe(0);
  expect(readFileSync(page, "utf8")).toContain("Loss while training");
  expect(resultOf(out)).toEqual(resultOf(whole));
});

test("bad input is one clear message, exit code 2, and leaves nothing behind", async () => {
  const base = ["--base", golden("models/bert-sequence-classification"), "--method", "lora"];
  const write = (name: string, text: string) => {
    writeFileSync(join(scratch, name), text);
    return join(scratch, name);
  };
  const good = golden("training/data/classification.jsonl");
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[...base, "--data", write("empty.csv", "")], /empty\.csv is empty/],
    [[...base, "--data", write("odd.csv", "foo,bar\n1,2\n")], /foo/],
    [[...base, "--data", write("text.csv", "text,label\ngood,1\nbad,0\n")], /no tokenizer/],
    [
      [
        ...base,
        "--data",
        write("range.jsonl", '{"input_ids": [5, 99999], "label": 1}\n{"input_ids": [5], "label": 0}\n'),
      ],
      /99999/,
    ],
    [[...base, "--data", join(scratch, "nowhere.csv")], /nowhere\.csv/],
    [[...base, "--data", good, "--targets", "qery"], /did you mean "query"\?/],
    [[...base, "--data", good, "--rank", "0"], /rank/],
    [[...base, "--data", good, "--size", "8"], /--size is no option of lora/],
    [
      ["--base", golden("models/bert-sequence-classification"), "--method", "lroa", "--data", good],
      /did you mean "lora"\?/,
    ],
    [[...base, "--data", good, "--validation", "1.5"], /between 0 and 1/],
    [[...base, "--data", good, "--steps", "3", "--epochs", "1"], /steps and epochs say the same/],
    [
      [
        ...base.slice(0, 2),
        "--method",
        "adalora",
        "--begin-steps",
        "2",
        "--final-steps",
        "3",
        "--data",
        good,
        "--steps",
        "5",
      ],
      /adalora: 5 steps leave none for sharing out ranks after 2 steps at the beginning and before 3 at the end; take/,
    ],
    [
      [
        "--base",
        golden("models/bert-sequence-classification"),
        "--init",
        golden("adapters/distilbert-lora"),
        "--data",
        good,
      ],
      /does not fit/,
    ],
  ];
  for (const [args, message] of cases) {
    const out = newFolder();
    const { code, stderr, stdout } = await petl(["train", ...args, "--out", out]);
    expect(stderr).toMatch(message);
    expect(code, stderr).toBe(2);
    expect(stdout).toBe("");
    expect(() => readdirSync(out)).toThrow();
  }
});

test("weights that are no numbers are named, and nothing is left behind", async () => {
  const folder = newFolder();
  cpSync(golden("models/bert-sequence-classification"), folder, { recursive: true });
  const path = join(folder, "model.safetensors");
  const bytes = readFileSync(path);
  bytes.fill(0xff, bytes.length - 4); // the last tensor's last number becomes NaN
  writeFileSync(path, bytes);
  const out = newFolder();
  const data = golden("training/data/classification.jsonl");
  const { code, stderr } = await petl([
    "train",
    "--base",
    folder,
    "--data",
    data,
    "--method",
    "full",
    "--steps",
    "2",
    "--out",
    out,
  ]);
  expect(stderr).toMatch(/model\.safetensors: ".*" holds NaN/);
  expect(code).toBe(2);
  expect(() => readdirSync(out)).toThrow();
});

test("a device that is not there ends the command with its name, and a tracker that is none before anything is written", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "rows.jsonl"), '{"input_ids":[5,6],"label":0}\n{"input_ids":[7,8],"label":1}\n');
  const run = [
    "train",
    "--base",
    golden("models/bert-sequence-classification"),
    "--data",
    "rows.jsonl",
    "--method",
    "head",
  ];
  const out = ["--out", join(folder, "out")];
  const device = await petl([...run, ...out, "--device", "cuda"], folder);
  expect(device.code).toBe(1);
  expect(device.stderr).toMatch(/petl: --device cuda is not there: .+; it needs an NVIDIA card/);
  const tracker = await petl([...run, ...out, "--log-to", "tensorbord:logs"], folder);
  expect(tracker.code).toBe(2);
  expect(tracker.stderr).toContain('did you mean "tensorboard"?');
  expect(existsSync(join(folder, "out"))).toBe(false);
});
