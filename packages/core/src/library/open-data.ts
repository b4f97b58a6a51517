import { type AlikeRows, alikeSteps } from "../data/rows/equal-rows.ts";
import type { ExampleSet, Label } from "../data/rows/examples.ts";
import { copyRemarks, rowRemarks } from "../data/rows/row-remarks.ts";
import { inSteps, type Pause } from "../data/tables/in-steps.ts";
import { InputError } from "../errors.ts";
import type { Task } from "../objectives/objectives.ts";
import { natural, toggle } from "../settings/setting.ts";
import { readSettings, type SettingInputs } from "../settings/settings.ts";
import { type StopSignal, throwIfStopped } from "../training/stop-signal.ts";
import { isObject } from "../values.ts";
import { isRows, requireBase, requireOptions, what } from "./check.ts";
import { drawRows, holdOutRows, keepsTogether, someExamples, standardShare } from "./hold-out.ts";
import type { OpenBase } from "./open-base.ts";
import { findPurpose, type Purpose } from "./purpose.ts";
import { areRows, type Rows, readGiven } from "./rows.ts";
import { columnSettings, purposeSettings } from "./settings.ts";

/** Rows, parted, and what they are for: the task `T`, where types know it. */
export interface OpenData<T extends Task = Task> extends Purpose<T> {
  readonly train: ExampleSet;
  /** without examples where nothing is held out */
  readonly validation: ExampleSet;
  /** present where the data bring it */
  readonly test: ExampleSet | undefined;
  /** what was guessed, or looks wrong, in words */
  readonly remarks: readonly string[];
}

/** Data of several splits. */
export interface Splits {
  readonly train: Rows | ExampleSet;
  readonly validation?: Rows | ExampleSet | undefined;
  readonly test?: Rows | ExampleSet | undefined;
}

/** Rows in memory, or that come one by one; by themselves they are those to train on. */
export type DataSource = Rows | ExampleSet | Splits;

/**
 * What types know of the task that is guessed: rows of text with `labels` have any number of them; of all else, and of what
 * a file holds, they know nothing.
 */
export type GuessedTask<S> = S extends { readonly train: infer R }
  ? GuessedTask<R>
  : S extends Iterable<infer R>
    ? TaskOfRow<R>
    : Task;

type TaskOfRow<R> = 0 extends 1 & R // any
  ? Task
  : R extends { readonly text: string; readonly labels: readonly Label[] }
    ? "multi-label"
    : Task;

/** @throws InputError where no row says anything */
function refuseBlank({ name, examples, columns }: ExampleSet): void {
  const isBlank = examples.every((row) => row.kind === "text" && !row.text.trim() && !row.pair?.trim());
  if (isBlank && examples.length > 0)
    throw new InputError(`${name}: every text in "${columns.text}" is empty; name another column with \`text\``);
}

const settings = {
  ...columnSettings,
  ...purposeSettings,
  seed: natural(0, "which rows are held out"),
  shuffle: toggle(true, "rows may be held out by chance"),
};

export interface OpenDataOptions extends Omit<SettingInputs<typeof settings>, "validation"> {
  /** rows to evaluate on, or the share of the training rows to hold out; a tenth of texts with labels where left out */
  readonly validation?: Rows | ExampleSet | number | undefined;
  /** the classes in the order of their ids; those of the base's head or of the data where left out */
  readonly labels?: readonly Label[] | undefined;
  readonly signal?: StopSignal | undefined;
  /** awaited now and then in long work, where a host hears what it is told; what it throws ends the work */
  readonly pause?: Pause | undefined;
}

/**
 * Rows and what they are for. A row has `text` and `label`, two texts (`text`, `textPair`), `prompt` and `completion`,
 * `messages`, or tokens (`inputIds` with `label` or `labels`).
 *
 * @throws InputError naming the row or the column; the signal's reason
 */
export function openData<T extends Task>(
  source: DataSource,
  base: OpenBase,
  options: OpenDataOptions & { readonly task: T },
): Promise<OpenData<T>>;
export function openData<S extends DataSource>(
  source: S,
  base: OpenBase,
  options?: OpenDataOptions,
): Promise<OpenData<GuessedTask<S>>>;
export async function openData(source: DataSource, base: OpenBase, options: OpenDataOptions = {}): Promise<OpenData> {
  requireBase(base);
  const { labels, signal, validation, pause, ...given } = requireOptions(options);
  throwIfStopped(signal);
  const share = typeof validation === "number" ? validation : undefined;
  const {
    task,
    seed,
    shuffle,
    trainRows,
    header: _,
    encoding: __,
    sheet: ___,
    validation: asked,
    ...columns
  } = readSettings(settings, {
    ...given,
    validation: share,
  });
  const splits = splitsOf(source);
  const read = (rows: Rows | ExampleSet, name: string) => readGiven(rows, columns, { name, signal });
  const whole = await read(splits.train, "rows");
  refuseBlank(whole);
  const set = trainRows === undefined ? whole : drawRows(whole, trainRows);
  const purpose = findPurpose(base, whole, { task, labels: checkedLabels(labels) });
  const own = typeof validation === "number" ? undefined : (validation ?? splits.validation);
  await pause?.(0);
  const alike = await inSteps(alikeSteps(set), pause);
  await pause?.(0);
  const held = typeof asked === "number" ? asked : standardShare(set, purpose.task, shuffle);
  const parts = own
    ? { train: set, validation: await read(own, "validation") }
    : parted(set, held, { seed, purpose, alike });
  const test = splits.test && (await read(splits.test, "test"));
  const together = !own && parts.validation.examples.length > 0 && keepsTogether(alike);
  await pause?.(0);
  const remarks = [
    ...rowRemarks(parts.train, together ? undefined : parts.validation),
    ...copyRemarks(set, together, alike),
    ...purpose.remarks,
  ];
  await pause?.(0);
  return { ...purpose, ...parts, test, remarks };
}

function splitsOf(source: DataSource): Splits {
  if (areRows(source) || isRows(source)) return { train: source };
  if (isObject(source) && "train" in source) return source;
  throw new InputError(
    `data are ${what(source)}; they must be rows, as in [{ text, label }], or { train, validation, test } of rows`,
  );
}

const parted = (
  set: ExampleSet,
  share: number,
  { seed, purpose, alike }: { readonly seed: number; readonly purpose: Purpose; readonly alike: AlikeRows },
) =>
  share === 0 ? { train: set, validation: someExamples(set, []) } : holdOutRows(set, share, seed, purpose.task, alike);

function checkedLabels(labels: readonly Label[] | undefined): readonly Label[] | undefined {
  if (labels === undefined || Array.isArray(labels)) return labels;
  throw new InputError(`labels are ${what(labels)}; they must be a list of the classes`);
}
