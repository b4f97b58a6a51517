import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { golden, petl, temporaryFolder } from "./run-petl.fake.ts";

const bert = join(golden, "models", "bert-sequence-classification");
const adapter = join(golden, "adapters", "bert-lora");

/** A folder with broken copies of the tiny BERT and with inputs of every kind. */
function workshop(): string {
  const folder = temporaryFolder();
  for (const name of ["unknown", "contradicting", "truncated", "nan"])
    cpSync(bert, join(folder, name), { recursive: true });
  edit(join(folder, "unknown/config.json"), '"model_type": "bert"', '"model_type": "brt"');
  edit(join(folder, "contradicting/config.json"), '"hidden_size": 32', '"hidden_size": 48');
  truncateSync(join(folder, "truncated/model.safetensors"), 100_000);
  spoil(join(folder, "nan/model.safetensors"), "bert.encoder.layer.1.output.dense.weight");
  cpSync(join(golden, "models", "llama-causal-lm"), join(folder, "nan-llama"), { recursive: true });
  spoil(join(folder, "nan-llama/model.safetensors"), "model.layers.1.mlp.down_proj.weight");
  mkdirSync(join(folder, "empty"));
  const rows = {
    rows: { input_ids: [1, 2, 3] },
    vocabulary: { input_ids: [1, 96] },
    long: { input_ids: Array(65).fill(1) },
    types: { input_ids: [1, 2], token_type_ids: [0, 2] },
    text: { text: "a fine film" },
  };
  for (const [name, row] of Object.entries(rows))
    writeFileSync(join(folder, `${name}.jsonl`), `${JSON.stringify(row)}\n`);
  writeFileSync(join(folder, "half.jsonl"), '{"input_ids": [1,');
  writeFileSync(join(folder, "nothing.jsonl"), "");
  writeFileSync(join(folder, "file"), "");
  return folder;
}

function edit(file: string, before: string, after: string): void {
  writeFileSync(file, readFileSync(file, "utf8").replace(before, after));
}

/** Writes a NaN into a tensor of a safetensors file. */
function spoil(file: string, tensor: string): void {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  bytes.writeFloatLE(Number.NaN, 8 + length + header[tensor].data_offsets[0] + 8);
  writeFileSync(file, bytes);
}

const logits = (base: string, input: string, ...flags: string[]) => [
  "logits",
  "--base",
  base,
  "--input",
  input,
  ...flags,
];
const merge = (out: string) => ["merge", "--base", bert, "--adapter", adapter, "--out", out];

const refusals: readonly (readonly [args: readonly string[], message: string])[] = [
  [["logitz"], "unknown command 'logitz'; did you mean logits?"],
  [["logits", "--bass", bert], "unknown option '--bass'; did you mean --base?"],
  [["logits", "--base", bert], "--input is missing"],
  [logits(bert, "nothing.jsonl"), "nothing.jsonl is empty"],
  [logits(bert, "absent.jsonl"), `can't read "absent.jsonl": it doesn't exist`],
  [logits(bert, "half.jsonl"), "half.jsonl line 1: not JSON"],
  [logits(bert, "vocabulary.jsonl"), "vocabulary.jsonl line 1: input id 96; the model knows 0 to 95"],
  [logits(bert, "types.jsonl"), `types.jsonl line 1: token type 2; ${bert} knows 0 to 1`],
  [logits(bert, "long.jsonl"), "long.jsonl line 1: 65 input_ids; the model takes at most 64"],
  [logits(bert, "text.jsonl"), "the base has no tokenizer, and text.jsonl holds text"],
  [logits(bert, "rows.jsonl", "--batch", "0", "--task", "regresion"), '--task "regresion" is none of classification'],
  [logits(bert, "rows.jsonl", "--labels", "4"), `"classifier.weight" has shape [3, 32]`],
  [logits("absent", "rows.jsonl"), `"absent" is neither a folder nor a hub id`],
  [logits("empty", "rows.jsonl"), "config.json"],
  [logits("unknown", "rows.jsonl"), 'model_type "brt" is not supported; did you mean "bert"?'],
  [logits("contradicting", "rows.jsonl"), `its config.json calls for [96, 48]`],
  [logits("truncated", "rows.jsonl"), "model.safetensors: ends at byte 100000, but its header needs 134204"],
  [logits("nan", "rows.jsonl"), 'nan/model.safetensors: "bert.encoder.layer.1.output.dense.weight" holds NaN'],
  [
    ["generate", "--base", "nan-llama", "--input", "rows.jsonl"],
    'nan-llama/model.safetensors: "model.layers.1.mlp.down_proj.weight" holds NaN',
  ],
  [
    ["generate", "--base", "nan-llama", "--input", "rows.jsonl", "--beams", "2"],
    'nan-llama/model.safetensors: "model.layers.1.mlp.down_proj.weight" holds NaN',
  ],
  [logits(join(golden, "models/roberta-sequence-classification"), "rows.jsonl", "--adapter", adapter), "bert-lora"],
  [logits(join(golden, "models/bert-base"), "rows.jsonl"), "is a BertModel, which has no head"],
  [["predict", "--base", bert, "--text", "a", "--text", "b", "--text-pair", "c"], "2 --text and 1 --text-pair"],
  [["evaluate", "--base", bert, "--data", "rows.jsonl"], "rows.jsonl has no labels"],
  [["inspect", bert, "--method", "bitfit", "--rank", "2"], "--rank is no option of bitfit; its options: --targets"],
  [["inspect", bert, "--method", "lora", "--rank", "0"], 'lora: --rank "0" must be above 0'],
  [merge("file/merged"), `can't write "file/merged": a part of the path is a file`],
  [merge("truncated"), '"truncated" exists and isn\'t empty'],
];

test("bad input ends with 2 and a line that names it on stderr, nothing on stdout, nothing written", async () => {
  const folder = workshop();
  const before = readdirSync(folder);
  const queue = [...refusals];
  const worker = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [args, message] = next;
      const { code, stdout, stderr } = await petl(args, folder);
      const what = `petl ${args.join(" ")}`;
      expect(stderr, what).toContain(message);
      expect(
        stderr
          .trimEnd()
          .split("\n")
          .every((line) => line.startsWith("petl: ") || /^rows\.jsonl: \d+ rows?$/.test(line)), // or what was read
        what,
      ).toBe(true);
      expect({ code, stdout }, what).toEqual({ code: 2, stdout: "" });
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  expect(readdirSync(folder)).toEqual(before);
  expect(existsSync(join(folder, "truncated/config.json"))).toBe(true);
});
