import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { random } from "@petl/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bin, killedRuns, petl, petlJson } from "./run-petl.fake.ts";

const scratch = mkdtempSync(join(tmpdir(), "petl-pretrain-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let runs = 0;
const newFolder = () => join(scratch, `run-${runs++}`);

/** Some hundred sentences of a farm, in which an animal's sound tells which animal it is. */
function farmText(): string {
  const draw = random(7, "farm");
  const of = <T>(items: readonly T[]) => items[draw.integer(items.length)]!;
  const animals = [
    ["cow", "lowed"],
    ["horse", "neighed"],
    ["dog", "barked"],
    ["goose", "hissed"],
    ["hen", "clucked"],
  ] as const;
  const sentence = () => {
    const [animal, sound] = of(animals);
    return `The ${of(["old", "young", "hungry", "brown"])} ${animal} ${sound} ${of(["in the yard", "by the gate", "behind the barn"])}.`;
  };
  return Array.from({ length: 60 }, () => Array.from({ length: 6 }, sentence).join(" ")).join("\n\n");
}

const [text, teacher] = [join(scratch, "farm.txt"), join(scratch, "teacher")];
const sizes = ["--layers", "1", "--hidden", "16", "--heads", "2", "--max-length", "24", "--vocabulary", "90"];
const quick = [...sizes, "--batch", "8", "--threads", "1", "--held-out", "0.1", "--seed", "3"];
const pretraining = (out: string, ...more: readonly string[]) => [
  "pretrain",
  "--text",
  text,
  ...quick,
  ...more,
  "--out",
  out,
];
/** Thirty steps with a checkpoint at each, beside a teacher. */
const long = (out: string) =>
  pretraining(out, "--teacher", teacher, ...["--steps", "30", "--checkpoint-every", "1", "--evaluate-every", "10"]);

beforeAll(async () => {
  writeFileSync(text, farmText());
  const { code, stderr } = await petl(pretraining(teacher, "--steps", "2"));
  if (code !== 0) throw new Error(stderr);
});

/** What must not depend on interruptions: the files' bytes, and metrics without their seconds. */
function resultOf(out: string) {
  const files = readdirSync(out).filter((name) => name !== "metrics.jsonl" && name !== "run.json");
  const digests = files.sort().map((name) => [
    name,
    createHash("sha256")
      .update(readFileSync(join(out, name)))
      .digest("hex"),
  ]);
  const lines = readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n");
  return { digests, metrics: lines.map((line) => ({ ...JSON.parse(line), seconds: undefined })) };
}

test("killed at any moment and resumed, a run ends with the same bytes and the same metrics", async () => {
  const [whole, out] = [newFolder(), newFolder()];
  expect((await petl(long(whole))).code).toBe(0);
  expect(await killedRuns(out, long(out), [400, 500, 600, 700, 900, 1100, 1300, 60_000])).toBeGreaterThan(1);
  expect(resultOf(out)).toEqual(resultOf(whole));
});

test("a finished run leaves an ordinary folder, which is a base like any other", async () => {
  const out = newFolder();
  const [summary] = await petlJson([
    ...pretraining(out, "--steps", "60", "--lr", "0.01", "--dtype", "bfloat16"),
    "--json",
  ]);
  expect(readdirSync(out).sort()).toEqual([
    ...["config.json", "metrics.jsonl", "model.safetensors", "run.json", "special_tokens_map.json"],
    ...["tokenizer.json", "tokenizer_config.json"],
  ]);
  const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
  expect(config).toMatchObject({ architectures: ["BertForMaskedLM"], dtype: "bfloat16", vocab_size: 90 });
  const { evaluation, unigram_loss } = summary as { evaluation: { loss: number }; unigram_loss: number };
  expect(evaluation.loss).toBeLessThan(unigram_loss); // what stands around a word tells of it
  const measured = await petlJson([
    "evaluate",
    "--base",
    out,
    "--task",
    "masked-lm",
    "--data",
    labelled("held"),
    "--json",
  ]);
  expect(measured).toHaveLength(1);
});

test("words that are named are tokens, though the text lacks them", async () => {
  const [out, words] = [newFolder(), join(scratch, "words.txt")];
  writeFileSync(words, "# of another farm\nTractor\n\nmilkmaid\n");
  await petlJson([...pretraining(out, "--words", words, "--steps", "1"), "--json"]);
  const { vocab } = JSON.parse(readFileSync(join(out, "tokenizer.json"), "utf8")).model;
  expect(Object.keys(vocab)).toEqual(expect.arrayContaining(["tractor", "milkmaid"]));
});

/** A file of rows that hide one token. */
function labelled(name: string): string {
  const path = join(scratch, `${name}.jsonl`);
  writeFileSync(path, `{"input_ids": [2, 20, 4, 30, 3], "labels": [-100, -100, 25, -100, -100]}\n`);
  return path;
}

test("Ctrl-C saves, says how to go on and exits with 130; a new run into that folder is refused", async () => {
  const out = newFolder();
  const child = spawn(process.execPath, [bin, ...pretraining(out, "--steps", "3000")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
    if (!child.killed && said.includes("held out")) child.kill("SIGINT");
  });
  expect(await new Promise((resolve) => child.on("close", resolve))).toBe(130);
  expect(said).toContain(`petl pretrain --resume ${out}`);
  expect(readdirSync(join(out, "checkpoints"))).toHaveLength(1);
  const again = await petl(pretraining(out));
  expect(again.code).toBe(2);
  expect(again.stderr).toContain(`petl pretrain --resume ${out}`);
  const beside = await petl(["pretrain", "--resume", out, "--layers", "2", "--text", text]);
  expect(beside.stderr).toContain("leave out --text, --layers");
  const asTraining = await petl(["train", "--resume", out]);
  expect(asTraining.code).toBe(2);
  expect(asTraining.stderr).toContain(`petl pretrain --resume ${out}`);
});

test("what was made from the text is used again, and refused for another run; gzip text gives the same model", async () => {
  const prepared = join(scratch, "prepared");
  const [first, second, packed] = [newFolder(), newFolder(), newFolder()];
  const keep = ["--prepared", prepared, "--steps", "3"];
  expect((await petl(pretraining(first, ...keep))).code).toBe(0);
  const times = () => ["tokenizer", "rows"].map((stage) => statSync(join(prepared, stage, "manifest.json")).mtimeMs);
  const before = times();
  expect((await petl(pretraining(second, ...keep))).code).toBe(0);
  expect(times()).toEqual(before);
  expect(resultOf(second)).toEqual(resultOf(first));
  const longer = pretraining(newFolder(), ...keep).map((each, at, all) =>
    all[at - 1] === "--max-length" ? "20" : each,
  );
  const other = await petl(longer);
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/made for another run: max_length was 24, not 20/);
  writeFileSync(join(scratch, "farm.txt.gz"), gzipSync(readFileSync(text)));
  const zipped = ["pretrain", "--text", join(scratch, "farm.txt.gz"), ...quick, "--steps", "3", "--out", packed];
  expect((await petl(zipped)).code).toBe(0);
  expect(resultOf(packed)).toEqual(resultOf(first));
});

test("bad input is one clear message, exit code 2, and leaves nothing behind", async () => {
  const short = join(scratch, "short.txt");
  writeFileSync(short, "One line.\n");
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /--text is missing/],
    [["--text", join(scratch, "nowhere.txt")], /nowhere\.txt/],
    [["--text", text, "--hidden", "30", "--heads", "4"], /--hidden 30 is no multiple of --heads 4/],
    [["--text", text, "--architecture", "brt"], /did you mean "bert"\?/],
    [["--text", text, "--tokenizer", teacher, "--vocabulary", "90"], /leave out --vocabulary/],
    [["--text", text, "--steps", "3", "--epochs", "1"], /steps and epochs say the same/],
    [["--text", text, "--teacher-weight", "2"], /--teacher-weight goes with --teacher/],
    [["--text", text, "--vocabulary", "7"], /vocabulary/],
    [["--text", text, "--words", join(scratch, "nowhere")], /nowhere/],
    [["--text", text, "--words", text, "--architecture", "llama"], /--words goes with .* an encoder/],
    [["--text", short, ...sizes.slice(0, 6), "--tokenizer", teacher], /too few/],
  ];
  for (const [args, message] of cases) {
    const out = newFolder();
    const { code, stderr, stdout } = await petl(["pretrain", ...args, "--out", out]);
    expect(stderr).toMatch(message);
    expect(code, stderr).toBe(2);
    expect(stdout).toBe("");
    expect(existsSync(out), args.join(" ")).toBe(false);
  }
});

test("a decoder learns to foretell, from rows of one length, and then goes on with a text", async () => {
  const out = newFolder();
  const decoder = [
    "--architecture",
    "llama",
    ...sizes.slice(0, 8),
    "--vocabulary",
    "330",
    "--batch",
    "8",
    "--threads",
    "1",
  ];
  const flags = [
    "pretrain",
    "--text",
    text,
    ...decoder,
    "--held-out",
    "0.1",
    "--steps",
    "60",
    "--lr",
    "0.01",
    "--out",
    out,
  ];
  const [summary] = await petlJson([...flags, "--json"]);
  const { evaluation, unigram_loss } = summary as { evaluation: { loss: number }; unigram_loss: number };
  expect(evaluation.loss).toBeLessThan(unigram_loss - 0.5); // the farm's sentences are all of one form
  const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
  expect(config).toMatchObject({
    architectures: ["LlamaForCausalLM"],
    bos_token_id: 0,
    eos_token_id: 0,
    pad_token_id: 1,
  });
  const [answer] = await petlJson(["generate", "--base", out, "--prompt", "The old cow", "--max-tokens", "4"]);
  expect(answer).toMatchObject({ text: expect.stringMatching(/^ \w+/) });
});
