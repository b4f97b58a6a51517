import { expect, test } from "vitest";
import { intrinsicDimension } from "./intrinsic-dimension.ts";
import type { Cell, StudyRecord } from "./study.ts";

const rows = 400;

/** Three seeds of a cell that answer a share of the rows, the first ones, as they should be answered. */
const records = (cell: Cell, share: number): readonly StudyRecord[] =>
  [0, 1, 2].map((seed) => {
    const values = Array.from({ length: rows }, (_, row) => (row < share * rows ? 1 : 0));
    return { cell, seed, score: share, outcomes: { values } } as unknown as StudyRecord;
  });

/** A study in which directions without scales score as given, those with scales 0.5, and full fine-tuning 0.8. */
const found = (did: Readonly<Record<number, number>>) => [
  ...records({ kind: "full", dimension: null }, 0.8),
  ...Object.entries(did).flatMap(([dimension, share]) => records({ kind: "did", dimension: Number(dimension) }, share)),
  ...[16, 8192].flatMap((dimension) => records({ kind: "said", dimension }, 0.5)),
];

const d90 = (did: Readonly<Record<number, number>>) => intrinsicDimension.summary?.(found(did)).d90;

test.each([
  ["the second", { 16: 0.5, 128: 0.75, 1024: 0.8 }, 16, 128],
  ["the last", { 16: 0.5, 128: 0.6, 1024: 0.73 }, 128, 1024],
  ["the first", { 16: 0.73, 128: 0.6, 1024: 0.8 }, 15, 16],
])("d90 lies above the last dimension before %s, where 90 %% is reached, and at most there", (_, did, above, most) => {
  const { value, low, high } = (d90(did) as { did: Record<"value" | "low" | "high", number> }).did;
  expect(value).toBeGreaterThan(above);
  expect(value).toBeLessThanOrEqual(most);
  expect(low).toBeLessThanOrEqual(value);
  expect(high).toBeGreaterThanOrEqual(value);
  expect(Number.isInteger(low) || low > 16).toBe(true); // the smallest dimension is itself, with no rounding behind it
});

test("the table says where it is only known to lie below what was tried, and where nothing that was tried suffices", () => {
  const cells = (did: Readonly<Record<number, number>>) => intrinsicDimension.table?.(found(did), {}).rows;
  expect(cells({ 16: 0.79, 128: 0.785 })).toEqual([
    ["did", "0.7900", "0.7850", "", "0.8000", "at most 16", "at most 16", "at most 16"],
    ["said", "0.5000", "", "0.5000", "0.8000", "not reached", "", ""],
  ]);
  expect(Number(cells({ 16: 0.7, 128: 0.74 })?.[0]?.at(-3))).toBe(45); // 16 · 8 ** (0.02 / 0.04)
});
