import {
  compileEvaluation,
  type EncodedRows,
  type Evaluation,
  type ExampleSet,
  InputError,
  isLabelled,
  type LossOn,
  objectiveOf,
} from "@petl/core";
import { encodeRows, fedRows, rowLimits, targetOf } from "./encode-rows.ts";
import type { OpenModel } from "./model.ts";
import { maskedOnce, maskingOf } from "./plain-text.ts";

export interface EvaluateOptions {
  /** tokens after which texts are cut; as many as the model takes where left out */
  readonly maxLength?: number | undefined;
  /** which tokens of completions and conversations count; those that are learnt by default where left out */
  readonly lossOn?: LossOn | undefined;
  /** whether a language model's rows of text end with the end token; yes where left out */
  readonly endToken?: boolean | undefined;
  /** what is left out, cut and counted, in words */
  readonly onRemark?: ((remark: string) => void) | undefined;
  /** which tokens of plain text are hidden from a masked LM; 0 where left out */
  readonly seed?: number | undefined;
}

/**
 * Measures a model on labelled rows, or a language model on plain text. The same rows always give the same numbers.
 * @throws InputError for rows that don't fit
 */
export async function evaluate(model: OpenModel, rows: ExampleSet, options: EvaluateOptions = {}): Promise<Evaluation> {
  const encoded = measurable(model, rows, options);
  const evaluation = await compileEvaluation(model.base.engine, model.adapted, { labels: model.labels });
  try {
    return await evaluation.run(model.phi, encoded);
  } finally {
    await evaluation.release();
  }
}

/** Rows with what the model should say of them. */
export function measurable(
  { base, adapted, labels }: OpenModel,
  set: ExampleSet,
  { maxLength, lossOn, endToken, seed = 0, onRemark }: EvaluateOptions,
): EncodedRows {
  const { task } = adapted.goal;
  const tokenizer = set.examples[0]?.kind === "tokens" ? undefined : base.tokenizer;
  const how = { tokenizer, lossOn, endToken, ...rowLimits(adapted, tokenizer, maxLength) };
  const { unlabelled } = objectiveOf(task);
  if (isLabelled(set) || unlabelled === "next tokens") {
    const { rows, remarks } = fedRows(set, adapted, targetOf({ task, labels }), how);
    for (const remark of remarks) onRemark?.(remark);
    return rows;
  }
  if (unlabelled === "refused") throw new InputError(`${set.name} has no labels to measure by; name their column`);
  const rows = encodeRows(set, adapted, undefined, how);
  return maskedOnce(rows, maskingOf(base.tokenizer, base.model.sizes.vocabulary), seed);
}
