import { InputError } from "../../errors.ts";
import type { ReadOptions } from "./read-options.ts";
import { refuseRows, type Table, table } from "./table.ts";
import { decodeText } from "./text.ts";

/**
 * CoNLL: a word a line with its tag in the last column, a blank line between sentences. Rows are `{ tokens, tags }`.
 * `-DOCSTART-` lines (CoNLL-2003) and comments (`# `) are left out.
 * @throws InputError: a line without a tag; no sentence at all.
 */
export function readConll(name: string, bytes: Uint8Array, { encoding }: ReadOptions = {}): Table {
  const rows: { tokens: string[]; tags: string[] }[] = [];
  const lines: number[] = [];
  const problems: string[] = [];
  let open = false;
  for (const [index, content] of decodeText(name, bytes, encoding).split(/\r?\n/).entries()) {
    const cells = content.trim().split(/\s+/);
    const outside = content.trim() === "" || content.startsWith("-DOCSTART-") || content.startsWith("# ");
    if (!outside && cells.length < 2) problems.push(`${name} line ${index + 1}: "${content}" has no tag`);
    if (!outside && !open) {
      rows.push({ tokens: [], tags: [] });
      lines.push(index + 1);
    }
    if (!outside) {
      rows.at(-1)!.tokens.push(cells[0]!);
      rows.at(-1)!.tags.push(cells.at(-1)!);
    }
    open = !outside;
  }
  refuseRows(problems);
  if (rows.length === 0) throw new InputError(`${name} is empty`);
  return table(name, ["tokens", "tags"], rows, lines);
}
