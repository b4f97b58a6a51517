import { InputError } from "../errors.ts";
import { trainOnce } from "./bench.ts";
import { scatterFigure } from "./drawn.ts";
import { decided } from "./findings.ts";
import { atBestRate, withoutTries } from "./rates.ts";
import { triedRates, usualOptions, usualRate } from "./recipes.ts";
import { joinSeeds } from "./rows.ts";
import type { Budget, PlannedCell, Setup, Study, StudyRecord } from "./study.ts";

const own: Readonly<Record<Budget, readonly string[]>> = {
  quick: ["head", "lora", "full"],
  standard: ["head", "bitfit", "bottleneck", "full"],
  paper: ["head", "bitfit", "bottleneck", "lora", "full"],
};

/** shares of the training rows */
const shares: Readonly<Record<Budget, readonly number[]>> = {
  quick: [1 / 4, 1 / 2, 1],
  standard: [1 / 32, 1 / 8, 1 / 2, 1],
  paper: [1 / 128, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1],
};

/**
 * Methods on more and more training rows, the fewer among the more, with as many steps, each method at the rate that is best
 * for it on four fifths of all rows. Standard has the paper's method, the head alone, one adapter and full fine-tuning, from
 * a thirty-second of the rows on; a quick look tries no rate.
 */
export const dataSize: Study = {
  name: "data-size",
  question: "How many training rows does each method need, and from how many on does full fine-tuning win?",
  source: "Ben Zaken et al. 2021, arXiv:2106.10199, section 4.3 and figure 2",
  methods: own,
  plan: (setup, records) => setup.methods.flatMap((method) => cellsOf(method, setup, records)),
  tellsTrainingOnly: () => true,
  work: trainOnce,
  figures: (records) => [
    scatterFigure("score-by-rows", "Score against training rows", joinSeeds(withoutTries(records)), {
      x: ({ cell }) => Number(cell.rows),
      xLabel: "training rows",
      series: ({ cell }) => String(cell.method),
    }),
  ],
  findings(records) {
    const rows = joinSeeds(withoutTries(records));
    const full = rows.filter(({ cell }) => cell.method === "full");
    return decided(
      full.flatMap((better) =>
        rows
          .filter(({ cell }) => cell.rows === better.cell.rows && cell.method !== "full")
          .map((than) => ({
            claim: `with ${better.cell.rows} training rows full fine-tuning scores better than ${than.cell.method}`,
            better,
            than,
          })),
      ),
    );
  },
};

function cellsOf(method: string, setup: Setup, records: readonly StudyRecord[]): readonly PlannedCell[] {
  const rates = setup.budget === "quick" ? [usualRate(method, setup)] : triedRates(method, setup);
  const finals = () => rowCounts(setup).map((rows) => ({ cell: { method, rows }, rows }));
  return atBestRate(setup, records, { cell: { method }, method, options: usualOptions(method), rates, finals });
}

/** Numbers of rows that hold every label, the largest all rows. */
function rowCounts({ budget, rows, fewestRows }: Setup): readonly number[] {
  const counts = [...new Set(shares[budget].map((share) => Math.max(fewestRows, Math.round(rows * share))))];
  const least = 3;
  if (counts.length >= least) return counts;
  throw new InputError(
    `data-size needs at least ${least} different numbers of rows with every label in each; ${fewestRows} of ${rows} rows are the fewest with every label: give more training rows`,
  );
}
