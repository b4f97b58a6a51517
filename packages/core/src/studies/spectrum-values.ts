import type { Figure } from "../figures/figure.ts";
import { meanOver } from "../statistics/bootstrap.ts";
import { nameOf } from "./spectrum-names.ts";
import type { Cell, StudyRecord } from "./study.ts";

/** How the singular values of each kind of matrix fall, against the base's largest at the same site. */
export function valuesFigure(records: readonly StudyRecord[]): Figure {
  const largest = new Map(records.filter(isBase).map(({ cell, singular_values }) => [cell.site, singular_values?.[0]]));
  const drawn = records.filter(({ cell }) => cell.matrix !== "tuned");
  const points = [...new Set(drawn.map(({ cell }) => nameOf(cell)))].flatMap((series) => {
    const falls = drawn
      .filter(({ cell }) => nameOf(cell) === series)
      .map(({ cell, singular_values = [] }) => singular_values.map((value) => value / (largest.get(cell.site) ?? 1)));
    return numbersTo(Math.max(0, ...falls.map(({ length }) => length))).map((x) => ({
      x,
      y: meanOver(falls.flatMap((fall) => fall[x - 1] ?? [])),
      series,
    }));
  });
  return {
    kind: "points",
    name: "singular-values",
    title: "Singular values, largest first, mean over sites and seeds",
    x: { label: "number of the singular value", log: true },
    y: { label: "share of the base's largest singular value" },
    points,
  };
}

const isBase = ({ cell }: { readonly cell: Cell }) => cell.matrix === "base";

/** Some numbers from 1 to the last, evenly far from one another on a logarithmic axis. */
function numbersTo(last: number): readonly number[] {
  const steps = Array.from({ length: 1 + Math.ceil(4 * Math.log2(Math.max(1, last))) }, (_, at) => at);
  return [...new Set(steps.map((at) => Math.min(last, Math.round(2 ** (at / 4)))))].filter((number) => number > 0);
}
