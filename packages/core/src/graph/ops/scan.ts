import type { Shape } from "../../tensor/shape.ts";
import { type Body, partsOf, rebound } from "../body.ts";
import { type Differentiation, defineOp, firstOutput } from "../operator.ts";
import { input, type Node, scalar, type Value } from "../value.ts";
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
  bind: (operands, { body, num_scan_inputs }) => ({
    body: rebound(body, operands.slice(body.inputs.length)),
    num_scan_inputs,
  }),
  gradient: (dy, operands, outputs, { body }, differentiation) => {
    const { slopes } = body;
    if (!slopes) return gradientsAgain(dy, operands, body, differentiation);
    // the body itself computes the first output's derivatives, so that nothing inside it is kept
    return operands.map((operand, i) => {
      const slope = slopes.get(body.inputs[i] ?? operand);
      const output = slope && outputs[body.outputs.indexOf(slope)];
      return output && mul(dy, output);
    });
  },
});

/** Tensors whose first axis is the chunks, and the input that stands for one chunk: the shape without that axis. */
type Chunked = readonly (readonly [whole: Value, chunk: Value])[];

/** What is summed over chunks. */
interface ChunkedSums {
  readonly chunked: Chunked;
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
  const [each, whole] = byKind(slopes, chunked);
  const node = scan(chunked, [...sums, ...made(whole)], made(each), slopes);
  return { sum: firstOutput(node), others: node.outputs.slice(1, sums.length) };
}

/**
 * What is made of each chunk, one behind the other: [chunks, ...]. Nothing inside is kept for gradients, which compute each
 * chunk once more (Chen et al. 2016, arXiv:1604.06174, section 3).
 */
export const ofEachChunk = (chunked: Chunked, value: Value): Value => firstOutput(scan(chunked, [], [value]));

/** The gradients of what {@link ofEachChunk} makes: of chunks one behind the other, of what is read from outside summed. */
function gradientsAgain(
  dy: Value,
  operands: readonly Value[],
  body: Body,
  { wanted, gradients }: Differentiation,
): readonly (Value | undefined)[] {
  const [output] = body.outputs;
  if (!output) return [];
  const given = input("gradient of a chunk", output.dtype, output.shape);
  const read = [...body.inputs, ...body.outside];
  const by = read.filter((_, i) => wanted[i]);
  const found = gradients(output, given, by);
  const slopes = new Map(by.flatMap((value, i) => (found[i] ? [[value, found[i]] as const] : [])));
  const chunks = body.inputs.flatMap((chunk, i) => (operands[i] ? [[operands[i], chunk] as const] : []));
  const [each, whole] = byKind(slopes, chunks);
  const node = scan([[dy, given], ...chunks], made(whole), made(each));
  const order = [...whole, ...each].map(([value]) => value);
  return read.map((value) => node.outputs[order.indexOf(value)]);
}

type Slope = readonly [by: Value, slope: Value];

const made = (slopes: readonly Slope[]): readonly Value[] => slopes.map(([, slope]) => slope);

/** The derivatives by chunks, and those by values from outside. */
function byKind(slopes: ReadonlyMap<Value, Value>, chunked: Chunked): readonly [readonly Slope[], readonly Slope[]] {
  const ofChunk = (value: Value) => chunked.some(([, chunk]) => chunk === value);
  return [[...slopes].filter(([by]) => ofChunk(by)), [...slopes].filter(([by]) => !ofChunk(by))];
}

/**
 * A node that computes a body for each chunk: what is summed over chunks are its first outputs, what each chunk gives the
 * others.
 * @param slopes the derivatives among them, of the first one; left out where gradients compute the body once more
 */
function scan(
  chunked: Chunked,
  sums: readonly Value[],
  each: readonly Value[],
  slopes?: ReadonlyMap<Value, Value>,
): Node {
  const states = sums.map((value, i) => {
    const before = input(`sum ${i} of the chunks before`, value.dtype, value.shape);
    return { before, after: add(before, value), initial: zeros(value) };
  });
  const inputs = [...states.map(({ before }) => before), ...chunked.map(([, chunk]) => chunk)];
  const outputs = [...states.map(({ after }) => after), ...each];
  const outputOf = (term: Value) => outputs[[...sums, ...each].indexOf(term)];
  const known = slopes && [...slopes].flatMap(([by, term]) => [[by, outputOf(term) ?? term] as const]);
  const fromOutside = [...(slopes?.keys() ?? [])].filter((by) => !inputs.includes(by));
  const outside = [...new Set([...partsOf({ inputs, outputs }).captured, ...fromOutside])];
  const body: Body = { inputs, outputs, outside, slopes: known && new Map(known) };
  const operands = [...states.map(({ initial }) => initial), ...chunked.map(([tensor]) => tensor), ...outside];
  return Scan.apply(operands, { body, num_scan_inputs: chunked.length });
}

const zeros = ({ dtype, shape }: { readonly dtype: Value["dtype"]; readonly shape: Shape }): Value =>
  shape.length === 0 ? scalar(0, dtype) : expand(scalar(0, dtype), shape);
