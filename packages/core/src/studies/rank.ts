import { targetSets } from "./attention-layers.ts";
import { trainOnce } from "./bench.ts";
import { scatterFigure } from "./drawn.ts";
import { decided, smallDifference } from "./findings.ts";
import { fitOf, rankedLora, seedsOf } from "./recipes.ts";
import { joinSeeds } from "./rows.ts";
import type { Budget, Setup, Study } from "./study.ts";
import { directionsOf, subspaceFigure, subspaceFindings } from "./subspaces.ts";

const ranks: Readonly<Record<Budget, readonly number[]>> = {
  quick: [1, 4, 16],
  standard: [1, 8, 64],
  paper: [1, 2, 4, 8, 16, 64],
};

/**
 * LoRA of several ranks on several sets of layers, its alpha held as in the paper, and what the directions that it has learnt
 * have in common. At standard every set has the paper's least and largest rank and 8, whose directions its
 * figure 3 sets beside those of 64; the claims are of these. At paper stand all of its table 6, and 16.
 */
export const rank: Study = {
  name: "rank",
  question: "How large must LoRA's rank be, and which layers should it change?",
  source: "Hu et al. 2021, arXiv:2106.09685, section 7 and tables 5 and 6",
  plan: (setup) =>
    chosenSets(setup).flatMap(({ called, targets }) =>
      ranks[setup.budget].flatMap((width) =>
        seedsOf(setup).map((seed) => {
          const fit = fitOf(setup, rankedLora(width, targets));
          return { cell: { targets: called, rank: width }, seed, fit, steps: fit.steps };
        }),
      ),
    ),
  work: (bench, job) => trainOnce(bench, job, directionsOf),
  figures: (records) => [
    scatterFigure("score-by-rank", "Score against LoRA's rank", joinSeeds(records), {
      x: ({ cell }) => Number(cell.rank),
      xLabel: "rank",
      series: ({ cell }) => String(cell.targets),
    }),
    scatterFigure("score-by-parameters", "Score against trained parameters, without the head", joinSeeds(records), {
      x: ({ first }) => first.trained_parameters,
      xLabel: "trained parameters, without the head",
      series: ({ cell }) => String(cell.targets),
    }),
    subspaceFigure(records),
  ],
  findings(records) {
    const rows = joinSeeds(records);
    const sets = [...new Set(rows.map(({ cell }) => String(cell.targets)))];
    const compared = decided(
      sets.flatMap((targets) => {
        const own = rows
          .filter(({ cell }) => cell.targets === targets)
          .sort((a, b) => Number(a.cell.rank) - Number(b.cell.rank));
        const [better, than] = [own[0], own.at(-1)];
        if (!better || !than || better === than) return [];
        const claim = `on ${targets}, rank ${better.cell.rank} is at most ${smallDifference} worse than rank ${than.cell.rank}`;
        return [{ claim, better, than, margin: smallDifference }];
      }),
    );
    return [...compared, ...subspaceFindings(records)];
  },
};

/** All sets, but in a quick look the second and the last. */
function chosenSets(setup: Setup) {
  const sets = targetSets(setup);
  if (setup.budget !== "quick") return sets;
  const usual = sets.find(({ called }) => called === "q,v") ?? sets[0];
  return [...new Set([usual, sets.at(-1)])].filter((set) => set !== undefined);
}
