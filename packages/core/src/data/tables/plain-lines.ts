import { InputError } from "../../errors.ts";
import { type Table, table } from "./table.ts";
import { decodeText, linesOf } from "./text.ts";

/**
 * Plain text: every line that is not blank is a row `{ text }`, as Hugging Face's `text` loader reads it.
 * @throws InputError for a file of blank lines
 */
export function readPlainLines(name: string, bytes: Uint8Array): Table {
  const lines = [...linesOf(decodeText(name, bytes))];
  if (lines.length === 0) throw new InputError(`${name} is empty`);
  return table(
    name,
    ["text"],
    lines.map(([text]) => ({ text })),
    lines.map(([, number]) => number),
  );
}
