import { InputError } from "../errors.ts";
import type { ByteSource } from "./folder.ts";
import { readBytes } from "./folder.ts";

const beginning = "version https://git-lfs.github.com/spec/";
/** Whether a file's first bytes may be a pointer's. */
export const mayBePointer = (first: Uint8Array): boolean => beginning.startsWith(new TextDecoder().decode(first));

/** A pointer is a few lines. */
const longest = 1024;

/**
 * Refuses the pointer that git leaves in place of a large file where its LFS extension didn't fetch it, which is what a
 * clone without it, or a download of the page's source, holds.
 *
 * @throws InputError with the way to the file itself
 * Source: git-lfs/git-lfs, docs/spec.md
 */
export async function refusePointer(source: ByteSource): Promise<void> {
  if (source.size < beginning.length || source.size > longest) return;
  const text = new TextDecoder().decode(await readBytes(source, 0, source.size));
  if (!text.startsWith(beginning)) return;
  const size = /^size (\d{1,20})$/m.exec(text)?.[1];
  throw new InputError(
    `${source.name}: is git-LFS's pointer to a file${size ? ` of ${size} bytes` : ""}, not the file; get it with: git lfs pull`,
  );
}
