import type { FigureTable } from "../figures/figure.ts";
import { joinSeeds } from "./rows.ts";
import type { Cell, Finding, Json, Study, StudyRecord } from "./study.ts";

/** How many of a study's cells were taken over from another one. */
export interface Taken {
  readonly from: string;
  readonly cells: number;
  /** all cells there are */
  readonly of: number;
}

/** What a study found: summary.json. */
export interface Summary {
  readonly study: string;
  readonly question: string;
  readonly source: string;
  readonly settings: Readonly<Record<string, Json>>;
  readonly rows: readonly {
    readonly cell: Cell;
    readonly mean: number;
    readonly low: number;
    readonly high: number;
    readonly seeds: number;
  }[];
  readonly findings: readonly Finding[];
  /** how many of its cells were taken over from other studies; left out where none was */
  readonly taken?: readonly Taken[];
  readonly table?: FigureTable;
}

/** The summary of a study's records, computed from them alone. */
export function summarise(
  study: Study,
  settings: Readonly<Record<string, Json>>,
  records: readonly StudyRecord[],
): Summary {
  const taken = takenAmong(records, records.length);
  return {
    study: study.name,
    question: study.question,
    source: study.source,
    settings,
    rows: joinSeeds(records).map(({ cell, mean, low, high, seeds }) => ({ cell, mean, low, high, seeds })),
    findings: study.findings(records),
    ...(taken.length > 0 && { taken }),
    ...(study.table && { table: study.table(records, settings) }),
    ...study.summary?.(records),
  };
}

/** Those of some records that were taken over, counted by the studies whose trainings they are. */
export function takenAmong(records: readonly StudyRecord[], of: number): readonly Taken[] {
  const counts = new Map<string, number>();
  for (const { taken_from: from } of records) if (from !== undefined) counts.set(from, (counts.get(from) ?? 0) + 1);
  return [...counts].map(([from, cells]) => ({ from, cells, of }));
}

/** In words: `12 of 85 cells taken from compare`. */
export const takenText = ({ from, cells, of }: Taken): string => `${cells} of ${of} cells taken from ${from}`;
