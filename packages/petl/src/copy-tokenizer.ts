import { join } from "node:path";
import { tokenizerFileNames } from "@petl/core";
import { directory } from "./files.ts";
import { writeFileSafely } from "./safe-write.ts";

/** Copies a base's tokenizer beside a model that was made from it, so that the copy works alone. */
export async function copyTokenizer(from: string, to: string): Promise<void> {
  const folder = directory(from);
  const present = await folder.files();
  for (const name of tokenizerFileNames) {
    if (name === "config.json" || !present.includes(name)) continue;
    const source = await folder.open(name);
    await writeFileSafely(join(to, name), [await source.read(0, source.size)]);
  }
}
