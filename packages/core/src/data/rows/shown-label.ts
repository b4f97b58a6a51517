import { escapedLetters } from "../tables/text.ts";
import type { Label } from "./examples.ts";

/** Characters of the longest label that a line shows whole. */
const longest = 60;

/** What would end a line, steer a terminal or turn the direction of writing; joiners are letters of some scripts. */
const unseen = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A label within one line: letters that nobody sees as they are written in JSON, cut where it is long. */
export function shownLabel(label: Label): string {
  const text = escapedLetters(String(label), unseen);
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
