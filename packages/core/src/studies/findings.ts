import { bootstrap, holm } from "../statistics/bootstrap.ts";
import { type JoinedRow, joinSeeds, scoreOver, sizesOf } from "./rows.ts";
import type { Cell, Finding, StudyRecord } from "./study.ts";

/** A claim that one cell scores better than another, or at most `margin` worse. */
export interface CellClaim {
  readonly claim: string;
  readonly better: JoinedRow | undefined;
  readonly than: JoinedRow | undefined;
  /** how much worse still counts as good; 0 where left out */
  readonly margin?: number;
}

/** Fewer scoring rows, or a single seed, decide nothing. */
const leastRows = 30;
const leastSeeds = 2;
const level = 0.05;

/**
 * Answers claims from the scores on the same rows with the same seeds, in pairs, corrected together by Holm's method: true
 * or false where the difference is told from chance at 5 %, else undecided, as where rows or seeds are too few.
 */
export function decided(comparisons: readonly CellClaim[]): readonly Finding[] {
  const tested = comparisons.map(({ better, than, margin = 0 }) => better && than && tested1(better, than, margin));
  const corrected = holm(tested.flatMap((each) => each?.p ?? []));
  let next = 0;
  return comparisons.map(({ claim, better, than, margin = 0 }, i) => {
    const each = tested[i];
    if (!each || !better || !than) return { claim, holds: "undecided", evidence: "its cells are not all there" };
    const p = corrected[next++] ?? 1;
    const { rows, seeds } = sharedSizes(better, than);
    const few = [
      ...(seeds < leastSeeds ? [`fewer than ${leastSeeds} seeds`] : []),
      ...(rows < leastRows ? [`fewer than ${leastRows} scoring rows that can be paired`] : []),
    ];
    const holds = few.length > 0 || p >= level ? "undecided" : each.mean > -margin;
    const numbers = `difference ${signed(each.mean)} (95 %: ${signed(each.low)} to ${signed(each.high)}), ${chanceText(p, comparisons.length)}${margin === 0 ? "" : ` against ${signed(-margin)}`}, ${rows} rows, ${seeds} ${seeds === 1 ? "seed" : "seeds"}`;
    return { claim, holds, evidence: [numbers, ...few].join("; ") };
  });
}

/** How likely what was found is by chance, of so many claims that are tested together. */
export const chanceText = (p: number, claims: number): string =>
  `p = ${p.toPrecision(2)}${claims > 1 ? " after Holm's correction" : ""}`;

function tested1(better: JoinedRow, than: JoinedRow, margin: number) {
  const [a, b] = [scoreOver(better.records), scoreOver(than.records)];
  return bootstrap((rows, seed) => a(rows, seed) - b(rows, seed), sharedSizes(better, than), -margin);
}

function sharedSizes(a: JoinedRow, b: JoinedRow) {
  const [one, other] = [sizesOf(a.records), sizesOf(b.records)];
  return { rows: one.rows === other.rows ? one.rows : 0, seeds: Math.min(one.seeds, other.seeds) };
}

export const signed = (value: number): string => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(3)}`;

/** Two points of accuracy: what counts as no difference that matters. */
export const smallDifference = 0.02;

/** For every other cell the claim that it comes within two points of the reference. */
export function comparedWith(
  records: readonly StudyRecord[],
  reference: { readonly is: (cell: Cell) => boolean; readonly called: string },
  nameOf: (cell: Cell) => string,
): readonly Finding[] {
  const rows = joinSeeds(records);
  const than = rows.find(({ cell }) => reference.is(cell));
  const others = rows.filter((row) => row !== than);
  return decided(
    others.map((better) => ({
      claim: `${nameOf(better.cell)} is at most ${smallDifference} worse than ${reference.called}`,
      better,
      than,
      margin: smallDifference,
    })),
  );
}
