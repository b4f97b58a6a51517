import { pearson } from "../objectives/metrics/metrics.ts";
import { bootstrap, type Interval } from "../statistics/bootstrap.ts";
import { shareRight } from "../statistics/interval.ts";
import { studentInterval } from "../statistics/student.ts";
import type { Cell, Json, Outcomes, StudyRecord } from "./study.ts";

/** A cell with its seeds joined. */
export interface JoinedRow extends Interval {
  readonly cell: Cell;
  /** their number */
  readonly seeds: number;
  readonly records: readonly StudyRecord[];
  readonly first: StudyRecord;
}

/** JSON with keys in order, so that equal settings are equal texts. */
export function canonical(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonical).join(",")}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(",")}}`;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

export const sameCell = (a: Cell, b: Cell): boolean => canonical(a) === canonical(b);

/**
 * One row a cell, with the interval over seeds and scoring rows; cells without a score have none. Numbers rise, texts come in
 * the order of their first records, whichever cell was done first.
 */
export function joinSeeds(records: readonly StudyRecord[]): readonly JoinedRow[] {
  const groups = new Map<string, StudyRecord[]>();
  for (const record of records) {
    const key = canonical(record.cell);
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  const inOrder = orderOf(records.map(({ cell }) => cell));
  const sorted = [...groups.values()].sort(([a], [b]) => (a && b ? inOrder(a.cell, b.cell) : 0));
  return sorted.flatMap((group) => {
    const [first] = group;
    if (!first || group.some(({ score, vectors_90 }) => (score ?? vectors_90 ?? null) === null)) return [];
    return [{ cell: first.cell, ...intervalOf(group), seeds: group.length, records: group, first }];
  });
}

/** Cells in the order of the first of their settings that differ; those without a setting stand in front of those with it. */
function orderOf(cells: readonly Cell[]): (a: Cell, b: Cell) => number {
  const places = new Map<string, Map<string, number>>();
  for (const [key, value] of cells.flatMap((cell) => Object.entries(cell))) {
    const known = places.get(key) ?? new Map<string, number>();
    if (value !== null && !known.has(canonical(value))) known.set(canonical(value), known.size);
    places.set(key, known);
  }
  return (a, b) => {
    for (const [key, known] of places) {
      const [one, other] = [a[key] ?? null, b[key] ?? null];
      const placeOf = (value: Json) => known.get(canonical(value)) ?? -1;
      const areNumbers = typeof one === "number" && typeof other === "number";
      const order = areNumbers ? one - other : placeOf(one) - placeOf(other);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** Wilson's interval for shares of rows that are right, the bootstrap's for every other score, Student's over seeds for counts of vectors. */
function intervalOf(group: readonly StudyRecord[]): Interval {
  const counts = group.flatMap(({ vectors_90 }) => vectors_90 ?? []);
  if (counts.length > 1) return studentInterval(counts);
  if (counts[0] !== undefined) return { mean: counts[0], low: counts[0], high: counts[0] };
  const right = group.map(({ outcomes }) => (outcomes && isShare(outcomes) ? outcomes.values : undefined));
  if (right.every((each) => each !== undefined)) {
    const { share, low, high } = shareRight(right.map((values) => values.map((value) => value === 1)));
    return { mean: share, low, high };
  }
  const { mean, low, high } = bootstrap(scoreOver(group), sizesOf(group));
  return { mean, low, high };
}

const isShare = ({ weights, actual }: Outcomes) => weights === undefined && actual === undefined;

/** How many seeds a cell has, and rows that all of them answered. */
export function sizesOf(group: readonly StudyRecord[]): { readonly rows: number; readonly seeds: number } {
  const rows = group.map(({ outcomes }) => outcomes?.values.length ?? 0);
  return { rows: new Set(rows).size === 1 ? (rows[0] ?? 0) : 0, seeds: group.length };
}

/** A cell's score over some rows with one of its seeds; without outcomes of rows, the whole score. */
export function scoreOver(group: readonly StudyRecord[]): (rows: readonly number[], seed: number) => number {
  return (rows, seed) => {
    const record = group[seed];
    const outcomes = record?.outcomes;
    if (!outcomes || rows.length === 0) return record?.score ?? 0;
    const { values, weights, actual } = outcomes;
    if (actual) {
      return pearson(
        rows.map((row) => values[row] ?? 0),
        rows.map((row) => actual[row] ?? 0),
      );
    }
    let [sum, weight] = [0, 0];
    for (const row of rows) {
      sum += values[row] ?? 0;
      weight += weights ? (weights[row] ?? 0) : 1;
    }
    return weight === 0 ? 0 : sum / weight;
  };
}
