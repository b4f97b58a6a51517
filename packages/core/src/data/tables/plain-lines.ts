import { InputError } from "../../errors.ts";
import type { ReadOptions } from "./read-options.ts";
import { type Table, table } from "./table.ts";
import { decodeText, linesOf } from "./text.ts";

/**
 * Plain text: a row of `text` a line, as Hugging Face's datasets read it; blank lines are left out.
 * @throws InputError where no line has a text
 */
export function readPlainLines(name: string, bytes: Uint8Array, { encoding }: ReadOptions = {}): Table {
  const lines = [...linesOf(decodeText(name, bytes, encoding))];
  if (lines.length === 0) throw new InputError(`${name} is empty`);
  return table(
    name,
    ["text"],
    lines.map(([text]) => ({ text })),
    Uint32Array.from(lines, ([, line]) => line),
  );
}
