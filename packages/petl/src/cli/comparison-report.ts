import type { Comparison } from "@petl/core";
import { tableLines } from "./evaluation-report.ts";

/** What a comparison of two adapters comes to, for people. */
export function* comparisonLines(compared: Comparison, [first, second]: readonly [string, string]): Generator<string> {
  const { score_name: name, examples, difference, rows, p } = compared;
  const [low, high] = difference.interval;
  yield* tableLines([
    ["adapter", name],
    [first, shown(compared.first[name])],
    [second, shown(compared.second[name])],
  ]).slice(1);
  yield `difference ${signed(difference.value)} (95 %: ${signed(low)} to ${signed(high)}), ${examples} rows, the same for both`;
  if (rows) yield* agreementTable(rows);
  yield verdict(compared, [first, second]);
  yield rows ? `McNemar's exact test: p = ${shown(p)}` : `paired bootstrap over rows: p = ${shown(p)}`;
}

const agreementTable = (rows: NonNullable<Comparison["rows"]>): readonly string[] =>
  tableLines([
    ["", "second right", "second wrong"],
    ["first right", String(rows.both_right), String(rows.only_first)],
    ["first wrong", String(rows.only_second), String(rows.both_wrong)],
  ]);

function verdict(
  { differs, score_name: name, difference: { value } }: Comparison,
  [first, second]: readonly [string, string],
): string {
  if (!differs)
    return "these rows do not tell the two apart: as large a difference comes by chance more often than once in 20";
  const secondIsBetter = name === "accuracy" ? value > 0 : value < 0;
  return `they differ: ${secondIsBetter ? second : first} is better`;
}

const shown = (value: number | undefined) =>
  value === undefined ? "" : value !== 0 && value < 1e-4 ? value.toExponential(1) : value.toFixed(4);
const signed = (value: number) => `${value >= 0 ? "+" : ""}${value.toFixed(4)}`;
