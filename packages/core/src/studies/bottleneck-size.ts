import { trainOnce } from "./bench.ts";
import { scatterFigure } from "./drawn.ts";
import { type CellClaim, decided, smallDifference } from "./findings.ts";
import { atBestRate, withoutTries } from "./rates.ts";
import { triedRates, usualRate } from "./recipes.ts";
import { type JoinedRow, joinSeeds } from "./rows.ts";
import type { Budget, PlannedCell, Setup, Study, StudyRecord } from "./study.ts";

const bottleneckSizes: Readonly<Record<Budget, readonly number[]>> = {
  quick: [1, 4, 16, 64],
  standard: [1, 4, 16, 64, 256],
  paper: [1, 2, 4, 8, 16, 32, 64, 128, 256],
};

/** rates that are tried for each size and each k, as factors of the declared ones; where there are none, the usual one is taken */
const tries: Readonly<Record<Budget, readonly number[] | undefined>> = {
  quick: undefined,
  standard: [1, 4, 8],
  paper: [0.25, 0.5, 1, 2, 4, 8],
};

/**
 * Bottleneck adapters of every size against fine-tuning the top k layers, for every k. One rate does not suit them all: what
 * is best for a small bottleneck lets the largest diverge, so that each size and each k has its own best rate, as in the
 * paper. Standard has the powers of four among the paper's sizes, the least and the largest of them, which the claims compare,
 * every number of layers, and rates that `compare` tries as well; a quick look tries none.
 */
export const bottleneckSize: Study = {
  name: "bottleneck-size",
  question: "How small may the bottleneck be, and how many top layers must be fine-tuned to do as well?",
  source: "Houlsby et al. 2019, arXiv:1902.00751, section 3.4 and figure 4",
  plan: (setup, records) => [
    ...bottleneckSizes[setup.budget].flatMap((size) => cellsOf(setup, records, "bottleneck", { size })),
    ...Array.from({ length: setup.model.sizes.layers }, (_, k) =>
      cellsOf(setup, records, "top-layers", { count: k + 1 }),
    ).flat(),
  ],
  tellsTrainingOnly: () => true,
  work: trainOnce,
  figures: (records) => [
    scatterFigure("score-by-parameters", "Score against trained parameters, without the head", finalRows(records), {
      x: trainedOf,
      xLabel: "trained parameters, without the head",
      series: ({ cell }) => String(cell.series),
    }),
  ],
  findings(records) {
    const rows = finalRows(records);
    const sized = rows.filter(({ cell }) => cell.series === "bottleneck");
    const layers = rows.filter(({ cell }) => cell.series === "top-layers");
    return decided([...smallestAgainstLargest(sized), ...layers.flatMap((than) => atNoMore(sized, than))]);
  },
};

function cellsOf(
  setup: Setup,
  records: readonly StudyRecord[],
  method: "bottleneck" | "top-layers",
  options: Readonly<Record<string, number>>,
): readonly PlannedCell[] {
  const cell = { series: method, ...options };
  const factors = tries[setup.budget];
  const rates = factors ? triedRates(method, setup, factors) : [usualRate(method, setup)];
  return atBestRate(setup, records, { cell, method, options, rates, finals: () => [{ cell }] });
}

const finalRows = (records: readonly StudyRecord[]) => joinSeeds(withoutTries(records));
const trainedOf = ({ first }: JoinedRow) => first.trained_parameters;

function smallestAgainstLargest(sized: readonly JoinedRow[]): readonly CellClaim[] {
  const order = [...sized].sort((a, b) => trainedOf(a) - trainedOf(b));
  const [better, than] = [order[0], order.at(-1)];
  if (!better || !than || better === than) return [];
  return [
    {
      claim: `a bottleneck of size ${better.cell.size} is at most ${smallDifference} worse than one of ${than.cell.size}`,
      better,
      than,
      margin: smallDifference,
    },
  ];
}

/** The largest bottleneck that trains no more parameters than the top layers do. */
function atNoMore(sized: readonly JoinedRow[], than: JoinedRow): readonly CellClaim[] {
  const fitting = sized.filter((row) => trainedOf(row) <= trainedOf(than));
  const better = [...fitting].sort((a, b) => trainedOf(b) - trainedOf(a))[0];
  if (!better) return [];
  const [adapters, layers] = [trainedOf(better), trainedOf(than)].map((count) => count.toLocaleString("en-US"));
  return [
    {
      claim: `bottlenecks of size ${better.cell.size} (${adapters} parameters) score better than fine-tuning the top ${than.cell.count === 1 ? "layer" : `${than.cell.count} layers`} (${layers})`,
      better,
      than,
    },
  ];
}
