import { fitOf, seedsOf } from "./recipes.ts";
import { sameCell } from "./rows.ts";
import type { Cell, Fit, FitRows, Json, PlannedCell, Setup, StudyRecord } from "./study.ts";

/** Trainings for which one rate is chosen. */
interface RateSearch {
  /** the settings that tell their tries from the study's others */
  readonly cell: Cell;
  readonly method: string;
  readonly options: Readonly<Record<string, Json>>;
  /** those to choose from, ascending; a single one is not tried */
  readonly rates: readonly number[];
  /** what is trained at the chosen rate, with every seed; the rate is null while it is not known */
  readonly finals: (lr: number | null) => readonly { readonly cell: Cell; readonly rows?: FitRows }[];
}

/**
 * Every rate with the first seed on four fifths of the training rows, each try a cell of its own, and at the rate that does
 * best on the last fifth the finals on all of them. Nothing is chosen on the rows that scores are of.
 */
export function atBestRate(
  setup: Setup,
  records: readonly StudyRecord[],
  { cell, method, options, rates, finals }: RateSearch,
): readonly PlannedCell[] {
  const trainingAt = (rate: number, rows?: FitRows): Fit =>
    fitOf(setup, { method, options, lr: rate, ...(rows && { rows }) });
  const tried = rates.length === 1 ? [] : rates.map((rate) => ({ ...cell, lr: rate, rows: "selection" }));
  const lr = tried.length === 0 ? rates[0] : bestRate(tried, records);
  return [
    ...tried.map((each): PlannedCell => {
      const fit = trainingAt(each.lr, "selection");
      return { cell: each, seed: 0, fit, steps: fit.steps };
    }),
    ...finals(lr ?? null).flatMap((final) =>
      seedsOf(setup).map((seed): PlannedCell => {
        const fit = trainingAt(lr ?? rates[0] ?? 0, final.rows);
        return { cell: final.cell, seed, fit: lr === undefined ? { waits: fit } : fit, steps: fit.steps };
      }),
    ),
  ];
}

/** The rate with the best held-out score, the smallest of several; undefined while one is not known. */
function bestRate(tried: readonly Cell[], records: readonly StudyRecord[]): number | undefined {
  const found = tried.map((cell) => records.find((record) => sameCell(record.cell, cell)));
  if (found.some((record) => record === undefined)) return undefined;
  const scores = found.map((record) => record?.held_out_score ?? Number.NEGATIVE_INFINITY); // none where it diverged
  return Number(tried[scores.indexOf(Math.max(...scores))]?.lr);
}

/** The records of what was trained on all rows that it was to have; tries of rates belong to no figure and no claim. */
export const withoutTries = (records: readonly StudyRecord[]): readonly StudyRecord[] =>
  records.filter(({ cell }) => cell.rows !== "selection");
