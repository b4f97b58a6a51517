import { planEvaluation } from "../data/batches/batches.ts";
import { collate } from "../data/batches/collate.ts";
import { type EncodedRows, lengthsOf, longestOf, rowsAt } from "../data/rows/encoded-rows.ts";
import type { Label } from "../data/rows/examples.ts";
import { labelNames } from "../data/rows/labels.ts";
import { InputError } from "../errors.ts";
import { type Measures, objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import { compile, type Program } from "../runtime/program.ts";
import type { Engine } from "../runtime/session.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import { scoresAtOnce } from "./long-rows.ts";
import { type Minimised, type MinimisedOptions, minimised } from "./minimised.ts";
import { fittedTo } from "./step.ts";
import { type StopSignal, throwIfStopped } from "./stop-signal.ts";

/** What a model's answers are worth: what every objective says, and what the task's own adds. */
export interface Evaluation extends Measures {
  readonly examples: number;
  /** mean over the items: rows, or tokens with a label */
  readonly loss: number;
  /** mean distance to the teacher's vectors, 1 − cos; only with a teacher */
  readonly teacher_loss?: number;
}

export interface CompiledEvaluation {
  /**
   * Measures Φ, which is lent to the engine: where others ask for it meanwhile, give a {@link copyOf} it.
   * @throws the signal's reason, between two batches
   */
  run(phi: Phi, examples: EncodedRows, signal?: StopSignal, see?: LogitsObserver): Promise<Evaluation>;
  release(): Promise<void>;
}

/** Sees the logits of one row, padded on the right, where the task's answers are logits: not of language models. */
export type LogitsObserver = (row: number, logits: HostTensor["data"], classes: number) => void;

const evaluationBatch = 32;

export interface EvaluationOptions extends Pick<MinimisedOptions, "logitsAtOnce"> {
  /** the classes' names in the order of their ids; LABEL_0, LABEL_1, … where left out */
  readonly labels?: readonly Label[] | undefined;
}

/** Compiles the forward pass of an adapted model with its loss. The same examples always give the same numbers. */
export async function compileEvaluation(
  engine: Engine,
  adapted: AdaptedModel,
  { labels: given, ...options }: EvaluationOptions = {},
): Promise<CompiledEvaluation> {
  const { task, labels: labelCount } = adapted.goal;
  const labels = labelNames(labelCount, given);
  const usual = await compileMeasure(engine, adapted, options);
  let pieces: Promise<Measure> | undefined;
  const measureFor = (tokens: number): Measure | Promise<Measure> => {
    const atOnce = scoresAtOnce(adapted, { batch: evaluationBatch, tokens }, 0);
    if (atOnce === undefined) return usual;
    pieces ??= compileMeasure(engine, adapted, { ...options, scoresAtOnce: atOnce });
    return pieces;
  };
  return {
    async run(phi, examples, signal, see) {
      if (examples.length === 0) throw new InputError("there is nothing to evaluate: no examples");
      const measuring = objectiveOf(task).measure(labels);
      const { program, feed } = await measureFor(longestOf(examples));
      let [sum, items, hits] = [0, 0, 0];
      let distance: number | undefined;
      for (const places of planEvaluation(lengthsOf(examples), evaluationBatch)) {
        throwIfStopped(signal);
        const batch = collate(await rowsAt(examples, places), adapted.base.model.sizes.padId);
        const outputs = await program.run({ ...tensorsOf(phi), ...feed(batch) }, {}, [phi]);
        sum += Number(outputs.loss?.data[0]);
        hits += Number(outputs.right?.data[0] ?? 0);
        if (outputs.teacher_loss) distance = (distance ?? 0) + Number(outputs.teacher_loss.data[0]);
        items += batch.items;
        if (outputs.logits && see) showRows(outputs.logits, places, see);
        if (outputs.logits && batch.labels) measuring.add(outputs.logits, batch.labels);
      }
      const loss = sum / items;
      return {
        examples: examples.length,
        loss,
        ...measuring.result({ loss, items, right: hits }),
        ...(distance !== undefined && { teacher_loss: distance / examples.length }),
      };
    },
    async release() {
      await usual.program.release();
      await (await pieces)?.program.release();
    },
  };
}

function showRows({ data, shape }: HostTensor, places: readonly number[], see: LogitsObserver): void {
  const length = data.length / places.length;
  for (const [i, row] of places.entries()) see(row, data.subarray(i * length, (i + 1) * length), shape.at(-1) ?? 1);
}

/** The program of an evaluation, and what it is fed of a batch. */
type Measure = Pick<Minimised, "feed"> & { readonly program: Program };

async function compileMeasure(engine: Engine, adapted: AdaptedModel, options: MinimisedOptions): Promise<Measure> {
  const { loss, right, teacherLoss, logits, feed } = minimised(adapted, fittedTo(engine, options));
  const program = await compile(engine, {
    loss,
    ...(right ? { right } : { logits }), // a language model's answers are counted where its logits are
    ...(teacherLoss && { teacher_loss: teacherLoss }),
  });
  return { program, feed };
}
