import { compileTextVectors, type EncodedExample, InputError, openTokenizer, readBase } from "@petl/core";
import { directory } from "../disk/files.ts";
import { workerEngine } from "../engine/worker-engine.ts";
import { baseDigest } from "../library/base-digest.ts";
import type { PretrainingRecord } from "./record.ts";

export type TeacherRecord = NonNullable<PretrainingRecord["teacher"]>;

/** A teacher that can be asked. */
export interface Teacher {
  /** length of its vectors */
  readonly size: number;
  /** a vector of length 1 for every text */
  vectorsOf(texts: readonly string[]): Promise<readonly Float32Array[]>;
  close(): Promise<void>;
}

/** @throws InputError where it is no longer the model that the run began with */
export async function openTeacher({ folder, sha256 }: TeacherRecord, threads: number | undefined): Promise<Teacher> {
  if ((await baseDigest(directory(folder))) !== sha256)
    throw new InputError(`the teacher ${folder} has changed since the run began`);
  const base = await readBase(directory(folder));
  const encode = await encoderOf(folder, base.model.sizes.trainedTokens);
  const engine = await workerEngine(folder, base.checkpoint?.files ?? [], { threads });
  const vectors = await compileTextVectors(engine, base);
  return {
    size: vectors.size,
    vectorsOf: (texts) => vectors.run(texts.map(encode)),
    async close() {
      await vectors.release();
      await engine.close();
    },
  };
}

/** How a teacher reads a text: with its own tokenizer, as much as it takes. */
async function encoderOf(folder: string, longest: number): Promise<(text: string) => EncodedExample> {
  const tokenizer = await openTokenizer(directory(folder));
  if (!tokenizer) throw new InputError(`the teacher ${folder} has no tokenizer`);
  const limit = Math.min(longest, tokenizer.modelMaxLength ?? longest);
  return (text) => tokenizer.encode(text, undefined, limit);
}
