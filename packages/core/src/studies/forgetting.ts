import { InputError } from "../errors.ts";
import type { Figure, Point } from "../figures/figure.ts";
import { meanOver } from "../statistics/bootstrap.ts";
import { studentInterval } from "../statistics/student.ts";
import type { Bench } from "./bench.ts";
import { signed } from "./findings.ts";
import { fitOf, seedsOf, usualOptions } from "./recipes.ts";
import { canonical } from "./rows.ts";
import type { Budget, Cell, Finding, Job, Json, Measured, PlannedCell, Setup, Study, StudyRecord } from "./study.ts";

const own: Readonly<Record<Budget, readonly string[]>> = {
  quick: ["lora", "full"],
  standard: ["lora", "bitfit", "bottleneck", "full"],
  paper: ["lora", "bitfit", "bottleneck", "full"],
};

/** LoRA's ranks */
const ranks: Readonly<Record<Budget, readonly number[]>> = {
  quick: [8],
  standard: [4, 16, 64],
  paper: [1, 4, 16, 64, 256],
};

/** shares of all steps at which is measured */
const moments: Readonly<Record<Budget, readonly number[]>> = {
  quick: [1 / 4, 1 / 2, 1],
  standard: [1 / 10, 1 / 5, 2 / 5, 3 / 5, 4 / 5, 1],
  paper: [1 / 20, 1 / 10, 1 / 5, 2 / 5, 3 / 5, 4 / 5, 1],
};

/** While the target task is learnt, the base's own loss on text of its source task. The rate is constant, so that a run's middle is a shorter run's end. */
export const forgetting: Study = {
  name: "forgetting",
  question: "How much of the source task is forgotten while the target task is learnt?",
  source: "Biderman et al. 2024, arXiv:2405.09673, section 4 and figure 4",
  methods: own,
  readsSource: true,
  plan(setup) {
    if (!setup.hasSource) throw new InputError("forgetting needs text of the source task: name it with `source`");
    return setup.methods.flatMap((method) =>
      variantsOf(method, setup).flatMap((variant) => seedsOf(setup).flatMap((seed) => cellsOf(variant, seed, setup))),
    );
  },
  work,
  figures: (records) => [
    {
      kind: "points",
      name: "learning-and-forgetting",
      points: pointsOf(records),
      title: "Learning against forgetting: the target's score and the source's loss as training goes on",
      x: { label: "score on the target task" },
      y: { label: "the base's own loss on source text (nats a token)" },
    } satisfies Figure,
  ],
  findings: (records) => findingsOf(records),
};

interface Variant {
  readonly method: string;
  readonly cell: Readonly<Record<string, Json>>;
  readonly options: Readonly<Record<string, Json>>;
}

function variantsOf(method: string, { budget }: Setup): readonly Variant[] {
  const usual = usualOptions(method);
  if (method !== "lora") return [{ method, cell: { method }, options: usual }];
  return ranks[budget].map((rank) => ({
    method,
    cell: { method, rank },
    options: { ...usual, rank, alpha: 2 * rank },
  }));
}

function cellsOf({ method, cell, options }: Variant, seed: number, setup: Setup): readonly PlannedCell[] {
  const fit = fitOf(setup, { method, options, schedule: "constant" });
  const steps = [...new Set(moments[setup.budget].map((share) => Math.max(1, Math.round(fit.steps * share))))];
  return steps.map((step) => ({ cell: { ...cell, step }, seed, fit, steps: step }));
}

async function* work(
  bench: Bench,
  { fit, seed, cells }: Job,
): AsyncGenerator<{ readonly cell: Cell; readonly measured: Measured }, void, void> {
  if (!fit) return;
  const at = cells.map(({ step }) => Number(step)).sort((a, b) => a - b);
  for await (const fitted of bench.train(fit, seed, at)) {
    const cell = cells.find(({ step }) => step === fitted.step);
    if (!cell) continue;
    const described = await bench.described(fit, seed, fitted);
    const source_loss = await bench.sourceLoss(fitted);
    yield { cell, measured: { ...described, ...(await bench.score(fitted)), source_loss } };
  }
}

