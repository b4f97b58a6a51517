import { withAssumedTensors } from "../checkpoints/assumed-tensors.ts";
import { InputError } from "../errors.ts";
import { adapt } from "../peft/adapt.ts";
import type { Base } from "../peft/base.ts";
import type { Method, MethodUse } from "../peft/method.ts";
import { bitWidths } from "../tensor/block-format.ts";
import { largestWithin } from "./search.ts";
import type { PlannedTraining } from "./setting.ts";
import { memoryOfTraining } from "./training-memory.ts";

/** The weights that share a scale where `petl quantize` is told nothing else. */
const blockSize = 32;

/** Batches beyond it are no question of memory any more. */
const mostRows = 4096;

/** Which batches of a method fit into so many bytes, over the base as it is and over the same base in few bits. */
export function fittingLoads(training: PlannedTraining, method: Method, use: MethodUse, bytes: number): string {
  const { base, goal, dtype, bits, load } = training;
  const widths = bits === undefined ? [...bitWidths].sort((a, b) => b - a) : [];
  const forms: readonly (readonly [string, Base])[] = [
    [bits === undefined ? `with the base in ${dtype}` : `with the base in ${bits} bits`, base],
    ...widths.map((width): readonly [string, Base] => [
      `in ${width} bits`,
      withAssumedTensors(base, goal, { dtype, blocks: { bits: width, blockSize } }),
    ]),
  ];
  const answers = forms.map(([form, held]) => `${form} ${batchesText(training, use, held, bytes)}`);
  const option = method.size?.option;
  const size = option === undefined ? "" : `, ${option} ${String(use.options[option])}`;
  return `rows of ${load.tokens} tokens${size}: ${answers.join(", ")}`;
}

function batchesText({ goal, load }: PlannedTraining, use: MethodUse, base: Base, bytes: number): string {
  try {
    const memory = memoryOfTraining(adapt(base, [use], goal));
    const rows = largestWithin(mostRows, bytes, (batch) => memory({ ...load, batch }).total);
    if (rows === undefined) return "not one row fits";
    return rows === mostRows ? `batches of ${mostRows} and more fit` : `batches of up to ${rows} fit`;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return "it cannot be trained";
  }
}
