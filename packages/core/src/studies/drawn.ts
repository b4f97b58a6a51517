import type { Figure, Point } from "../figures/figure.ts";
import type { JoinedRow } from "./rows.ts";

/** Rows by name with their intervals, in their order. */
export function categoryFigure(
  name: string,
  title: string,
  rows: readonly JoinedRow[],
  nameOf: (row: JoinedRow) => string,
): Figure {
  const items = rows.map((row) => ({ name: nameOf(row), ...pick(row) }));
  return { kind: "categories", name, title, y: scoreLabel(rows), items };
}

/** Rows as points with their intervals against a number, on a logarithmic axis where not said otherwise. */
export function scatterFigure(
  name: string,
  title: string,
  rows: readonly JoinedRow[],
  how: {
    readonly x: (row: JoinedRow) => number;
    readonly xLabel: string;
    /** of a point, beside it */
    readonly name?: (row: JoinedRow) => string;
    /** points of one series are joined by a line */
    readonly series?: (row: JoinedRow) => string;
    readonly log?: boolean;
  },
): Figure {
  const points = rows.map(
    (row): Point => ({
      x: how.x(row),
      series: how.series?.(row),
      name: how.name?.(row),
      y: row.mean,
      low: row.low,
      high: row.high,
    }),
  );
  const { log = true, xLabel } = how;
  return { kind: "points", name, title, x: { label: xLabel, log }, y: { label: scoreLabel(rows) }, points };
}

const pick = ({ mean, low, high }: JoinedRow) => ({ mean, low, high });

/** What the score is, with its unit. */
const scoreLabel = (rows: readonly JoinedRow[]): string => {
  const name = rows[0]?.first.score_name ?? "score";
  return name === "accuracy" ? "accuracy (share of rows)" : name.replaceAll("_", " ");
};
