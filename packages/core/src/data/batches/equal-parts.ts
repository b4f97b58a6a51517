/**
 * Deals a batch's rows into at most so many parts that cost about the same: rows of similar length come together, and the
 * largest part, padded to its longest row, is as small as it can be. The rows of each part are in the batch's order.
 */
export function equalParts(lengths: ArrayLike<number>, parts: number): readonly (readonly number[])[] {
  const rows = Array.from({ length: lengths.length }, (_, row) => row);
  if (parts <= 1 || rows.length <= 1) return [rows];
  const byLength = [...rows].sort((a, b) => lengths[a]! - lengths[b]!);
  let [least, most] = [1, rows.length * Math.max(1, lengths[byLength.at(-1) ?? 0] ?? 0)];
  while (least < most) {
    const middle = Math.floor((least + most) / 2);
    if (dealt(byLength, lengths, middle).length <= parts) most = middle;
    else least = middle + 1;
  }
  return dealt(byLength, lengths, most).map((part) => [...part].sort((a, b) => a - b));
}

/** Rows, the shortest first, in parts of which none has more tokens with its padding; a row alone may have. */
function dealt(byLength: readonly number[], lengths: ArrayLike<number>, tokens: number): number[][] {
  const parts: number[][] = [];
  for (const row of byLength) {
    const part = parts.at(-1);
    if (part && (part.length + 1) * lengths[row]! <= tokens) part.push(row);
    else parts.push([row]);
  }
  return parts;
}
