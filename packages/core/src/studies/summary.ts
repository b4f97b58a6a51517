import type { FigureTable } from "../figures/figure.ts";
import { joinSeeds } from "./rows.ts";
import type { Cell, Finding, Json, Study, StudyRecord } from "./study.ts";

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
  readonly table?: FigureTable;
}

/** The summary of a study's records, computed from them alone. */
export function summarise(
  study: Study,
  settings: Readonly<Record<string, Json>>,
  records: readonly StudyRecord[],
): Summary {
  return {
    study: study.name,
    question: study.question,
    source: study.source,
    settings,
    rows: joinSeeds(records).map(({ cell, mean, low, high, seeds }) => ({ cell, mean, low, high, seeds })),
    findings: study.findings(records),
    ...(study.table && { table: study.table(records, settings) }),
    ...study.summary?.(records),
  };
}
