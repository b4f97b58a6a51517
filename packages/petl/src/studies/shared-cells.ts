import { realpath } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { InputError } from "@petl/core";
import { directory } from "../disk/files.ts";
import type { TaskOf, Work } from "../executors/task.ts";
import { tokenizerDigest, weightsDigest } from "../library/digests.ts";
import { locate } from "../library/locate.ts";
import { cellChildren } from "./cell-children.ts";
import { isCellsId, openJob, tellAnswer } from "./cell-files.ts";
import { type CellPlace, errorUnless } from "./cell-place.ts";
import { readContext, type StudyContext } from "./context.ts";

type Cells = TaskOf<"cells">;

/**
 * A worker's part of the studies below a folder that it shares with them, each task in a child of its own.
 * @throws InputError where a study is not in the shared folder
 */
export const sharedCells =
  (shared: string): Work<Cells> =>
  async (task, signal) => {
    const out = await sharedFolder(shared, task);
    const context = await readContext(out);
    if (!context || !(await openJob(out, task.id))) return "gone";
    let place: CellPlace;
    try {
      place = cellChildren(out, await baseOf(context, signal));
    } catch (error) {
      await tellAnswer(out, task.id, errorUnless(signal)(error));
      return "told";
    }
    return place.work(task, signal).finally(() => place.close());
  };

/** The study's base on this machine. */
async function baseOf({ base, base_sha256, tokenizer_sha256 }: StudyContext, signal: AbortSignal): Promise<string> {
  const folder = await locate(base, { signal });
  const files = directory(folder);
  const problems = [
    ...((await weightsDigest(files, signal)) === base_sha256 ? [] : ["weights"]),
    ...([undefined, await tokenizerDigest(files)].includes(tokenizer_sha256) ? [] : ["files of its tokenizer"]),
  ];
  if (problems.length === 0) return folder;
  throw new InputError(
    `the base ${base} has other ${problems.join(" and ")} on a worker's machine than on the study's`,
  );
}

/** What workers are told of a study's folder: its place below what all share, or its whole path. */
export async function sharedName(out: string, shared: string | undefined): Promise<string> {
  const own = await realpath(out);
  if (shared === undefined) return own;
  const below = placeBelow(await realpath(shared), own);
  if (below !== undefined) return below;
  throw new InputError(`\`out\` ${out} is not in \`shared\` ${shared}, where workers look for it`);
}

/**
 * The study's folder of a task, as this machine knows it.
 * @throws InputError where it is not below the shared folder, or its id is none
 */
export async function sharedFolder(shared: string, { id, out }: Cells): Promise<string> {
  if (!isCellsId(id)) throw new InputError(`"${id}" is no id of cells`);
  const root = await realpath(shared);
  const folder = await realpath(isAbsolute(out) ? out : join(root, out)).catch(() => undefined);
  if (folder !== undefined && placeBelow(root, folder) !== undefined) return folder;
  throw new InputError(`a study's folder "${out}" is not in \`shared\` ${shared}; its cells are left to other workers`);
}

function placeBelow(root: string, path: string): string | undefined {
  const place = relative(root, path);
  return place === "" || place.startsWith("..") || isAbsolute(place) ? undefined : place;
}
