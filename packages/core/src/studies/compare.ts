import type { FigureTable } from "../figures/figure.ts";
import { meanOver } from "../statistics/bootstrap.ts";
import { trainOnce } from "./bench.ts";
import { categoryFigure, scatterFigure } from "./drawn.ts";
import { comparedWith } from "./findings.ts";
import { atBestRate, withoutTries } from "./rates.ts";
import { triedRates, usualOptions } from "./recipes.ts";
import { joinSeeds } from "./rows.ts";
import type { Json, PlannedCell, Setup, Study, StudyRecord } from "./study.ts";

const all = ["head", "bitfit", "bottleneck", "lora", "full"];
const own = { quick: all, standard: all, paper: all };

/**
 * Methods side by side, each at its own best rate: every rate is tried with the first seed on four fifths of the training
 * rows, the best on the last fifth is trained again on all of them. Where a number of trained parameters is given, each has
 * the size that comes nearest to it from below.
 */
export const compare: Study = {
  name: "compare",
  question: "How do the methods compare, each at its own best learning rate?",
  source: "Hu et al. 2021, arXiv:2106.09685, tables 2 to 4; Houlsby et al. 2019, arXiv:1902.00751, table 1",
  methods: own,
  equalises: true,
  plan: (setup, records) => setup.methods.flatMap((method) => cellsOf(method, setup, records)),
  tellsTrainingOnly: () => true,
  work: trainOnce,
  figures(records) {
    const rows = joinSeeds(withoutTries(records));
    return [
      categoryFigure("score", "Score of each method at its own best rate", rows, ({ cell }) => String(cell.method)),
      scatterFigure("score-by-parameters", "Score against trained parameters, head included", rows, {
        x: ({ first }) => first.trained_parameters + first.head_parameters,
        xLabel: "trained parameters, head included",
        name: ({ cell }) => String(cell.method),
      }),
    ];
  },
  table: sideBySide,
  findings: (records) =>
    comparedWith(withoutTries(records), { is: (cell) => cell.method === "full", called: "full fine-tuning" }, (cell) =>
      String(cell.method),
    ),
};

function cellsOf(method: string, setup: Setup, records: readonly StudyRecord[]): readonly PlannedCell[] {
  const options = setup.equalOptions?.[method] ?? usualOptions(method);
  const cell = { method, options };
  const finals = (lr: number | null) => [{ cell: { ...cell, lr } }];
  return atBestRate(setup, records, { cell, method, options, rates: triedRates(method, setup), finals });
}

/** The lecture's table of results: a row a method, each at its own best rate, means over seeds. */
function sideBySide(records: readonly StudyRecord[], { parameters }: Readonly<Record<string, Json>>): FigureTable {
  const rows = joinSeeds(withoutTries(records));
  const budget = typeof parameters === "number" ? parameters : undefined;
  const forgets = rows.some(({ first }) => first.source_loss !== undefined);
  return {
    columns: [
      ...[
        "method",
        "rate",
        "score",
        "95 % from",
        "to",
        "trained",
        "share of the base",
        "file (kB)",
        "time (s)",
        "memory (MB)",
      ],
      ...(budget === undefined ? [] : ["share of the budget"]),
      ...(forgets ? ["source loss"] : []),
    ],
    rows: rows.map(({ cell, mean, low, high, first, records: seeds }) => {
      const meanOf = (of: (record: StudyRecord) => number) => meanOver(seeds.map(of));
      return [
        ...[String(cell.method), String(cell.lr), ...[mean, low, high].map((value) => value.toFixed(4))],
        ...[String(first.trained_parameters), `${(100 * first.trainable_ratio).toPrecision(3)} %`],
        (first.adapter_bytes / 1e3).toFixed(0),
        meanOf(({ seconds }) => seconds).toFixed(1),
        meanOf(({ peak_rss_bytes }) => peak_rss_bytes / 1e6).toFixed(0),
        ...(budget === undefined ? [] : [`${((100 * first.trained_parameters) / budget).toPrecision(3)} %`]),
        ...(forgets ? [meanOf(({ source_loss = Number.NaN }) => source_loss).toFixed(4)] : []),
      ];
    }),
  };
}
