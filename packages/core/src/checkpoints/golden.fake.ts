import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Folder, memorySource } from "../containers/folder.ts";
import { architectures } from "../models/models.ts";
import { heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import { int32 } from "../tensor/host-tensor.ts";
import { type HfModel, readBase } from "./hf-model.ts";

const root = fileURLToPath(new URL("../../golden/", import.meta.url));

/** A row of a golden file's input. */
export interface Row {
  readonly input_ids: readonly number[];
  readonly attention_mask?: readonly number[];
  readonly token_type_ids?: readonly number[];
}

export const goldenPath = (path: string): string => `${root}${path}`;
/** The folders of golden files below a path; without any, what is tried for each would be tried for none. */
export function goldenNames(path: string): readonly string[] {
  const entries = readdirSync(goldenPath(path), { withFileTypes: true });
  const names = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  if (names.length === 0) throw new Error(`no golden files below ${path}`);
  return names;
}
export const goldenJson = (path: string) => JSON.parse(readFileSync(goldenPath(path), "utf8"));

/** A folder of the file system, read whole, file by file. */
export function diskFolder(path: string): Folder {
  return {
    name: path.split("/").at(-1) ?? path,
    files: async () => readdirSync(path),
    open: async (file) => memorySource(file, readFileSync(`${path}/${file}`)),
  };
}

export const goldenFolder = (path: string): Folder => diskFolder(goldenPath(path));
export const hasGolden = (path: string): boolean => existsSync(goldenPath(path));

/** The architectures with a golden model for every head; the others of a family share its modules. */
export const wholeArchitectures: readonly string[] = architectures
  .map(({ modelType }) => modelType)
  .filter((modelType) => hasGolden(`models/${modelType}-token-classification`));

/** A golden model and the rows that its numbers are of. */
export async function goldenBase(name: string): Promise<{ base: HfModel; rows: readonly Row[]; path: string }> {
  const path = goldenPath(`models/${name}`);
  return {
    base: await readBase(goldenFolder(`models/${name}`)),
    rows: goldenJson(`models/${name}/golden.json`).rows,
    path,
  };
}

/** Each row's logits, flat, without the positions that its mask leaves out. */
export async function logitsOf(
  adapted: AdaptedModel,
  phi: Phi,
  rows: readonly Row[],
  path: string,
): Promise<readonly (readonly number[])[]> {
  const program = await compile(nativeEngine(path), { logits: adapted.forward().logits });
  const results: number[][] = [];
  for (const {
    input_ids: ids,
    attention_mask: mask = ids.map(() => 1),
    token_type_ids: types = ids.map(() => 0),
  } of rows) {
    const row = (numbers: readonly number[]) => int32([1, numbers.length], Int32Array.from(numbers));
    const inputs = { input_ids: row(ids), attention_mask: row(mask), token_type_ids: row(types) };
    const { logits } = await program.run({ ...tensorsOf(phi), ...inputs });
    const values = Array.from(logits?.data ?? [], Number);
    const perToken = values.length / ids.length;
    const tokens = heads[objectiveOf(adapted.goal.task).head].of === "tokens";
    results.push(
      tokens ? mask.flatMap((on, at) => (on ? values.slice(at * perToken, (at + 1) * perToken) : [])) : values,
    );
  }
  await program.release();
  return results;
}

/** The greatest distance of two lists of rows, which must be of the same lengths and not empty. */
export function distance(got: readonly (readonly number[])[], wanted: readonly unknown[]): number {
  const all = wanted.map((row) => (Array.isArray(row) ? row.flat(2) : []));
  const differ = got.length !== all.length || got.some((row, at) => row.length === 0 || row.length !== all[at]?.length);
  if (differ || got.length === 0) return Number.POSITIVE_INFINITY;
  return Math.max(...got.flatMap((row, at) => row.map((value, i) => Math.abs(value - Number(all[at]?.[i])))));
}
