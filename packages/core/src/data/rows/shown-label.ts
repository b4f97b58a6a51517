import type { Label } from "./examples.ts";

/** Characters of the longest label that a line shows whole. */
const longest = 60;

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A label within one line: line ends and tabs as they are written in JSON, cut where it is long. */
export function shownLabel(label: Label): string {
  const text = String(label).replace(/[\n\r\t]/g, (sign) => escapes[sign] ?? sign);
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
