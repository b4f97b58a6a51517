import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@petl/core";
import { makeFolder } from "../disk/make-folder.ts";
import { removeFolderSafely } from "../disk/safe-write.ts";
import { explainFileError, systemCode } from "../machine-error.ts";

/** Whether a folder holds a finished run, an unfinished one, anything else, or nothing. */
export async function folderState(out: string): Promise<"empty" | "finished" | "unfinished" | "other"> {
  const names = await readdir(out).catch((error: unknown): string[] => {
    if (systemCode(error) === "ENOENT") return [];
    throw explainFileError(error, "write", out);
  });
  if (names.length === 0) return "empty";
  if (!names.includes("run.json")) return "other";
  return names.includes("adapter_config.json") || names.includes("config.json") ? "finished" : "unfinished";
}

/** Throws unless a new run may write into a folder; `verb` is the command that would go on with one. */
export async function refuseTaken(out: string, verb: "train" | "pretrain"): Promise<void> {
  switch (await folderState(out)) {
    case "empty":
      return;
    case "finished":
      throw new InputError(`--out ${out} holds a finished run; name another folder, or replace it with --overwrite`);
    case "unfinished":
      throw new InputError(
        `--out ${out} holds an unfinished run; go on with \`petl ${verb} --resume ${out}\`, or replace it with --overwrite`,
      );
    case "other":
      throw new InputError(
        `--out ${out} holds files that are not of a run; name another folder, or replace it with --overwrite`,
      );
  }
}

/** An empty folder of that name; what was there is gone. */
export async function clearFolder(out: string): Promise<void> {
  if ((await folderState(out)) !== "empty") await removeFolderSafely(out);
  await makeFolder(out).catch((error: unknown) => {
    throw explainFileError(error, "write", join(out));
  });
}
