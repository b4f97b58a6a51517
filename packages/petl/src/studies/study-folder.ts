import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@petl/core";
import { withLock } from "../hub/lock.ts";
import { explainFileError } from "../machine-error.ts";
import { readContext, refuseOther, type StudyContext, writeContext } from "./context.ts";

const lockName = ".lock";

/**
 * Keeps a study's folder for this process; the result gives it free again.
 * @throws InputError where another living process has it
 */
export async function holdFolder(out: string): Promise<() => Promise<void>> {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const taken = () => {
    throw new InputError(`\`out\` ${out}: another process works at the study in this folder`);
  };
  let holding: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    const hold = () => {
      resolve();
      return released;
    };
    holding = withLock(join(out, lockName), hold, { onWait: taken });
    holding.catch(reject);
  });
  return async () => {
    release();
    await holding;
  };
}

/** Makes a folder this study's, or lets it go on where the folder holds the same study. */
export async function takeFolder(out: string, asked: StudyContext, overwrite: boolean): Promise<void> {
  const found = overwrite ? undefined : await readContext(out);
  if (found) {
    refuseOther(out, found, asked);
    if (found.tokenizer_sha256 === undefined) await writeContext(out, asked); // from now on it is known
    return;
  }
  const names = (await namesIn(out)).filter((name) => name !== lockName);
  const isStudy = names.includes("study.json");
  if (names.length > 0 && !isStudy)
    throw new InputError(`\`out\` ${out} holds files that are not of a study; name another folder`);
  for (const name of names.filter((each) => each !== "study.json")) await removed(join(out, name));
  await writeContext(out, asked);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    throw explainFileError(error, "read", folder);
  });
}

async function removed(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
    throw explainFileError(error, "write", path);
  });
}
