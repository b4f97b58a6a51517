import { join, relative } from "node:path";
import { type BundledData, bundledData } from "../bundled/bundled-data.ts";

/** Three commands that go on from where the tour ended, with paths as seen from the current folder. */
export function nextCommands(base: string, out: string): readonly string[] {
  const below = (...names: readonly string[]) => quoted(join(out, ...names));
  const data = (name: BundledData) => quoted(relative(process.cwd(), bundledData(name)));
  return [
    `npx petl predict --base ${quoted(base)} --adapter ${below("adapters", "users/midwife")} --text "The baby is on its way."`,
    `npx petl train --base ${quoted(base)} --data ${data("reviews")} --method dora --targets all-linear --lr 1e-3 --epochs 6 --out ${below("reviews-dora")}`,
    `npx petl evaluate --base ${quoted(base)} --adapter ${below("adapters", "users/midwife")} --data ${data("users/cellist")}/test.csv`,
  ];
}

/** A word of a command line, in quotes where a shell would part it. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
