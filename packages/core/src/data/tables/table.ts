import { refuse } from "../../errors.ts";

/** Rows of one file, each a record by column name. Values are as the file has them: CSV and TSV give strings only. */
export interface Table {
  /** The file's name, for messages. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** the names of a column's classes in their order, where the file says them */
  readonly classes?: ReadonlyMap<string, readonly string[]>;
  /** false where a value's type is only how a cell was typed, so that a number is a text where texts are asked for */
  readonly isTyped?: boolean;
  /** what its reader knows of it that a user should, in words */
  readonly remarks?: readonly string[];
  /** The line, counted from 1, on which row `row` (from 0) begins; in Parquet, which has no lines, the row from 1. */
  lineOf(row: number): number;
  /** Where a row stands, in words: `train.tsv line 3`. */
  placeOf(row: number): string;
}

/** A table from its parts; `unit` is what `lines` counts. */
export function table(
  name: string,
  columns: readonly string[],
  rows: Table["rows"],
  lines: ArrayLike<number>,
  unit: "line" | "row" = "line",
): Table {
  const lineOf = (row: number) => lines[row] ?? 0;
  return { name, columns, rows, lineOf, placeOf: (row) => `${name} ${unit} ${lineOf(row)}` };
}

/** Every key of the rows, in the order in which they first appear. */
export function keysOf(rows: Table["rows"]): string[] {
  const keys = new Set<string>();
  for (const row of rows) for (const key of Object.keys(row)) keys.add(key);
  return [...keys];
}

/** At most ten problems and the number of the rest, so that a broken file of a million rows stays readable. */
export function firstProblems(problems: readonly string[], most = 10): readonly string[] {
  if (problems.length <= most) return problems;
  return [...problems.slice(0, most), `and ${problems.length - most} more like these`];
}

/** Gathers the problems of a file's rows; of those past the tenth only the number is kept. */
export interface RowProblems {
  add(problem: string): void;
  /** Throws one InputError with all of them, or returns where there is none. */
  refuse(): void;
}

export function rowProblems(most = 10): RowProblems {
  const shown: string[] = [];
  let more = 0;
  return {
    add(problem) {
      if (shown.length < most) shown.push(problem);
      else more++;
    },
    refuse: () => refuse(more === 0 ? shown : [...shown, `and ${more} more like these`]),
  };
}

/** Throws the problems of a file, at most ten of them in words. */
export function refuseRows(problems: Iterable<string>): void {
  const gathered = rowProblems();
  for (const problem of problems) gathered.add(problem);
  gathered.refuse();
}
