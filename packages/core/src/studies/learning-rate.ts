import { trainOnce } from "./bench.ts";
import { scatterFigure } from "./drawn.ts";
import { decided } from "./findings.ts";
import { fitOf, seedsOf, triedRates } from "./recipes.ts";
import { type JoinedRow, joinSeeds } from "./rows.ts";
import type { Budget, Study } from "./study.ts";

const own: Readonly<Record<Budget, readonly string[]>> = {
  quick: ["lora", "full"],
  standard: ["lora", "bottleneck", "full"],
  paper: ["lora", "dora", "bottleneck", "bitfit", "ia3", "head", "full"],
};

/** Methods at several learning rates each: at standard those of both sources, LoRA, bottleneck and full fine-tuning. */
export const learningRate: Study = {
  name: "learning-rate",
  question: "Which learning rate does each method need, and how much does it matter?",
  source: "Biderman et al. 2024, arXiv:2405.09673, section 6; Houlsby et al. 2019, arXiv:1902.00751, section 3.1",
  methods: own,
  plan: (setup) =>
    setup.methods.flatMap((method) =>
      triedRates(method, setup).flatMap((lr) =>
        seedsOf(setup).map((seed) => {
          const fit = fitOf(setup, { method, lr });
          return { cell: { method, lr }, seed, fit, steps: fit.steps };
        }),
      ),
    ),
  tellsTrainingOnly: () => true,
  work: trainOnce,
  figures: (records) => [
    scatterFigure("score-by-rate", "Score against learning rate", joinSeeds(records), {
      x: ({ cell }) => Number(cell.lr),
      xLabel: "learning rate",
      series: ({ cell }) => String(cell.method),
    }),
  ],
  findings(records) {
    const rows = joinSeeds(records);
    const methods = [...new Set(rows.map(({ cell }) => String(cell.method)))];
    return decided(
      methods.flatMap((method) => {
        const tried = rows.filter(({ cell }) => cell.method === method);
        const [best, worst] = [extreme(tried, 1), extreme(tried, -1)];
        if (!best || !worst || best === worst) return [];
        const claim = `${method} scores better at a rate of ${best.cell.lr} than at ${worst.cell.lr}`;
        return [{ claim, better: best, than: worst }];
      }),
    );
  },
};

const extreme = (rows: readonly JoinedRow[], sign: 1 | -1): JoinedRow | undefined =>
  [...rows].sort((a, b) => sign * (b.mean - a.mean))[0];
