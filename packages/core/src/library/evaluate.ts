import type { EncodedRows } from "../data/rows/encoded-rows.ts";
import { type ExampleSet, isLabelled } from "../data/rows/examples.ts";
import { atOnce, inSteps, type Pause, type Steps } from "../data/tables/in-steps.ts";
import { InputError } from "../errors.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { copyOf } from "../peft/phi.ts";
import { shapeOf } from "../peft/shape-of.ts";
import { natural } from "../settings/setting.ts";
import { readSettings, type SettingInputs } from "../settings/settings.ts";
import { compileEvaluation, type Evaluation } from "../training/evaluate.ts";
import { type StopSignal, throwIfStopped } from "../training/stop-signal.ts";
import { requireModel, requireOptions } from "./check.ts";
import { encodeRows, fedSteps, manyRows, rowLimits, targetRuleOf } from "./encode-rows.ts";
import type { OpenModel } from "./model.ts";
import { maskedOnce, maskingOf } from "./plain-text.ts";
import { type Rows, readGiven } from "./rows.ts";
import { tokenSettings } from "./settings.ts";

const settings = { ...tokenSettings, seed: natural(0, "which tokens of plain text are hidden from a masked LM") };

export interface EvaluateOptions extends SettingInputs<typeof settings> {
  /** once aborted, the work ends between two batches */
  readonly signal?: StopSignal | undefined;
  /** what is left out, cut and counted, in words */
  readonly onRemark?: ((remark: string) => void) | undefined;
  /** awaited now and then while rows become tokens, with how many are done; what it throws ends the work */
  readonly pause?: Pause | undefined;
}

/**
 * Measures a model on labelled rows, or a language model on plain text. The same rows always give the same numbers.
 * @throws InputError for rows that don't fit; the signal's reason
 */
export async function evaluate(
  model: OpenModel,
  rows: ExampleSet | Rows,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { base, adapted, phi, labels } = requireModel(model);
  const { signal, onRemark, pause, ...given } = requireOptions(options);
  throwIfStopped(signal);
  const set = await readGiven(rows, {}, { signal });
  const encoded = await inSteps(measurableSteps(model, set, given, { onRemark }), pause);
  const compile = () => compileEvaluation(base.engine, adapted, { labels });
  return base.programs.evaluations.use(`${shapeOf(adapted)} ${JSON.stringify(labels)}`, compile, (evaluation) =>
    evaluation.run(copyOf(phi), encoded, signal),
  );
}

interface MeasureOptions {
  readonly onRemark?: ((remark: string) => void) | undefined;
  /** whether rows become tokens as they are read; told by how many they are where left out */
  readonly areMany?: boolean | undefined;
}

/** Rows with what the model should say of them. */
export const measurable = (
  model: OpenModel,
  set: ExampleSet,
  options: SettingInputs<typeof settings>,
  how: MeasureOptions = {},
): EncodedRows => atOnce(measurableSteps(model, set, options, how));

/** The same in steps, for a set that may be large. */
export function* measurableSteps(
  { base, adapted, labels }: OpenModel,
  set: ExampleSet,
  options: SettingInputs<typeof settings>,
  { onRemark, areMany }: MeasureOptions = {},
): Steps<EncodedRows> {
  const { maxLength, lossOn, endToken, seed } = readSettings(settings, options);
  const { task } = adapted.goal;
  const tokenizer = set.examples[0]?.kind === "tokens" ? undefined : base.tokenizer;
  const how = { tokenizer, lossOn, endToken, ...rowLimits(adapted, tokenizer, maxLength) };
  const { unlabelled } = objectiveOf(task);
  if (isLabelled(set) || unlabelled === "next tokens") {
    const rule = targetRuleOf({ task, labels });
    const { rows, remarks } =
      manyRows(set, adapted, rule, { ...how, areMany }) ?? (yield* fedSteps(set, adapted, rule, how));
    for (const remark of remarks) onRemark?.(remark);
    return rows;
  }
  if (unlabelled === "refused") throw new InputError(`${set.name} has no labels to measure by; name their column`);
  const rows = encodeRows(set, adapted, undefined, how);
  return maskedOnce(rows, maskingOf(base.tokenizer, base.model.sizes.vocabulary), seed);
}
