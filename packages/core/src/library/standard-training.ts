import { type ExampleSet, isLabelled } from "../data/rows/examples.ts";
import type { Sizes } from "../nn/model.ts";
import { isLanguageModel, type Task } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { TrainingInputs } from "../training/settings.ts";

/** How long and how fast methods of a kind are trained where nobody says it. */
interface Standard extends UsualLength {
  /** the methods; the last row of the table is for all others */
  readonly methods: readonly string[];
  /** the rate for so many rows on a base of that width; the method's own where left out */
  rate?(rows: number, width: number): number;
  readonly why: string;
}

/** How long a training is, by the number of its rows. */
export interface UsualLength {
  /** steps of the optimizer after which they have learnt most of what rows of this kind teach */
  readonly steps: number;
  /** passes over the rows: never fewer, so that each is seen, and never more, since what they teach is then known by heart */
  readonly epochs: readonly [least: number, most: number];
}

/** Rows below which a step is of fewer of them, so that there are enough steps. */
const fewRows = 1000;
const [smallBatch, usualBatch] = [16, 32];
/** Rows from which on the papers' rates hold, whose sets are that large. */
const manyRows = 5000;

/** The width of the base that the rates were measured on, all-MiniLM-L6-v2. */
const measuredWidth = 384;

/** What `bench/defaults.mjs` found on ten sets with 100 to 3,000 rows; results/defaults.jsonl has the numbers. */
const standards: readonly Standard[] = [
  {
    methods: ["head"],
    steps: 300,
    epochs: [10, 50],
    why: "a head alone cannot learn its rows by heart, and passes over kept vectors cost next to nothing",
  },
  {
    methods: ["full", "top-layers"],
    steps: 150,
    epochs: [3, 10],
    why: "all weights of a layer move, which soon know few rows by heart",
  },
  {
    methods: ["lora"],
    // Rows as few as those that it was measured on get fewer steps, which may be longer; wider bases take shorter ones: 1e-3 at
    // width 384 is 5e-4 at 768 and 3.75e-4 at 1,024, where Hu et al. 2021 (table 9) have 4e-4 to 5e-4 and 2e-4 to 4e-4.
    rate: (rows, width) => (rows < manyRows ? 2e-3 : 1e-3) * Math.min(1, measuredWidth / width),
    steps: 200,
    epochs: [3, 20],
    why: "few numbers that start without any effect need some hundred steps to have one",
  },
  {
    methods: [],
    steps: 200,
    epochs: [3, 20],
    why: "few numbers that start without any effect need some hundred steps to have one",
  },
];

/** A new head's rate under a method that is slower: it starts at random, while all else starts as the base. */
const headRate = 5e-3;

/** The share of the steps in which the rate rises, since the head's first gradients are those of a random head. */
const warmup = 0.1;

/**
 * Whether rows may be looked at to choose what nobody said: labelled texts in any order. Rows of tokens, those of language
 * models and rows whose order counts come from who measures exactly, and get what is written beside each setting.
 */
export function choosesFreely(set: ExampleSet, task: Task, shuffle: boolean): boolean {
  const texts = set.examples.every(({ kind }) => kind === "text" || kind === "words");
  return shuffle && texts && !isLanguageModel(task) && isLabelled(set);
}

/** What a choice looks at: the methods, the goal and how wide the base is. */
interface Looked extends Pick<AdaptedModel, "methods" | "goal" | "newTensors"> {
  readonly base: { readonly model: { readonly sizes: Pick<Sizes, "hidden"> } };
}

/** What is chosen for a training, and why, in words; nothing where a rate is named, or the rows are not to be looked at. */
export function standardTraining(
  { base, methods, goal, newTensors }: Looked,
  rows: ExampleSet,
  given: TrainingInputs,
): { readonly settings: TrainingInputs; readonly remarks: readonly string[] } {
  const [method] = methods;
  if (given.lr !== undefined || method === undefined) return { settings: {}, remarks: [] };
  const { name } = method;
  if (!choosesFreely(rows, goal.task, given.shuffle ?? true)) return { settings: { lr: method.rate }, remarks: [] };
  const standard = standards.find(({ methods: names }) => names.length === 0 || names.includes(name));
  const count = rows.examples.length;
  const rate = standard?.rate?.(count, base.model.sizes.hidden) ?? method.rate;
  const chosen = {
    lr: rate,
    ...(newTensors.length > 0 && rate < headRate && { headLr: headRate }),
    ...usualLength(standard ?? { steps: 0, epochs: [3, 3] }, count, given),
  };
  const settings = unnamed(chosen, given);
  return { settings: { lr: rate, ...settings }, remarks: [said(settings, { name, count, why: standard?.why ?? "" })] };
}

/** Epochs, batch and warm-up for so many rows, epochs where no steps are named. */
export function usualLength(
  { steps, epochs: [least, most] }: UsualLength,
  count: number,
  given: TrainingInputs,
): TrainingInputs {
  const batch = given.batch ?? (count < fewRows ? smallBatch : usualBatch);
  const perEpoch = Math.ceil(count / (batch * (given.accumulate ?? 1)));
  const epochs = Math.min(most, Math.max(least, Math.ceil(steps / perEpoch)));
  return { ...(given.steps === undefined && { epochs }), batch, warmup };
}

/** Of chosen settings those that nobody named. */
export const unnamed = (chosen: TrainingInputs, given: TrainingInputs): TrainingInputs =>
  Object.fromEntries(Object.entries(chosen).filter(([setting]) => Reflect.get(given, setting) === undefined));

/** What was chosen, in one line. */
function said(
  { lr, headLr, epochs, batch, warmup: share }: TrainingInputs,
  { name, count, why }: { readonly name: string; readonly count: number; readonly why: string },
): string {
  const parts = [
    `rate ${lr}${headLr === undefined ? "" : ` (the new head's ${headLr})`}`,
    ...(epochs === undefined ? [] : [`${epochs} epochs`]),
    ...(batch === undefined ? [] : [`${batch} rows a step`]),
    ...(share === undefined ? [] : ["a tenth of the steps warm-up"]),
  ];
  return `chosen for ${name} on ${count} rows: ${parts.join(", ")}; ${why} (\`lr\`, \`epochs\`, \`batch\` and \`warmup\` go first)`;
}
