import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError, lossParts, poolings, tasks, trainingSettings } from "@petl/core";
import { z } from "zod";
import { directory } from "../disk/files.ts";
import { parsedJson } from "../disk/parsed-json.ts";
import { writeFileSafely } from "../disk/safe-write.ts";
import { explainFileError, systemCode } from "../machine-error.ts";

/** What a training run is, whole: from it alone the run can be repeated or gone on with. */
const runRecord = z.strictObject({
  petl: z.string(),
  /** the base as it was named, and the folder that this led to */
  base: z.string(),
  base_folder: z.string(),
  base_sha256: z.string(),
  /** the adapter that the run starts from */
  init: z.string().optional(),
  methods: z.array(z.strictObject({ name: z.string(), options: z.record(z.string(), z.unknown()) })),
  task: z.enum(tasks),
  /** the classes, in the order of their numbers, as the data have them; empty where the task has none */
  labels: z.array(z.union([z.string(), z.number(), z.boolean()])),
  pooling: z.enum(poolings),
  train: z.array(z.string()),
  /** files, or the share of the training data that is held out */
  validation: z.union([z.array(z.string()), z.number().positive().lt(1)]).optional(),
  columns: z.strictObject({
    text: z.string().optional(),
    textPair: z.string().optional(),
    label: z.string().optional(),
    header: z.boolean().optional(),
    encoding: z.string().optional(),
    sheet: z.string().optional(),
  }),
  /** SHA-256 of the training data's bytes */
  data_sha256: z.string(),
  /** as it was asked for */
  max_length: z.int().positive().optional(),
  /** which tokens of completions and conversations are learnt */
  loss_on: z.enum(lossParts).optional(),
  /** whether a language model's rows of text end with the tokenizer's end token */
  end_token: z.boolean().optional(),
  log_every: z.int().positive(),
  threads: z.int().positive().optional(),
  settings: trainingSettings,
});
export type RunRecord = Readonly<z.infer<typeof runRecord>>;

const fileName = "run.json";

/** Writes a run's run.json. */
export async function writeRecord(out: string, record: object): Promise<void> {
  const text = `${JSON.stringify(record, undefined, 2)}\n`;
  await writeFileSafely(join(out, fileName), [new TextEncoder().encode(text)]);
}

/** The record of the training run in a folder; undefined where there is none. */
export async function readRecord(out: string): Promise<RunRecord | undefined> {
  const value = await jsonIn(out);
  if (z.object({ kind: z.literal("pretraining") }).safeParse(value).success)
    throw new InputError(`${out} holds a pretraining run; go on with \`petl pretrain --resume ${out}\``);
  return checked(out, value, runRecord);
}

/** The run.json of a folder, checked; undefined where there is none. */
export const readRecordAs = async <T>(out: string, schema: z.ZodType<T>): Promise<T | undefined> =>
  checked(out, await jsonIn(out), schema);

/** What a folder's run.json holds, null where that is no JSON; undefined where there is no such file. */
async function jsonIn(out: string): Promise<unknown> {
  const path = join(out, fileName);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw explainFileError(error, "read", path);
  });
  return text === undefined ? undefined : (parsedJson(text) ?? null);
}

function checked<T>(out: string, value: unknown, schema: z.ZodType<T>): T | undefined {
  if (value === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const path = join(out, fileName);
  throw new InputError(
    parsed.error.issues.map((issue) => `${path}: ${issue.path.join(".")}: ${issue.message.toLowerCase()}`),
  );
}

/** SHA-256 of a base's config.json and of the names and sizes of its files: changes where the base is another one. */
export async function baseDigest(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const source = directory(folder);
  for (const name of await source.files()) {
    const file = await source.open(name);
    hash.update(`${name} ${file.size}\n`);
    if (name.endsWith("config.json")) hash.update(await file.read(0, file.size));
  }
  return hash.digest("hex");
}
