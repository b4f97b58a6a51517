import { planEvaluation } from "../data/batches/batches.ts";
import { collate } from "../data/batches/collate.ts";
import { type EncodedRows, lengthsOf, rowsAt } from "../data/rows/encoded-rows.ts";
import { InputError } from "../errors.ts";
import { isLanguageModel } from "../nn/model.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import { compile } from "../runtime/program.ts";
import type { Engine } from "../runtime/session.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import { accuracy, f1Macro, matthews, pearson, spearman } from "./metrics.ts";
import { type ObjectiveOptions, objective } from "./objective.ts";
import { type StopSignal, throwIfStopped } from "./stop-signal.ts";

/** What a model's answers are worth, as the task has it. */
export interface Evaluation {
  readonly examples: number;
  /** mean over the items: rows, or tokens with a label */
  readonly loss: number;
  /** the share of rows, or of tokens with a label, whose class is the likeliest */
  readonly accuracy?: number;
  readonly f1_macro?: number;
  readonly matthews?: number;
  readonly pearson?: number;
  readonly spearman?: number;
  /** e to the loss, of language models */
  readonly perplexity?: number;
  /** mean distance to the teacher's vectors, 1 − cos; only with a teacher */
  readonly teacher_loss?: number;
}

export interface CompiledEvaluation {
  /**
   * Φ as the lender goes to the engine instead of a copy, so that nobody else can ask for it meanwhile.
   * @throws the signal's reason, between two batches
   */
  run(phi: Phi, examples: EncodedRows, lender?: Phi, signal?: StopSignal): Promise<Evaluation>;
  release(): Promise<void>;
}

const evaluationBatch = 32;

/** Compiles the forward pass of an adapted model with its loss. The same examples always give the same numbers. */
export async function compileEvaluation(
  engine: Engine,
  adapted: AdaptedModel,
  options: Pick<ObjectiveOptions, "logitsAtOnce"> = {},
): Promise<CompiledEvaluation> {
  const { task } = adapted.goal;
  const { loss, right, teacherLoss, logits, feed } = objective(adapted, options);
  const program = await compile(engine, {
    loss,
    ...(right ? { right } : { logits }), // a language model's answers are counted where its logits are
    ...(teacherLoss && { teacher_loss: teacherLoss }),
  });
  return {
    async run(phi, examples, lender, signal) {
      if (examples.length === 0) throw new InputError("there is nothing to evaluate: no examples");
      const answers: Answers = { predicted: [], actual: [] };
      let [sum, items, hits, distance] = [0, 0, 0, 0];
      for (const places of planEvaluation(lengthsOf(examples), evaluationBatch)) {
        throwIfStopped(signal);
        const batch = collate(await rowsAt(examples, places), adapted.base.model.sizes.padId);
        const outputs = await program.run({ ...tensorsOf(phi), ...feed(batch) }, {}, lender);
        sum += Number(outputs.loss?.data[0]);
        hits += Number(outputs.right?.data[0] ?? 0);
        distance += Number(outputs.teacher_loss?.data[0] ?? 0);
        items += batch.items;
        if (outputs.logits && batch.labels) collect(answers, outputs.logits, batch.labels);
      }
      const loss = sum / items;
      return {
        ...{ examples: examples.length, loss },
        ...(isLanguageModel(task) ? { accuracy: hits / items, perplexity: Math.exp(loss) } : scores(task, answers)),
        ...(teacherLoss && { teacher_loss: distance / examples.length }),
      };
    },
    release: () => program.release(),
  };
}

interface Answers {
  readonly predicted: number[];
  readonly actual: number[];
}

/** Notes the predicted number or class of each item with a label. */
function collect(answers: Answers, { data, shape }: HostTensor, labels: HostTensor): void {
  const classes = shape.at(-1) ?? 1;
  for (let item = 0; item < labels.data.length; item++) {
    const label = Number(labels.data[item]);
    if (labels.dtype === "int32" && label < 0) continue;
    answers.actual.push(label);
    answers.predicted.push(labels.dtype === "int32" ? argmax(data, item * classes, classes) : Number(data[item]));
  }
}

/** The index, from 0, of the largest of `length` numbers from `start` on; the first of several. */
function argmax(values: ArrayLike<number | bigint>, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if ((values[start + i] ?? 0) > (values[start + best] ?? 0)) best = i;
  return best;
}

function scores(task: AdaptedModel["goal"]["task"], answers: Answers): Partial<Evaluation> {
  const { predicted, actual } = answers;
  switch (task) {
    case "regression":
      return { pearson: pearson(predicted, actual), spearman: spearman(predicted, actual) };
    case "masked-lm":
    case "causal-lm":
      return {};
    case "classification":
    case "token-classification":
      return { accuracy: accuracy(answers), f1_macro: f1Macro(answers), matthews: matthews(answers) };
  }
}
