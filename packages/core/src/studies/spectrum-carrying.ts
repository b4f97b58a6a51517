import type { Figure } from "../figures/figure.ts";
import { meanOver } from "../statistics/bootstrap.ts";
import { leastSites, middleRange, nameOf } from "./spectrum-names.ts";
import type { Cell, Finding, StudyRecord } from "./study.ts";

/** How many singular vectors carry each kind of matrix. */
export const carryingFigure = (records: readonly StudyRecord[]): Figure => ({
  kind: "categories",
  name: "vectors-90",
  items: sharesOf(records),
  title:
    "Singular vectors that carry 90 % of the squared singular values, mean over sites, with the range of the middle 90 % of sites",
  y: "share of all singular vectors",
});

/** Of every kind of matrix the share of singular vectors that carry 90 %, over sites and seeds. */
function sharesOf(records: readonly StudyRecord[]) {
  const lengths = new Map(
    records
      .filter(({ cell }) => cell.matrix === "base")
      .map(({ cell, singular_values }) => [cell.site, singular_values?.length ?? 1]),
  );
  const kinds = [...new Set(records.map(({ cell }) => nameOf(cell)))];
  return kinds.map((name) => {
    const shares = records
      .filter(({ cell }) => nameOf(cell) === name)
      .map(({ cell, vectors_90 = 0 }) => vectors_90 / (lengths.get(cell.site) ?? 1));
    return middleRange(name, shares);
  });
}

/** A claim of how many vectors a kind of matrix needs beside the base's own at the same site. */
interface SiteClaim {
  readonly claim: string;
  readonly is: (cell: Cell) => boolean;
  readonly agrees: (ratio: number) => boolean;
}

/** Nearly all and hardly any of the sites, between which nothing is decided. */
const [most, few] = [0.9, 0.1];

/** What the counts say of the paper's claims, site by site. */
export function carryingFindings(records: readonly StudyRecord[]): readonly Finding[] {
  const base = new Map(
    records.filter(({ cell }) => cell.matrix === "base").map(({ cell, vectors_90 }) => [cell.site, vectors_90 ?? 0]),
  );
  const trained = [
    ...new Set(
      records.filter(({ cell }) => cell.method !== null).map(({ cell }) => nameOf({ ...cell, matrix: "update" })),
    ),
  ];
  const claims = trained.flatMap((name): readonly SiteClaim[] => {
    const called = name.replace("update, ", "");
    const is = (matrix: string) => (cell: Cell) =>
      cell.matrix === matrix && nameOf({ ...cell, matrix: "update" }) === name;
    return [
      {
        claim: `the update of ${called} needs at least half as many singular vectors as the base's matrix`,
        is: is("update"),
        agrees: (ratio: number) => ratio >= 0.5,
      },
      {
        claim: `the tuned matrix of ${called} needs as many singular vectors as the base's, within a tenth`,
        is: is("tuned"),
        agrees: (ratio: number) => Math.abs(ratio - 1) <= 0.1,
      },
    ];
  });
  return claims.map(({ claim, is, agrees }) => {
    const ratios = records
      .filter(({ cell }) => is(cell))
      .map(({ cell, vectors_90 = 0 }) => vectors_90 / (base.get(cell.site) ?? 1));
    const count = ratios.filter(agrees).length;
    const share = count / Math.max(1, ratios.length);
    const evidence = `so at ${count} of ${ratios.length} sites and seeds; ${meanOver(ratios).toFixed(2)} times as many in the mean`;
    const holds = ratios.length < leastSites ? "undecided" : share >= most ? true : share <= few ? false : "undecided";
    return { claim, holds, evidence };
  });
}
