import type { FigureTable } from "../figures/figure.ts";
import { bootstrap } from "../statistics/bootstrap.ts";
import type { Bench } from "./bench.ts";
import { trainOnce } from "./bench.ts";
import { scatterFigure } from "./drawn.ts";
import { decided } from "./findings.ts";
import { declaredRate, fitOf, seedsOf } from "./recipes.ts";
import { type JoinedRow, joinSeeds, scoreOver, sizesOf } from "./rows.ts";
import type { Budget, Cell, Finding, Job, Measured, PlannedCell, Study, StudyRecord } from "./study.ts";

const kinds = ["did", "said"] as const;
type Kind = (typeof kinds)[number];

const dimensions: Readonly<Record<Budget, readonly number[]>> = {
  quick: [16, 128, 1024],
  standard: [16, 128, 1024, 8192],
  paper: [10, 30, 100, 300, 1000, 3000, 10_000, 30_000],
};

/** The share of the full score that counts as reached. */
const reached = 0.9;

/**
 * Fine-tuning in random subspaces of more and more dimensions, with and without a scale for each layer, all at the rate that
 * the method declares: P's rows have length 1, so that a step moves θ as far whatever the dimension. At standard each dimension
 * is eight times the one before, so that d90 is bounded within that factor at worst; the paper's grid goes by threes.
 */
export const intrinsicDimension: Study = {
  name: "intrinsic-dimension",
  question: "In how few random directions can the base be moved to reach 90 % of full fine-tuning's score?",
  source: "Aghajanyan et al. 2020, arXiv:2012.13255, section 4 and table 1",
  plan: (setup) =>
    seedsOf(setup).flatMap((seed): readonly PlannedCell[] => {
      const full = fitOf(setup, { method: "full" });
      return [
        { cell: { kind: "full", dimension: null }, seed, fit: full, steps: full.steps },
        ...kinds.flatMap((kind) =>
          dimensions[setup.budget].map((dimension) => {
            const fit = fitOf(setup, {
              method: "subspace",
              options: { dimension, structure: kind },
              lr: declaredRate("subspace"),
            });
            return { cell: { kind, dimension }, seed, fit, steps: fit.steps };
          }),
        ),
      ];
    }),
  tellsTrainingOnly: ({ kind }) => kind === "full",
  work,
  figures: (records) => [
    scatterFigure(
      "score-by-dimension",
      "Score against the number of trained directions, the head not counted; full is fine-tuning of all parameters",
      joinSeeds(records),
      {
        x: ({ cell, first }) => Number(cell.dimension ?? first.trained_parameters),
        xLabel: "dimension",
        series: ({ cell }) => String(cell.kind),
      },
    ),
  ],
  table: reachedAt,
  findings: (records) => findingsOf(records),
  summary: (records) => ({
    d90: Object.fromEntries(kinds.map((kind) => [kind, d90Of(kind, records)])),
  }),
};

/** As any training's; the numbers that were moved are the trained ones. */
async function* work(
  bench: Bench,
  job: Job,
): AsyncGenerator<{ readonly cell: Cell; readonly measured: Measured }, void, void> {
  for await (const { cell, measured } of trainOnce(bench, job)) {
    const { dimension } = cell;
    if (typeof dimension !== "number") yield { cell, measured };
    else {
      const trainable_ratio = dimension / measured.base_parameters;
      yield { cell, measured: { ...measured, trained_parameters: dimension, trainable_ratio } };
    }
  }
}

type Reached = { readonly [name in "value" | "low" | "high"]: number };

/**
 * The dimension at which 90 % of the full score is first reached, on a straight line over the logarithm between the tested
 * dimensions around it; its bounds are the percentiles of the bootstrap's draws in which it is reached. Null where no
 * tested dimension reaches it.
 */
function d90Of(kind: Kind, records: readonly StudyRecord[]): Reached | null {
  const full = joinSeeds(records).find(({ cell }) => cell.kind === "full");
  const tested = testedOf(kind, records);
  if (!full) return null;
  const value = crossing(tested.map(pointOf), targetOf(full.mean));
  return value === undefined ? null : boundsOf(full, tested, value);
}

/** A structure's dimensions, the smallest first. */
const testedOf = (kind: Kind, records: readonly StudyRecord[]): readonly JoinedRow[] =>
  joinSeeds(records)
    .filter(({ cell }) => cell.kind === kind)
    .sort((a, b) => Number(a.cell.dimension) - Number(b.cell.dimension));

