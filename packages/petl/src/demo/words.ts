import { overlaps, type Share } from "@petl/core";
import type { MethodRow } from "./compare.ts";
import type { AskedText } from "./one-base.ts";
import type { TourResult } from "./tour.ts";

export const percent = (share: number): string =>
  share === 0 ? "0 %" : `${(100 * share).toPrecision(share > 0.0995 ? 3 : 2)} %`;
const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
const kilobytes = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(bytes < 1e5 ? 1 : 0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** `75 % (64–84 %)` */
export const shareText = ({ share, low, high }: Share): string =>
  `${Math.round(100 * share)} % (${Math.round(100 * low)}–${Math.round(100 * high)} %)`;

export const baseText = ({ base, own_task }: TourResult): string =>
  `base: ${base.name}, ${whole(base.parameters)} parameters, ${kilobytes(base.bytes)} on disk${own_task ? `; it guesses hidden words of ${own_task.texts} texts with a loss of ${own_task.loss.toFixed(3)}` : ""}`;

export const taskText = ({ task, methods }: TourResult): string =>
  `first task: ${task.train} messages (${task.labels.join(", ")}); accuracy is on ${task.test} others, by ${seedsOf(methods)}, with its 95 % interval`;

const seedsOf = (methods: readonly MethodRow[]): string => {
  const seeds = methods[0]?.accuracy.seeds ?? 0;
  return seeds === 1 ? "one seed" : `the mean of ${seeds} seeds`;
};

/** What the words of the tour mean, before they are used. */
export const meanings: readonly (readonly [word: string, meaning: string])[] = [
  ["base", "a network that has read much text before; here it is never changed, but for what full fine-tuning saves"],
  ["task", "which label a short text should get: rows to learn from, and other rows to be right on"],
  ["method", "a way to fit the base to a task by training few numbers beside it, or some of its own"],
  ["adapter", "the numbers that one training of a method leaves; it is kept in a small file, and needs the base"],
  [
    "head",
    "the last layer, which chooses among the labels; it is trained with every method, and is not counted as trained",
  ],
  ["seed", "where chance begins: the same method with another seed is another try"],
  [
    "95 % interval",
    "where the accuracy would most likely lie on many more rows; methods whose intervals overlap are not told apart",
  ],
  ["forgetting", "how much worse the trained body guesses hidden words, which is what the base had learnt to do"],
];

/** The columns of the comparison. */
export const columns = ["method", "trained", "of base", "accuracy", "seconds", "adapter", "own loss"] as const;

export const cellsOf = (row: MethodRow, { own_task }: Pick<TourResult, "own_task">): readonly string[] => [
  row.method,
  whole(row.trained_parameters),
  percent(row.trainable_ratio),
  shareText(row.accuracy),
  row.seconds.toFixed(1),
  kilobytes(row.adapter_bytes),
  own_task && row.masked_lm_loss !== null ? signedRise(row.masked_lm_loss - own_task.loss) : "–",
];

/** `+0.125`; an exact nothing is `0` */
export const signedRise = (value: number): string => (value === 0 ? "0" : `${value > 0 ? "+" : ""}${value.toFixed(3)}`);

/** The columns of the further adapters. */
export const furtherColumns = ["lora for", "accuracy", "seconds", "adapter", "labels"] as const;

export const furtherCells = ({ name, accuracy, seconds, adapter_bytes, labels }: TourResult["further"][number]) => [
  name,
  shareText(accuracy),
  seconds.toFixed(1),
  kilobytes(adapter_bytes),
  labels.join(", "),
];

/** `messages/lora: account 91.0 %` */
export const answersText = ({ answers }: AskedText): string =>
  answers.map(({ adapter, label, score }) => `${adapter}: ${label} ${percent(score)}`).join("   ");

/** What this run says, and how sure it is of it; every sentence is made of the run's own numbers. */
export function findings(result: TourResult): readonly string[] {
  const { base, methods, one_base, task, seconds } = result;
  const { overlapping, pairs } = overlaps(methods.map(({ accuracy }) => accuracy));
  const disagreed = one_base.users.filter(({ answers }) => new Set(answers.map(({ label }) => label)).size > 1);
  return [
    ...againstFull(methods),
    `the intervals of ${overlapping} of the ${pairs} pairs of methods overlap: ${task.test} rows do not tell those apart`,
    ...forgotten(result),
    `the base's ${kilobytes(base.bytes)} are ${base.unchanged ? "the same bytes as" : "NOT the bytes that they were"} before the first adapter`,
    `one process held one base of ${kilobytes(one_base.base_bytes)} and ${one_base.adapters} adapters of ${kilobytes(one_base.adapter_bytes)} together; loading them and asking them, in batches whose rows each had an adapter of their own, took ${one_base.seconds.toFixed(2)} s`,
    `the two users' adapters disagreed on ${disagreed.length} of the ${one_base.users.length} messages that both were asked`,
    `intervals: Wilson's, ${methods[0]?.accuracy.seeds === 1 ? "over the test rows alone: one seed says nothing of other seeds" : `over ${task.test} test rows and ${methods[0]?.accuracy.seeds} seeds`}`,
    methods.every(({ epochs }) => epochs === 1)
      ? "every method had one epoch, which shows that it runs: its accuracy means nothing"
      : `options, rates and epochs were chosen by hand on validation rows of the bundled sets: ${methods.map(({ method, lr, epochs }) => `${method} ${lr} × ${epochs}`).join(", ")}`,
    `${seconds.toFixed(0)} s in all; these numbers are about this base, these texts and this run`,
  ];
}

/** The most accurate method that leaves most of the base alone, beside full fine-tuning. */
function againstFull(methods: readonly MethodRow[]): readonly string[] {
  const full = methods.find(({ method }) => method === "full");
  const small = methods.filter(({ trainable_ratio }) => trainable_ratio < 0.1);
  const [best] = [...small].sort((a, b) => b.accuracy.share - a.accuracy.share);
  if (!full || !best) return [];
  const apart = overlaps([full.accuracy, best.accuracy]).overlapping === 0;
  return [
    `${best.method} is right on ${shareText(best.accuracy)} with ${percent(best.trainable_ratio)} of the base trained and ${kilobytes(best.adapter_bytes)} to keep; full fine-tuning on ${shareText(full.accuracy)} with ${kilobytes(full.adapter_bytes)}; the intervals ${apart ? "do not overlap" : "overlap"}`,
  ];
}

/** What the methods did to the base's own task. */
function forgotten({ methods, own_task }: TourResult): readonly string[] {
  if (!own_task) return ["this base has no masked-LM head, so what it forgets is not measured"];
  const changes = methods.map(({ method, masked_lm_loss }) => [method, (masked_lm_loss ?? 0) - own_task.loss] as const);
  const [[most, change] = ["", 0]] = [...changes].sort(([, a], [, b]) => b - a);
  const untouched = changes.filter(([, each]) => each === 0).map(([method]) => method);
  return [
    `forgetting, the rise of the base's own masked-LM loss on ${own_task.texts} texts that the method did not see: most with ${most} (${signedRise(change)})${untouched.length > 0 ? `, none with ${untouched.join(", ")}` : ""}`,
  ];
}
