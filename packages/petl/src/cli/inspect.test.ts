import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { golden, petl, petlJson, temporaryFolder } from "./run-petl.fake.ts";

const report = z.looseObject({
  architecture: z.string(),
  base_parameters: z.number(),
  trained_parameters: z.number(),
  head_parameters: z.number(),
  trainable_ratio: z.number(),
  trainable_ratio_with_head: z.number(),
  targets: z.array(z.string()),
  parts: z.record(z.string(), z.number()),
  files: z.array(z.looseObject({ file: z.string(), sha256: z.string() })),
});
const model = (name: string) => join(golden, "models", name);

async function inspect(...args: string[]) {
  const [document, ...more] = await petlJson(["inspect", ...args, "--json", "--no-digests"]);
  expect(more).toEqual([]);
  return report.parse(document);
}

const run = z.object({
  base: z.string(),
  init: z.string().nullish(),
  flags: z.looseObject({ method: z.string().optional(), count: z.number().optional() }),
  trained_parameters: z.number(),
});
// runs with the same model and adapter count the same
const runs = readdirSync(join(golden, "training"))
  .filter((file) => file.endsWith(".json") && !/lora-(accumulate|cosine|sgd|regression)|distilbert/.test(file))
  .map((file) => [file, run.parse(JSON.parse(readFileSync(join(golden, "training", file), "utf8")))] as const);

test("there are runs to compare with", () => expect(runs.length).toBeGreaterThan(5));

test.concurrent.each(runs)(
  "%s: as many parameters as torch trains",
  async (_, { base, init, flags, trained_parameters }) => {
    const method = ["--method", flags.method ?? "", ...(flags.count ? ["--count", String(flags.count)] : [])];
    const counts = await inspect(model(base), ...(init ? ["--adapter", join(golden, init)] : method));
    // torch counts the head as well, unless it is a language model's, which stays frozen
    const head = base.includes("masked-lm") ? 0 : counts.head_parameters;
    expect(counts.trained_parameters + head).toBe(trained_parameters);
    expect(counts.trainable_ratio_with_head).toBeCloseTo(trained_parameters / counts.base_parameters, 12);
  },
);

test.concurrent("counts follow the formulas, from config.json alone", async () => {
  const folder = temporaryFolder();
  cpSync(join(model("bert-sequence-classification"), "config.json"), join(folder, "config.json"));
  const [layers, d, inner, vocabulary, positions, classes] = [3, 32, 64, 96, 64, 3];
  const block = 4 * (d * d + d) + (d * inner + inner) + (inner * d + d) + 2 * 2 * d;
  const embeddings = (vocabulary + positions + 2) * d + 2 * d;
  const base = embeddings + layers * block + d * d + d;
  const cases: readonly (readonly [flags: string[], trained: number, targets: number])[] = [
    [["--method", "lora", "--rank", "4"], layers * 2 * 4 * 2 * d, 2 * layers],
    [["--method", "lora", "--rank", "3", "--targets", "query", "--layers", "top:1"], 3 * 2 * d, 1],
    [["--method", "prefix", "--tokens", "7"], 7 * layers * 2 * d, layers],
    [["--method", "bottleneck", "--size", "5", "--placement", "pfeiffer"], layers * (2 * 5 * d + 5 + d), layers],
    [["--method", "bottleneck", "--size", "5"], layers * 2 * (2 * 5 * d + 5 + d) + layers * 2 * 2 * d, 2 * layers],
    [["--method", "head"], 0, 0],
    [["--method", "full"], base, 0],
  ];
  await Promise.all(
    cases.map(async ([flags, trained, targets]) => {
      const counts = await inspect(folder, ...flags);
      expect(counts, flags.join(" ")).toMatchObject({
        base_parameters: base,
        trained_parameters: trained,
        head_parameters: classes * d + classes,
        trainable_ratio: trained / base,
      });
      expect(counts.targets.length, flags.join(" ")).toBe(targets);
    }),
  );
});

test.concurrent("parts add up, tied weights once; --task and --labels choose another head", async () => {
  const [lm, other, bare] = await Promise.all([
    inspect(model("bert-masked-lm")),
    inspect(model("bert-masked-lm"), "--task", "classification", "--labels", "7"),
    inspect(model("bert-base")),
  ]);
  const sum = (parts: Readonly<Record<string, number>>) => Object.values(parts).reduce((a, b) => a + b, 0);
  for (const { parts, base_parameters, head_parameters } of [lm, other, bare]) {
    expect(sum(parts)).toBe(base_parameters + head_parameters);
  }
  expect(lm.head_parameters).toBe(32 * 32 + 32 + 2 * 32 + 96); // transform, its norm, the output's bias
  expect(other.head_parameters).toBe(7 * 32 + 7);
  expect(bare.head_parameters).toBe(0);
  expect(other.base_parameters - lm.base_parameters).toBe(32 * 32 + 32); // the pooler
});

test.concurrent("an adapter is inspected on the base that --base gives; digests are SHA-256", async () => {
  const adapter = join(golden, "adapters", "bert-lora");
  const [document] = await petlJson(["inspect", adapter, "--base", model("bert-sequence-classification"), "--json"]);
  const { files, trained_parameters, targets } = report.parse(document);
  expect(trained_parameters).toBe(1536);
  expect(targets).toHaveLength(6);
  expect(files.map(({ file }) => file)).toEqual([
    "config.json",
    "model.safetensors",
    "adapter_config.json",
    "adapter_model.safetensors",
    "merged.safetensors",
  ]);
  for (const { sha256 } of files) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
});

test.concurrent("an adapter whose base is not to be found is counted alone", async () => {
  const { code, stdout, stderr } = await petl(["inspect", join(golden, "adapters", "roberta-ia3"), "--json"]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^its base "roberta-sequence-classification" can't be opened; give it with --base/);
  const whole = await inspect(
    join(golden, "adapters", "roberta-ia3"),
    "--base",
    model("roberta-sequence-classification"),
  );
  const { trained_parameters, head_parameters, targets } = whole;
  expect(JSON.parse(stdout)).toMatchObject({ base_parameters: null, trained_parameters, head_parameters });
  expect(new Set(JSON.parse(stdout).targets)).toEqual(new Set(targets));
});

test.concurrent("without --json a person reads it", async () => {
  const { code, stdout } = await petl([
    "inspect",
    model("bert-base"),
    "--method",
    "lora+bitfit",
    "--bitfit-targets",
    "value",
  ]);
  expect(code).toBe(0);
  expect(stdout).toContain("trained by lora+bitfit: 2,112 ("); // 2,048 of lora, two biases of 32
});