/** The scores of the dimensions, and d90 with its interval, a row a structure. */
function reachedAt(records: readonly StudyRecord[]): FigureTable {
  const scores = new Map(
    joinSeeds(records).map(({ cell, mean }) => [`${cell.kind} ${cell.dimension}`, mean.toFixed(4)]),
  );
  const tried = [
    ...new Set(kinds.flatMap((kind) => testedOf(kind, records).map(({ cell }) => Number(cell.dimension)))),
  ];
  const rows = kinds.map((kind) => {
    const smallest = Number(testedOf(kind, records)[0]?.cell.dimension);
    const text = (dimension: number) => (dimension <= smallest ? `at most ${smallest}` : String(Math.round(dimension)));
    const found = d90Of(kind, records);
    return [
      ...[kind, ...tried.map((dimension) => scores.get(`${kind} ${dimension}`) ?? ""), scores.get("full null") ?? ""],
      ...(found ? [found.value, found.low, found.high].map(text) : ["not reached", "", ""]),
    ];
  });
  const columns = [
    "structure",
    ...tried.map((dimension) => `score with ${dimension}`),
    "of full",
    "d90",
    "95 % from",
    "to",
  ];
  return { columns, rows };
}

const pointOf = ({ cell, mean }: JoinedRow) => ({ dimension: Number(cell.dimension), score: mean });

/** A score below 0, as a loss with the other sign, is reached when it is a tenth below. */
const targetOf = (full: number) => (full >= 0 ? reached * full : full / reached);

/** Where the score first reaches the target; undefined where it never does. */
function crossing(
  points: readonly { readonly dimension: number; readonly score: number }[],
  target: number,
): number | undefined {
  const at = points.findIndex(({ score }) => score >= target);
  const [before, here] = [points[at - 1], points[at]];
  if (!here) return undefined;
  if (!before) return here.dimension;
  const share = (target - before.score) / (here.score - before.score);
  const [from, to] = [Math.log(before.dimension), Math.log(here.dimension)];
  return Math.min(here.dimension, Math.max(before.dimension * (1 + 1e-9), Math.exp(from + share * (to - from))));
}

/** The bootstrap's interval of the dimension, in the logarithm; a draw that never reaches counts as the largest tested one. */
function boundsOf(full: JoinedRow, tested: readonly JoinedRow[], value: number): Reached {
  const wanted = scoreOver(full.records);
  const scores = tested.map((row) => scoreOver(row.records));
  const all = [full, ...tested].map(({ records }) => sizesOf(records));
  const rows = Math.min(...all.map((each) => each.rows));
  const seeds = Math.min(...all.map((each) => each.seeds));
  const largest = Number(tested.at(-1)?.cell.dimension ?? value);
  const logarithm = (chosen: readonly number[], seed: number) => {
    const points = tested.map((row, at) => ({
      dimension: Number(row.cell.dimension),
      score: scores[at]?.(chosen, seed) ?? 0,
    }));
    return Math.log(crossing(points, targetOf(wanted(chosen, seed))) ?? largest);
  };
  const { low, high } = bootstrap(logarithm, { rows, seeds });
  const [from, to] = [low, high].map((bound) => Number(Math.exp(bound).toPrecision(12))); // 16 is 15.999999999999998 otherwise
  return { value, low: Math.min(value, from ?? value), high: Math.max(value, to ?? value) };
}

function findingsOf(records: readonly StudyRecord[]): readonly Finding[] {
  const rows = joinSeeds(records);
  const full = rows.find(({ cell }) => cell.kind === "full");
  const largest = Math.max(...rows.map(({ cell }) => Number(cell.dimension ?? 0)));
  const at = (kind: string) => rows.find(({ cell }) => cell.kind === kind && cell.dimension === largest);
  const margin = full ? Math.abs(full.mean) * (1 - reached) : 0;
  return decided([
    ...kinds.map((kind) => ({
      claim: `${kind}: ${largest} random directions reach 90 % of full fine-tuning's score`,
      better: at(kind),
      than: full,
      margin,
    })),
    { claim: `with ${largest} directions, scales of layers (said) help`, better: at("said"), than: at("did") },
  ]);
}
