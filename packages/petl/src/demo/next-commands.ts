import { join, relative } from "node:path";
import { bundledData } from "../bundled-data.ts";

/** Three commands that go on from where the tour ended, with paths as seen from the current folder. */
export function nextCommands(base: string, out: string): readonly string[] {
  const below = (...names: readonly string[]) => quoted(join(out, ...names));
  const reviews = quoted(relative(process.cwd(), bundledData("reviews")));
  return [
    `npx petl predict --base ${quoted(base)} --adapter ${below("adapters", "users/midwife")} --text "The baby is on its way."`,
    `npx petl train --base ${quoted(base)} --data ${reviews} --method dora --targets all-linear --lr 3e-3 --epochs 5 --out ${below("reviews-dora")}`,
    `npx petl merge --base ${quoted(base)} --adapter ${below("adapters", "questions")} --out ${below("questions-merged")}`,
  ];
}

/** A word of a command line, in quotes where a shell would part it. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
