import { InputError } from "../../errors.ts";
import type { EncodedExample } from "../rows/encode.ts";

/**
 * Examples put into as few rows of `room` tokens as best fit, the longest first, finds (Johnson 1973, MIT MAC TR-109):
 * each goes where it leaves the least room. Every token says of which example it is, counted from 1 in each row, so that
 * none is attended to from another. An example that is longer than a row stays alone. Rows come in the order of their
 * first examples, and the same examples always make the same rows.
 *
 * @throws InputError for examples that hide tokens of their own, whose places would move
 */
export function packExamples(examples: readonly EncodedExample[], room: number): readonly EncodedExample[] {
  const masked = examples.findIndex(({ attentionMask }) => attentionMask?.includes(0));
  if (masked >= 0)
    throw new InputError(`row ${masked + 1} hides some of its tokens by its attention_mask; such rows can't be packed`);
  const longestFirst = [...examples.keys()].sort((a, b) => lengthAt(examples, b) - lengthAt(examples, a));
  const byRoom = new Map<number, number[][]>();
  const rows: number[][] = [];
  for (const place of longestFirst) {
    const length = lengthAt(examples, place);
    let left = length;
    while (left <= room && !byRoom.get(left)?.length) left++;
    const row = byRoom.get(left)?.pop() ?? [];
    if (row.length === 0) rows.push(row);
    row.push(place);
    const free = (row.length === 1 ? room : left) - length;
    byRoom.set(free, [...(byRoom.get(free) ?? []), row]);
  }
  for (const row of rows) row.sort((a, b) => a - b);
  rows.sort(([a = 0], [b = 0]) => a - b);
  return rows.map((row) => joined(row.flatMap((place) => examples[place] ?? [])));
}

const lengthAt = (examples: readonly EncodedExample[], place: number) => examples[place]?.inputIds.length ?? 0;

/** One row of several examples, one behind the other. */
function joined(examples: readonly EncodedExample[]): EncodedExample {
  const targets = examples.flatMap(({ target }) => (target?.kind === "tokens" ? [target.ids] : []));
  return {
    inputIds: behindOneAnother(examples.map(({ inputIds }) => inputIds)),
    documents: behindOneAnother(examples.map(({ inputIds }, i) => inputIds.map(() => i + 1))),
    ...(targets.length === examples.length && { target: { kind: "tokens", ids: behindOneAnother(targets) } }),
  };
}

function behindOneAnother(parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
