import { Matrix, SingularValueDecomposition } from "ml-matrix";
import type { Figure, Point } from "../figures/figure.ts";
import { viewsOf } from "../peft/phi.ts";
import { bootstrap, meanOver } from "../statistics/bootstrap.ts";
import type { Fitted } from "./bench.ts";
import { signed } from "./findings.ts";
import type { Finding, Measured, StudyRecord } from "./study.ts";

/** How many directions are kept of each training; digits of their coordinates. */
const [kept, digits] = [4, 4];

/** The largest right singular vectors of LoRA's A at the middle one of its layers: where its update reads. */
export function directionsOf({ phi }: Pick<Fitted, "phi">): Partial<Measured> {
  const views = Object.entries(viewsOf(phi.layout, phi.values)).filter(([name]) => name.endsWith(ending));
  const [middle, A] = views[Math.floor(views.length / 2)] ?? [];
  const rank = phi.layout.find((tensor) => tensor.name === middle)?.shape[0];
  if (middle === undefined || !A || rank === undefined) return {};
  const matrix = Matrix.from1DArray(rank, A.length / rank, Array.from(A));
  const { rightSingularVectors } = new SingularValueDecomposition(matrix, { autoTranspose: true });
  const vectors = Array.from({ length: Math.min(kept, rank) }, (_, at) =>
    rightSingularVectors.getColumn(at).map((value) => Number(value.toFixed(digits))),
  );
  return { leading_directions: { site: middle.slice(0, -ending.length), vectors } };
}

const ending = ".lora_A.weight";

/**
 * How much of the first directions of A lies in those of B, from 0 for none to 1 for all:
 * φ = ‖Aᵢᵀ Bᵢ‖² / i, the squared norm of all their cosines. Source: Hu et al. 2021, arXiv:2106.09685, section 7.2.
 */
export function subspaceSimilarity(A: readonly (readonly number[])[], B: readonly (readonly number[])[]): number {
  const cosines = A.flatMap((a) => B.map((b) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)));
  return cosines.reduce((sum, cosine) => sum + cosine * cosine, 0) / Math.min(A.length, B.length);
}

/** Two trainings on the same layers whose directions are compared. */
interface Pair {
  readonly called: string;
  readonly a: StudyRecord;
  readonly b: StudyRecord;
}

/**
 * Each rank beside the largest, and the largest beside itself, always with another seed: those of one seed start from the
 * same draws, and would share what they never learnt.
 */
function pairsOf(records: readonly StudyRecord[]): readonly Pair[] {
  const known = records.filter(({ leading_directions }) => leading_directions !== undefined);
  const largest = Math.max(...known.map(({ cell }) => Number(cell.rank)));
  const reference = known.filter(({ cell }) => cell.rank === largest);
  return reference.flatMap((b) =>
    known
      .filter(
        ({ cell, seed }) =>
          cell.targets === b.cell.targets && (cell.rank === largest ? seed > b.seed : seed !== b.seed),
      )
      .map((a) => ({ called: `ranks ${a.cell.rank} and ${largest}`, a, b })),
  );
}

/** φ of the first `count` directions of both. */
function similarityOf({ a, b }: Pair, count: number): number | undefined {
  const [A, B] = [a, b].map(({ leading_directions }) => leading_directions?.vectors.slice(0, count) ?? []);
  return A?.length === count && B?.length === count ? subspaceSimilarity(A, B) : undefined;
}

/** φ against the number of directions, in the mean over seeds and sets of layers. */
export function subspaceFigure(records: readonly StudyRecord[]): Figure {
  const pairs = pairsOf(records);
  const points = [...new Set(pairs.map(({ called }) => called))].flatMap((series) =>
    Array.from({ length: kept }, (_, at): Point | undefined => {
      const found = pairs.filter(({ called }) => called === series).flatMap((pair) => similarityOf(pair, at + 1) ?? []);
      return found.length === 0 ? undefined : { x: at + 1, y: meanOver(found), series };
    }).filter((point) => point !== undefined),
  );
  return {
    kind: "points",
    name: "subspace-similarity",
    points,
    title: "How much of the leading directions of LoRA's A trainings with two seeds share, at the middle adapted layer",
    x: { label: "leading directions" },
    y: { label: "shared part (1 is all of it)" },
  };
}

/** Whether the first direction is shared more than the mean of all that were kept: the paper's reading of its figure 3. */
export function subspaceFindings(records: readonly StudyRecord[]): readonly Finding[] {
  const pairs = pairsOf(records);
  return [...new Set(pairs.map(({ called }) => called))].flatMap((series): Finding[] => {
    const found = pairs
      .filter(({ called }) => called === series)
      .flatMap((pair) => {
        const [first, all] = [similarityOf(pair, 1), similarityOf(pair, kept)];
        return first === undefined || all === undefined ? [] : [first - all];
      });
    if (found.length < leastPairs) return [];
    const { mean, low, high } = bootstrap((rows) => meanOver(rows.map((row) => found[row] ?? 0)), {
      rows: found.length,
      seeds: 1,
    });
    return [
      {
        claim: `${series}: the first direction is shared more than the first ${kept} together`,
        holds: low > 0 ? true : high < 0 ? false : "undecided",
        evidence: `${signed(mean)} (95 %, bootstrap over ${found.length} pairs of trainings: ${signed(low)} to ${signed(high)})`,
      },
    ];
  });
}

const leastPairs = 5;
