import { expect, test } from "vitest";
import { joinSeeds } from "./rows.ts";
import type { Cell, StudyRecord } from "./study.ts";

const record = (cell: Cell, seed = 0) => ({ cell, seed, score: 0.5 }) as unknown as StudyRecord;
const cellsOf = (cells: readonly Cell[]) => joinSeeds(cells.map((cell) => record(cell))).map(({ cell }) => cell);

test("cells stand by their numbers, and by when a text was first met, whichever was done first", () => {
  const wanted: readonly Cell[] = [
    { method: "head" },
    { method: "lora", rate: null },
    { method: "lora", rate: 0.001 },
    { targets: "q", rank: 1 },
    { targets: "q", rank: 8 },
    { targets: "q", rank: 64 },
    { targets: "k", rank: 8 },
  ];
  const doneAs = (order: readonly number[]) => cellsOf(order.flatMap((at) => wanted.slice(at, at + 1)));
  expect(doneAs([4, 0, 6, 5, 3, 2, 1])).toEqual(wanted);
  expect(doneAs([6, 0, 2, 1, 5, 4, 3])).toEqual([...wanted.slice(0, 3), ...wanted.slice(6), ...wanted.slice(3, 6)]);
});
