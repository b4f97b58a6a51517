import { spawn } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { bin, distance, golden, petl, petlJson, temporaryFolder } from "./run-petl.fake.ts";

const bert = join(golden, "models", "bert-sequence-classification");
const labelled = join(golden, "training", "data", "classification.jsonl");

/** Rows of the tiny BERT's ids, as many as given. */
function rowsIn(folder: string, count: number): string {
  const file = join(folder, "rows.jsonl");
  const row = (at: number) =>
    JSON.stringify({ input_ids: Array.from({ length: 1 + (at % 40) }, (_, i) => 1 + ((at + i) % 90)) });
  writeFileSync(file, Array.from({ length: count }, (_, at) => `${row(at)}\n`).join(""));
  return file;
}

test.concurrent("help and version go to stdout and end with 0; no verb at all is a usage error", async () => {
  const [help, verb, version, nothing] = await Promise.all([
    petl(["--help"]),
    petl(["inspect", "--help"]),
    petl(["--version"]),
    petl([]),
  ]);
  expect(help.code).toBe(0);
  for (const name of ["logits", "predict", "evaluate", "inspect", "merge", "methods", "bases"]) {
    expect(help.stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  }
  expect(verb.stdout).toContain("--rank <N>");
  expect(verb.stdout).toContain("Examples:\n  petl inspect");
  expect(version).toEqual({ code: 0, stdout: "0.1.0\n", stderr: "" });
  expect(nothing).toMatchObject({ code: 2, stdout: "" });
});

test.concurrent("methods and bases are one JSON document with --json", async () => {
  const [[methods], [bases]] = await Promise.all([petlJson(["methods", "--json"]), petlJson(["bases", "--json"])]);
  const names = z
    .array(z.looseObject({ name: z.string() }))
    .parse(methods)
    .map(({ name }) => name);
  expect(names).toContain("lora");
  expect(bases).toEqual(expect.any(Array));
});

test.concurrent("a config file sits under the flags and is checked like them", async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, "run.yaml"),
    "# a comment\nmethod: lora\nrank: 2\nlora-targets: [query]\ndigests: false\n",
  );
  writeFileSync(join(folder, "run.json"), '{"method": "lora", "rank_pattern": {"query": 3}}');
  writeFileSync(join(folder, "typo.yaml"), "method: lora\nranc: 2\n");
  writeFileSync(join(folder, "broken.yaml"), "method: lora\nrank: [\n");
  const trained = async (...flags: string[]) => {
    const [document] = await petlJson(["inspect", bert, "--json", ...flags], folder);
    return z.looseObject({ trained_parameters: z.number() }).parse(document).trained_parameters;
  };
  const [yaml, over, json, typo, broken] = await Promise.all([
    trained("--config", "run.yaml"),
    trained("--config", "run.yaml", "--rank", "4"),
    trained("--config", "run.json"),
    petl(["inspect", bert, "--config", "typo.yaml"], folder),
    petl(["inspect", bert, "--config", "broken.yaml"], folder),
  ]);
  expect(yaml).toBe(3 * 2 * 2 * 32);
  expect(over).toBe(3 * 4 * 2 * 32);
  expect(json).toBe(3 * (3 + 8) * 2 * 32);
  expect(typo).toMatchObject({ code: 2, stderr: 'petl: typo.yaml: unknown key "ranc"; did you mean "rank"?\n' });
  expect(broken.stderr).toMatch(/^petl: broken\.yaml line \d: /);
});

test.concurrent("predict gives label and probabilities of each row, as the logits have them", async () => {
  const input = rowsIn(temporaryFolder(), 5);
  const common = ["--base", bert, "--input", input];
  const [logits, predicted] = await Promise.all([petlJson(["logits", ...common]), petlJson(["predict", ...common])]);
  const answer = z.object({ label: z.string(), score: z.number(), scores: z.record(z.string(), z.number()) });
  expect(predicted).toHaveLength(5);
  for (const [row, each] of predicted.entries()) {
    const values = z.object({ logits: z.array(z.number()) }).parse(logits[row]).logits;
    const sum = values.reduce((total, value) => total + Math.exp(value), 0);
    const { label, score, scores } = answer.parse(each);
    expect(
      distance(
        Object.values(scores),
        values.map((value) => Math.exp(value) / sum),
      ),
    ).toBeLessThan(1e-6);
    expect(score).toBe(Math.max(...Object.values(scores)));
    expect(scores[label]).toBe(score);
  }
});

