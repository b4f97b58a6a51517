import { link, rm } from "node:fs/promises";
import { systemCode } from "../machine-error.ts";
import { writeFileSafely } from "./safe-write.ts";
import { temporarySibling } from "./temporary.ts";

/** Writes a value as JSON unless the file is there, whole or not at all; whether this process was the first. */
export async function writeFirst(path: string, value: unknown): Promise<boolean> {
  const temporary = temporarySibling(path);
  await writeFileSafely(temporary, [Buffer.from(`${JSON.stringify(value)}\n`)]);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
