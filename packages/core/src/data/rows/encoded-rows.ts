import type { EncodedExample } from "./encode.ts";

/** Rows that lie somewhere else, on a disk for example, and are read one by one, so that they are never all in memory. */
export interface StoredRows {
  /** number of rows */
  readonly length: number;
  /** tokens of each row, known before any is read */
  readonly lengths: ArrayLike<number>;
  /** whether lengths are only near those of the rows; they are exact where left out */
  readonly areEstimates?: boolean;
  /** The row at a place counted from 0. */
  at(row: number): Promise<EncodedExample>;
}

/** Rows to train or evaluate on: in memory, or read by position. */
export type EncodedRows = readonly EncodedExample[] | StoredRows;

/** Tokens of each row. */
export const lengthsOf = (rows: EncodedRows): ArrayLike<number> =>
  "lengths" in rows ? rows.lengths : rows.map(({ inputIds }) => inputIds.length);

/** Tokens of the longest row. */
export const longestOf = (rows: EncodedRows): number =>
  Array.from(lengthsOf(rows)).reduce((longest, length) => Math.max(longest, length), 0);

/** The rows at some places, in that order. */
export async function rowsAt(rows: EncodedRows, places: readonly number[]): Promise<readonly EncodedExample[]> {
  const found = await Promise.all(places.map((place) => rows.at(place)));
  return found.filter((row) => row !== undefined);
}

/** Some of the rows, by their places. */
export function someRows(rows: StoredRows, places: ArrayLike<number>): StoredRows {
  return {
    length: places.length,
    lengths: Uint32Array.from(places, (place) => rows.lengths[place] ?? 0),
    ...(rows.areEstimates && { areEstimates: true }),
    at: (row) => rows.at(places[row] ?? -1),
  };
}

/** The same rows, each changed as it is read, in a way that leaves its length. */
export function changedRows(
  rows: EncodedRows,
  change: (example: EncodedExample, row: number) => EncodedExample,
): EncodedRows {
  if (!("lengths" in rows)) return rows.map(change);
  return { ...rows, at: async (row) => change(await rows.at(row), row) };
}