test.concurrent("predict answers for words by their first tokens, for texts by all tokens", async () => {
  const base = join(temporaryFolder(), "base");
  cpSync(join(golden, "models", "bert-token-classification"), base, { recursive: true });
  writeFileSync(join(base, "vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\neu\nreject\n##s\n");
  const input = join(base, "words.jsonl");
  writeFileSync(input, '{"tokens": ["EU", "", "rejects", "EU"]}\n');
  const [logits, [words], [text]] = await Promise.all([
    petlJson(["logits", "--base", base, "--input", input]),
    petlJson(["predict", "--base", base, "--input", input]),
    petlJson(["predict", "--base", base, "--text", "EU rejects"]),
  ]);
  const rows = z.object({ logits: z.array(z.array(z.number())) }).parse(logits[0]).logits;
  expect(rows).toHaveLength(6); // [CLS] eu reject ##s eu [SEP]
  const label = (token: number) => `LABEL_${rows[token]?.indexOf(Math.max(...(rows[token] ?? [])))}`;
  expect(words).toMatchObject({ words: ["EU", "", "rejects", "EU"], label: [label(1), null, label(2), label(4)] });
  expect(text).toMatchObject({ tokens: ["[CLS]", "eu", "reject", "##s", "[SEP]"] });
});

test.concurrent("evaluate measures what predict predicts", async () => {
  const rows = readFileSync(labelled, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const [[result], predicted] = await Promise.all([
    petlJson(["evaluate", "--base", bert, "--data", labelled, "--json"]),
    petlJson(["predict", "--base", bert, "--input", labelled]),
  ]);
  const right = predicted.filter(
    (each, row) => z.object({ label: z.string() }).parse(each).label === `LABEL_${rows[row].label}`,
  );
  expect(result).toMatchObject({ examples: rows.length, accuracy: right.length / rows.length });
});

test.concurrent("a merged checkpoint alone gives what base and adapter give", async () => {
  const folder = temporaryFolder();
  const input = rowsIn(folder, 7);
  const adapter = join(golden, "adapters", "bert-lora-all-linear");
  const together = await petlJson(["logits", "--base", bert, "--adapter", adapter, "--input", input]);
  const merged = join(folder, "merged");
  const merging = await petl(["merge", "--base", bert, "--adapter", adapter, "--out", merged]);
  expect(merging).toEqual({ code: 0, stdout: "", stderr: `wrote ${merged}\n` });
  expect(readdirSync(folder).sort()).toEqual(["merged", "rows.jsonl"]);
  const alone = await petlJson(["logits", "--base", merged, "--input", input]);
  const numbers = (lines: readonly unknown[]) => lines.map((line) => z.object({ logits: z.json() }).parse(line).logits);
  // W x + s B A x against (W + s B A) x: the same in exact arithmetic
  expect(distance(numbers(alone), numbers(together))).toBeLessThan(1e-5);
});

/** Starts a long run and does something at its first output; the exit code and what stood on stderr. */
async function disturbed(disturb: (child: ReturnType<typeof spawn>) => void) {
  const input = rowsIn(temporaryFolder(), 30_000);
  const args = [bin, "logits", "--base", bert, "--input", input, "--batch", "2"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  child.stdout.once("data", () => disturb(child));
  child.stdout.resume();
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, stderr };
}

test.skipIf(process.platform === "win32")("Ctrl-C ends a run with 130", async () => {
  expect(await disturbed((child) => child.kill("SIGINT"))).toEqual({ code: 130, stderr: "petl: interrupted\n" });
});

test("a reader that has seen enough is no fault", async () => {
  expect(await disturbed((child) => child.stdout?.destroy())).toEqual({ code: 0, stderr: "" });
});