const nameOf = ({ method, rank }: Cell): string => (rank === undefined ? String(method) : `${method}, rank ${rank}`);

/** Means over seeds, a point for each measured step. */
function pointsOf(records: readonly StudyRecord[]): readonly Point[] {
  const cells = new Map(records.map(({ cell }) => [canonical(cell), cell]));
  return [...cells].map(([key, cell]) => {
    const seeds = records.filter((record) => canonical(record.cell) === key);
    const mean = (of: (record: StudyRecord) => number | null | undefined) =>
      meanOver(seeds.map((each) => of(each) ?? 0));
    return { x: mean(({ score }) => score), y: mean((each) => each.source_loss), series: nameOf(cell) };
  });
}

interface Moment {
  readonly step: number;
  readonly score: number;
  readonly loss: number;
}

/** What a run has learnt and forgotten, from its first measured step to its last. */
const pathOf = (records: readonly StudyRecord[], name: string, seed: number): readonly Moment[] =>
  records
    .filter((record) => nameOf(record.cell) === name && record.seed === seed)
    .flatMap(({ cell, score, source_loss: loss }) =>
      score === undefined || score === null || loss === undefined ? [] : [{ step: Number(cell.step), score, loss }],
    )
    .sort((a, b) => a.step - b.step);

/** Whether each method has forgotten less than full fine-tuning: behind as many steps, and where both have learnt as much. */
function findingsOf(records: readonly StudyRecord[]): readonly Finding[] {
  const last = Math.max(...records.map(({ cell }) => Number(cell.step)));
  const seeds = [...new Set(records.map(({ seed }) => seed))];
  const names = [...new Set(records.map(({ cell }) => nameOf(cell)))].filter((name) => name !== "full");
  return names.flatMap((name) => {
    const runs = seeds.map((seed) => [pathOf(records, name, seed), pathOf(records, "full", seed)] as const);
    const than = `${name} has forgotten less than full fine-tuning`;
    return [
      finding(
        `after ${last} steps ${than}`,
        runs.flatMap(([mine, full]) => differenceBehind(last, mine, full)),
      ),
      finding(
        `at the same target score ${than}`,
        runs.flatMap(([mine, full]) => differenceAtOneScore(mine, full)),
      ),
    ];
  });
}

function differenceBehind(step: number, mine: readonly Moment[], full: readonly Moment[]): readonly number[] {
  const [a, b] = [mine, full].map((path) => path.find((moment) => moment.step === step));
  return a && b ? [a.loss - b.loss] : [];
}

/** At the best score that both reach, each where it first does. */
function differenceAtOneScore(mine: readonly Moment[], full: readonly Moment[]): readonly number[] {
  const score = Math.min(...[mine, full].map((path) => Math.max(...path.map((moment) => moment.score))));
  const [a, b] = [lossAt(score, mine), lossAt(score, full)];
  return a === undefined || b === undefined ? [] : [a - b];
}

/** The source loss where a path first reaches a score, on the line between two steps; undefined where no step lies before. */
function lossAt(score: number, path: readonly Moment[]): number | undefined {
  const at = path.findIndex((moment) => moment.score >= score);
  const [before, after] = [path[at - 1], path[at]];
  if (!after || (!before && after.score > score)) return undefined;
  if (!before) return after.loss;
  return before.loss + ((after.loss - before.loss) * (score - before.score)) / (after.score - before.score);
}

function finding(claim: string, differences: readonly number[]): Finding {
  if (differences.length < 2)
    return { claim, holds: "undecided", evidence: `${differences.length} pairs of seeds; two are the fewest` };
  const { mean, low, high } = studentInterval(differences);
  const evidence = `the source loss differs by ${signed(mean)} (95 %, Student's interval over ${differences.length} seeds: ${signed(low)} to ${signed(high)})`;
  return { claim, holds: high < 0 ? true : low > 0 ? false : "undecided", evidence };
}
