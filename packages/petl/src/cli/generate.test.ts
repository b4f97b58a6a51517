import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { golden, petl, petlJson, temporaryFolder } from "./run-petl.fake.ts";

const goldenFile = z.object({
  base: z.string(),
  adapter: z.string().nullable(),
  prompts: z.array(z.array(z.int())),
  ids: z.array(z.array(z.int())),
});
const readGolden = (path: string) => goldenFile.parse(JSON.parse(readFileSync(join(golden, `${path}.json`), "utf8")));
const completions = z.array(
  z
    .strictObject({ ids: z.array(z.int()), text: z.string().optional(), finish_reason: z.enum(["stop", "length"]) })
    .transform(({ finish_reason: _, ...rest }) => rest),
);

/** Rows in a file of a folder. */
function rowsIn(folder: string, rows: readonly unknown[]): string {
  const file = join(folder, "rows.jsonl");
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return file;
}

/** The golden ids go on behind the token that ends a text, 2 in the golden models' config.json. */
const untilEnd = (ids: readonly number[]) => (ids.includes(2) ? ids.slice(0, ids.indexOf(2) + 1) : ids);

async function generated(...flags: string[]) {
  const length = flags.includes("--max-tokens") ? [] : ["--max-tokens", "24"];
  return completions.parse(await petlJson(["generate", "--threads", "1", ...length, ...flags]));
}

test.each(["llama", "llama-lora"])("%s: rows of tokens go on as in Python, in any batches", async (name) => {
  const { base, adapter, prompts, ids } = readGolden(`generation/${name}`);
  const input = rowsIn(
    temporaryFolder(),
    prompts.map((prompt) => ({ input_ids: [0, ...prompt], attention_mask: [0, ...prompt.map(() => 1)] })),
  );
  const model = [
    "--base",
    join(golden, "models", base),
    ...(adapter === null ? [] : ["--adapter", join(golden, adapter)]),
  ];
  expect(await generated(...model, "--input", input)).toEqual(ids.map((row) => ({ ids: untilEnd(row) })));
  const drawn = ["--temperature", "2", "--top-k", "40", "--seed", "5"];
  const two = await generated(...model, "--input", input, ...drawn, "--batch", "2");
  expect(two).toEqual(await generated(...model, "--input", input, ...drawn));
  expect(two.map((row) => row.ids)).not.toEqual(ids);
});

test("rows are searched for with beams as in Python, in any batches", async () => {
  const { base, prompts, ids } = readGolden("beams/mistral");
  const input = rowsIn(
    temporaryFolder(),
    prompts.map((prompt) => ({ input_ids: prompt })),
  );
  const paper = [
    "--beams",
    "10",
    "--length-penalty",
    "0.9",
    "--no-repeat-ngram-size",
    "4",
    "--early-stopping",
    "false",
  ];
  const flags = ["--base", join(golden, "models", base), "--input", input, ...paper];
  expect(await generated(...flags, "--batch", "2")).toEqual(ids.map((row) => ({ ids: row })));
});

test("an adapter that was trained on rows without labels goes on as its merged model does", async () => {
  const folder = temporaryFolder();
  const base = join(golden, "models/llama-causal-lm");
  const rows = rowsIn(
    folder,
    Array.from({ length: 8 }, (_row, row) => ({ input_ids: Array.from({ length: 9 }, (_, i) => 5 + ((i + row) % 4)) })),
  );
  const [out, merged] = [join(folder, "out"), join(folder, "merged")];
  const training = ["--steps", "40", "--batch", "8", "--lr", "0.03", "--threads", "1"];
  const { stderr } = await petl([
    "train",
    "--base",
    base,
    "--data",
    rows,
    "--method",
    "lora",
    ...training,
    "--out",
    out,
  ]);
  expect(stderr).toContain("task: causal-lm, since that is what the base is for and the rows have no labels");
  await petl(["merge", "--base", base, "--adapter", out, "--out", merged]);
  const [adapted] = await generated("--base", base, "--adapter", out, "--input", rows);
  expect(adapted?.ids.slice(0, 6)).toEqual([6, 7, 8, 5, 6, 7]); // it has learnt to count
  expect((await generated("--base", merged, "--input", rows))[0]).toEqual(adapted);
});

test("what can't go on is refused", async () => {
  const refusals: readonly (readonly [readonly string[], string])[] = [
    [
      ["--base", join(golden, "models/bert-base"), "--prompt", "a"],
      "bert has no head for causal-lm; its tasks: classif",
    ],
    [["--base", join(golden, "models/llama-causal-lm"), "--prompt", "a"], "has no tokenizer; give the prompt's tokens"],
    [["--base", join(golden, "models/llama-causal-lm")], "give prompts with --prompt, or a file with --input"],
    [["--base", "any", "--prompt", "a", "--top-p", "2"], '--top-p "2" must be at most 1'],
    [
      ["--base", "any", "--prompt", "a", "--early-stopping", "soon"],
      '--early-stopping "soon" is none of true, false, never',
    ],
  ];
  for (const [flags, reason] of refusals) {
    const { code, stderr } = await petl(["generate", ...flags]);
    expect(stderr).toContain(reason);
    expect(code).toBe(2);
  }
});

const stories = fileURLToPath(
  new URL("../../../../../shared/data/checkpoints/tinystories-656k-llama", import.meta.url),
);

// SOURCES.md there has the ids, computed by a program that is none of ours
test.skipIf(!existsSync(stories))(
  "the real small Llama tells its story (skipped where ../shared/data is absent)",
  async () => {
    const told = await generated("--base", stories, "--prompt", "", "--max-tokens", "40");
    const known = [
      147, 201, 282, 215, 286, 598, 1662, 356, 499, 826, 1363, 1145, 1652, 615, 242, 1482, 951, 628, 499, 826,
    ];
    expect(told[0]?.ids.slice(0, known.length)).toEqual(known);
    expect(told[0]?.text).toContain("Once upon a time, there was a little girl named Lily. She had a toy car");
    const [stopped] = await generated("--base", stories, "--prompt", "", "--stop", " Lily");
    expect(stopped?.text).toBe("Once upon a time, there was a little girl named");
  },
);
