import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { distance, golden, petl, petlJson, temporaryFolder } from "./run-petl.fake.ts";

const adapter = (name: string) => join(golden, "adapters", name);
const base = (name: string) => join(golden, "models", name);

test("an adapter goes to another layout and comes back with the same bytes, without its base at hand", async () => {
  const folder = temporaryFolder();
  const hub = [
    "convert",
    "--adapter",
    adapter("bert-lora"),
    "--to",
    "adapterhub",
    "--out",
    "hub",
    "--name",
    "mine",
    "--json",
  ];
  expect(await petlJson(hub, folder)).toEqual([{ out: "hub", format: "adapterhub", remarks: [] }]);
  expect(readdirSync(join(folder, "hub")).sort()).toEqual(
    ["adapter_config.json", "head_config.json", "pytorch_adapter.bin", "pytorch_model_head.bin"].sort(),
  );
  await petlJson(["convert", "--adapter", "hub", "--out", "peft", "--json"], folder);
  await petlJson(["convert", "--adapter", adapter("bert-lora"), "--to", "peft", "--out", "again", "--json"], folder);
  const tensors = (name: string) => {
    const bytes = readFileSync(join(folder, name, "adapter_model.safetensors"));
    return bytes.subarray(8 + Number(bytes.readBigUInt64LE(0))); // the header tells how the method was named
  };
  expect(tensors("peft")).toEqual(tensors("again"));
});

test("a foreign adapter answers as PEFT's does, without being converted", async () => {
  const folder = temporaryFolder();
  await petlJson(
    ["convert", "--adapter", adapter("bert-lora"), "--to", "adapterhub", "--out", "hub", "--json"],
    folder,
  );
  const { rows } = JSON.parse(readFileSync(join(base("bert-sequence-classification"), "golden.json"), "utf8"));
  const lines = rows.map((row: unknown) => JSON.stringify(row)).join("\n");
  writeFileSync(join(folder, "rows.jsonl"), lines);
  const model = ["--base", base("bert-sequence-classification"), "--adapter", "hub"];
  const answers = await petlJson(["logits", ...model, "--input", "rows.jsonl"], folder);
  const { logits } = JSON.parse(readFileSync(join(adapter("bert-lora"), "golden.json"), "utf8"));
  const got = answers.map((answer) =>
    typeof answer === "object" && answer && "logits" in answer ? answer.logits : [],
  );
  expect(distance(got, logits)).toBeLessThan(1e-4); // float32 sums in another order than torch's
});

test("what cannot be converted ends with 2, names the way out and writes nothing", async () => {
  const folder = temporaryFolder();
  cpSync(adapter("llama-lora"), join(folder, "lora"), { recursive: true });
  renameSync(join(folder, "lora/adapter_model.safetensors"), join(folder, "lora/weights.safetensors"));
  const cases = [
    [["--adapter", "lora", "--out", "out"], "adapter_model.safetensors is not in this folder"],
    [["--adapter", adapter("llama-lora"), "--to", "gguf", "--out", "out"], "give it with --base"],
    [["--adapter", adapter("bert-ia3"), "--to", "mlx", "--out", "out"], "not for bert"],
    [["--out", "out"], "give an --adapter, or with --base a checkpoint of llama2.c"],
    [["--adapter", "lora", "--to", "huggingface", "--out", "out"], "petl merge makes one"],
    [["--base", "lora", "--out", "out"], "holds no checkpoint of llama2.c"],
  ] as const;
  const check = async ([args, message]: (typeof cases)[number]) => {
    const { code, stdout, stderr } = await petl(["convert", ...args], folder);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  };
  await Promise.all(cases.map(check));
  expect(existsSync(join(folder, "out"))).toBe(false);
});
