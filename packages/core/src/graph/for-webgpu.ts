import { InternalError } from "../errors.ts";
import { isBody } from "./body.ts";
import { exp } from "./ops/exp.ts";
import { expand } from "./ops/expand.ts";
import { gather } from "./ops/gather.ts";
import { log } from "./ops/log.ts";
import { LogSoftmax } from "./ops/log-softmax.ts";
import { MatMul } from "./ops/mat-mul.ts";
import { FusedMatMul } from "./ops/matmul.ts";
import { mul } from "./ops/mul.ts";
import { largest } from "./ops/reduce-max.ts";
import { reduceSum } from "./ops/reduce-sum.ts";
import { reshape } from "./ops/reshape.ts";
import { Scan } from "./ops/scan.ts";
import { sub } from "./ops/sub.ts";
import { transpose } from "./ops/transpose.ts";
import { substitute } from "./substitute.ts";
import { type Node, scalar, type Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

/**
 * The same values in operators that ONNX Runtime's WebGPU provider has: a fused product as Transpose and MatMul, LogSoftmax
 * in its parts, and of a Scan the body itself, which is right where there is one chunk: who feeds such a graph makes one.
 */
export const forWebGpu = (values: readonly Value[]): readonly Value[] =>
  rewritten(rewritten(values, Scan.type, onlyChunk), undefined, smaller);

type Rewriting = (node: Node) => readonly Value[] | undefined;

/** Values with nodes replaced, each after those that it reads, until none of a type is left where one is named. */
function rewritten(values: readonly Value[], until: string | undefined, rewrite: Rewriting): readonly Value[] {
  const known = new Map<Value, Value>();
  const read = (value: Value) => known.get(value) ?? value;
  for (const node of nodesOf(values)) {
    const inputs = node.inputs.map(read);
    const isSame = inputs.every((value, i) => value === node.inputs[i]);
    const rebuilt = isSame ? node : node.operator.apply(inputs, node.attributes);
    const outputs = rewrite(rebuilt) ?? rebuilt.outputs;
    for (const [i, value] of node.outputs.entries()) known.set(value, outputs[i] ?? value);
  }
  const made = values.map(read);
  const isLeft = until !== undefined && nodesOf(made).some(({ operator }) => operator.type === until);
  return isLeft ? rewritten(made, until, rewrite) : made;
}

/** A node in smaller operators; undefined where it stays. */
function smaller(node: Node): readonly Value[] | undefined {
  if (node.operator === FusedMatMul) return [product(node)];
  const [x] = node.inputs;
  if (node.operator !== LogSoftmax || !x) return undefined;
  const shifted = sub(x, largest(x));
  return [sub(shifted, log(reduceSum(exp(shifted), [-1])))];
}

function product({ inputs: [a, b], attributes: { transA, transB, alpha } }: Node): Value {
  if (!a || !b) throw new InternalError("a product has two operands");
  const y = MatMul.of([transA === 1 ? swapped(a) : a, transB === 1 ? swapped(b) : b], {});
  return alpha === 1 ? y : mul(y, scalar(Number(alpha), y.dtype));
}

/** The last two axes in the other order. */
const swapped = (x: Value): Value => {
  const rank = x.shape.length;
  return transpose(x, [...Array.from({ length: rank - 2 }, (_, axis) => axis), rank - 1, rank - 2]);
};

/** What a Scan makes of its only chunk. */
function onlyChunk({ operator, inputs, outputs, attributes }: Node): readonly Value[] | undefined {
  const { body, num_scan_inputs: scanned } = attributes;
  if (operator !== Scan || !isBody(body)) return undefined;
  const states = body.inputs.length - Number(scanned);
  const known = new Map(
    body.inputs.flatMap((value, i) => {
      const operand = inputs[i];
      return operand ? [[value, i < states ? operand : gather(operand, scalar(0, "int32"))] as const] : [];
    }),
  );
  const made = substitute(body.outputs, (leaf) => leaf, known);
  return made.map((value, i) => {
    const shape = outputs[i]?.shape ?? value.shape;
    return i < states ? value : expand(reshape(value, [1, ...value.shape]), shape);
  });
}
