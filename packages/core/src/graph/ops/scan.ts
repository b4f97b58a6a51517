import type { Shape } from "../../tensor/shape.ts";
import { type Body, partsOf } from "../body.ts";
import { defineOp, firstOutput } from "../operator.ts";
import { input, scalar, type Value } from "../value.ts";
import { add } from "./add.ts";
import { expand } from "./expand.ts";
import { mul } from "./mul.ts";

/**
 * A body that is computed for one chunk after another. Operands: what states begin as, tensors whose first axis is the
 * chunks, and what the body reads from outside (no operands in ONNX, which lets a body see the graph around it).
 * Outputs: the last states, and what the body made of each chunk, one behind the other.
 */
export const Scan = defineOp({
  type: "Scan",
  operands: "many",
  attributes: { body: "graph", num_scan_inputs: "int" },
  infer: (operands, { body, num_scan_inputs: scanned }) => {
    const states = body.inputs.length - scanned;
    const chunks = operands[states]?.shape[0] ?? 1;
    return body.outputs.map(({ dtype, shape }, i) => ({ dtype, shape: i < states ? shape : [chunks, ...shape] }));
  },
  // the body itself computes the first output's derivatives, so that nothing inside it is kept
  gradient: (dy, operands, outputs, { body }) =>
    operands.map((operand, i) => {
      const slope = body.slopes.get(body.inputs[i] ?? operand);
      const output = slope && outputs[body.outputs.indexOf(slope)];
      return output && mul(dy, output);
    }),
});

/** What is summed over chunks. */
interface ChunkedSums {
  /** tensors whose first axis is the chunks, and the input that stands for one chunk: the shape without that axis */
  readonly chunked: readonly (readonly [whole: Value, chunk: Value])[];
  /** what a chunk gives, of one shape for all chunks */
  readonly sum: Value;
  /** what else it gives; not differentiated */
  readonly others?: readonly Value[];
  /** the derivatives of the sum's term by chunks, or by values from outside that are differentiated */
  readonly slopes: ReadonlyMap<Value, Value>;
}

/** Sums over chunks, of which only one is computed at a time, also when the sum is differentiated. */
export function sumOverChunks({ chunked, sum, others = [], slopes }: ChunkedSums): {
  readonly sum: Value;
  readonly others: readonly Value[];
} {
  const sums = [sum, ...others];
  const ofChunk = (value: Value) => chunked.some(([, chunk]) => chunk === value);
  const [each, whole] = [[...slopes].filter(([by]) => ofChunk(by)), [...slopes].filter(([by]) => !ofChunk(by))];
  const states = [...sums, ...whole.map(([, slope]) => slope)].map((value, i) => {
    const before = input(`sum ${i} of the chunks before`, value.dtype, value.shape);
    return { before, after: add(before, value), initial: zeros(value) };
  });
  const inputs = [...states.map(({ before }) => before), ...chunked.map(([, chunk]) => chunk)];
  const outputs = [...states.map(({ after }) => after), ...each.map(([, slope]) => slope)];
  const totals = whole.map(([by], i) => [by, outputs[sums.length + i]] as const);
  const known = [...each, ...totals].flatMap(([by, output]) => (output ? [[by, output] as const] : []));
  const body: Body = { inputs, outputs, slopes: new Map(known) };
  const outside = new Set([...partsOf(body).captured, ...whole.map(([by]) => by)]);
  const operands = [...states.map(({ initial }) => initial), ...chunked.map(([tensor]) => tensor), ...outside];
  const node = Scan.apply(operands, { body, num_scan_inputs: chunked.length });
  return { sum: firstOutput(node), others: node.outputs.slice(1, sums.length) };
}

const zeros = ({ dtype, shape }: { readonly dtype: Value["dtype"]; readonly shape: Shape }): Value =>
  shape.length === 0 ? scalar(0, dtype) : expand(scalar(0, dtype), shape);
