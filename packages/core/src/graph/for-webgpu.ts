import { InternalError } from "../errors.ts";
import { isBody } from "./body.ts";
import { exp } from "./ops/exp.ts";
import { expand } from "./ops/expand.ts";
import { gather } from "./ops/gather.ts";
import { log } from "./ops/log.ts";
import { LogSoftmax } from "./ops/log-softmax.ts";
import { MatMul } from "./ops/mat-mul.ts";
import { FusedMatMul, rowsInFront } from "./ops/matmul.ts";
import { mul } from "./ops/mul.ts";
import { largest } from "./ops/reduce-max.ts";
import { reduceSum } from "./ops/reduce-sum.ts";
import { reshape } from "./ops/reshape.ts";
import { Scan } from "./ops/scan.ts";
import { sub } from "./ops/sub.ts";
import { transpose } from "./ops/transpose.ts";
import { rewritten } from "./rewritten.ts";
import { substitute } from "./substitute.ts";
import { type Node, scalar, type Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

/**
 * The same values in operators that ONNX Runtime's WebGPU provider has: a fused product as Transpose and MatMul, LogSoftmax
 * in its parts, and of a Scan the body itself, which is right where there is one chunk: who feeds such a graph makes one.
 */
export const forWebGpu = (values: readonly Value[]): readonly Value[] => rewritten(withoutScans(values), smaller);

/** The body of each Scan, and of those inside of it. */
function withoutScans(values: readonly Value[]): readonly Value[] {
  const made = rewritten(values, onlyChunk);
  return nodesOf(made).some(({ operator }) => operator === Scan) ? withoutScans(made) : made;
}

/** A node in smaller operators; undefined where it stays. */
function smaller(node: Node): readonly Value[] | undefined {
  if (node.operator === FusedMatMul) return [product(node)];
  const [x] = node.inputs;
  if (node.operator !== LogSoftmax || !x) return undefined;
  const shifted = sub(x, largest(x));
  return [sub(shifted, log(reduceSum(exp(shifted), [-1])))];
}

function product({ inputs: [a, given], attributes: { transA, transB, transBatchB, alpha } }: Node): Value {
  if (!a || !given) throw new InternalError("a product has two operands");
  const b = transBatchB === 1 ? transpose(given, rowsInFront(given.shape.length)) : given;
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
