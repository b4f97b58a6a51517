import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError, parsedJson, schemaProblems } from "@petl/core";
import { z } from "zod";
import { writeFileSafely } from "../disk/safe-write.ts";
import { explainFileError, systemCode } from "../machine-error.ts";

/**
 * What a training run is, whole: from it alone the run can be repeated or gone on with. The request is what
 * `petl train --config` takes, with every setting as it was; the rest is what it led to.
 */
const runRecord = z.strictObject({
  petl: z.string(),
  /** tells this run from every other; its checkpoints carry it */
  id: z.string(),
  request: z.record(z.string(), z.unknown()),
  /** the folder that the base's name led to */
  base_folder: z.string(),
  base_sha256: z.string(),
  /** SHA-256 of the rows to train on and to evaluate on */
  data_sha256: z.string(),
});
type RunRecord = Readonly<z.infer<typeof runRecord>>;

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
  if (z.object({ settings: z.unknown(), base: z.string() }).safeParse(value).success)
    throw new InputError(
      `${join(out, fileName)} is of an earlier petl, whose runs this one cannot go on with; train anew, or go on with the petl that began it`,
    );
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
  throw new InputError(schemaProblems(parsed.error.issues, `${path}: `));
}
