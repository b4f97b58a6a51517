import fc from "fast-check";
import { expect, test } from "vitest";
import { modelOf } from "../models/models.ts";
import { bareScope } from "../nn/bare-scope.fake.ts";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import type { Tensors } from "../runtime/session.ts";
import { float32, type HostTensor, sizeOf } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { type Dim, elements, lengthUnder, plus, type Shape, times } from "../tensor/shape.ts";
import { narrow } from "./narrow.ts";
import { add } from "./ops/add.ts";
import { cast } from "./ops/cast.ts";
import { concat } from "./ops/concat.ts";
import { cumSum } from "./ops/cum-sum.ts";
import { expand } from "./ops/expand.ts";
import { gather } from "./ops/gather.ts";
import { gatherElements } from "./ops/gather-elements.ts";
import { greater } from "./ops/greater.ts";
import { layerNormalization } from "./ops/layer-normalization.ts";
import { matmul } from "./ops/matmul.ts";
import { mul } from "./ops/mul.ts";
import { neg } from "./ops/neg.ts";
import { pad } from "./ops/pad.ts";
import { reduceMean } from "./ops/reduce-mean.ts";
import { reduceSum } from "./ops/reduce-sum.ts";
import { relu } from "./ops/relu.ts";
import { reshape } from "./ops/reshape.ts";
import { slice } from "./ops/slice.ts";
import { softmax } from "./ops/softmax.ts";
import { sub } from "./ops/sub.ts";
import { tanh } from "./ops/tanh.ts";
import { transpose } from "./ops/transpose.ts";
import { where } from "./ops/where.ts";
import { input, scalar, type Value } from "./value.ts";
import { leavesOf, nodesOf } from "./walk.ts";

const [batch, tokens, hidden] = [3, 5, 8];
const symbols = new Map<string, number>([
  ["batch", batch],
  ["tokens", tokens],
]);
const rowsShape: Shape = ["batch", "tokens", hidden];

const x = input("x", "float32", rowsShape);
const z = input("z", "float32", rowsShape);
const W = input("W", "float32", [hidden, hidden]);
const v = input("v", "float32", [hidden]);
const ids = input("ids", "int32", ["batch", "tokens"]);
const leaves = [x, z, W, v, ids];

function feeds(values: readonly Value[]): Tensors {
  const stream = random(2, "narrow");
  return Object.fromEntries(
    values.flatMap(({ dtype, shape, source }) => {
      if (source.kind !== "input") return [];
      const lengths = shape.map((dim) => lengthUnder(dim, symbols)!);
      const drawnIds = (): HostTensor => ({
        dtype: "int32",
        shape: lengths,
        data: Int32Array.from({ length: sizeOf(lengths) }, () => stream.integer(hidden)),
      });
      const data = new Float32Array(sizeOf(lengths));
      stream.fillNormal(data, 0, 1);
      return [[source.name, dtype === "int32" ? drawnIds() : float32(lengths, data)]];
    }),
  );
}

type Step = (a: Value, b: Value) => Value;

/** Ways to make a [batch, tokens, hidden] of two others: each operator whose rule lets a range through, or stops it. */
const steps: readonly Step[] = [
  (a, b) => add(a, b),
  (a, b) => mul(tanh(a), sub(b, v)),
  (a, b) => where(greater(a, b), relu(a), scalar(0.5)),
  (a) => softmax(a),
  (a) => layerNormalization(a, v, v, 1e-5),
  (a) => transpose(mul(transpose(a, [1, 2, 0]), scalar(2)), [2, 0, 1]),
  (a) => reshape(tanh(reshape(a, ["batch", "tokens", 2, hidden / 2])), rowsShape),
  (a) => reshape(neg(reshape(a, [times("batch", "tokens"), hidden])), rowsShape),
  (a, b) => slice(concat([a, b], 1), 1, 2, plus("tokens", 2)),
  (a, b) => concat([slice(a, 2, 0, 3), slice(b, 2, 3, hidden)], -1),
  (a) => add(a, gather(W, ids)),
  (a) => mul(a, expand(reduceMean(a), rowsShape)),
  (a) => add(a, reduceSum(a, [1])),
  (a) => sub(a, reduceSum(a, [0])),
  (a) => pad(slice(a, 1, 1, "tokens"), 1, 1, 0),
  (a) => pad(slice(a, 2, 1, hidden), 2, 0, 1),
  (a) => cumSum(a, 1),
  (a) => cumSum(a, 2),
  (a) => mul(a, cast(cast(tanh(a), "int32"), "float32")),
  (a) => mul(a, gatherElements(a, reshape(ids, ["batch", "tokens", 1]))),
  (a) => expand(slice(a, 1, 0, 1), rowsShape),
];

/** The same with matrix products, as linear layers and attention have them. */
const products: readonly Step[] = [
  (a) => matmul(a, W),
  (a) => matmul(a, W, { transB: true }),
  (a, b) => matmul(softmax(matmul(a, b, { transB: true, alpha: 0.3 })), b),
  (a, b) => matmul(b, matmul(a, b, { transA: true, alpha: 0.1 })),
  (a) => matmul(transpose(a, [0, 2, 1]), W, { transA: true }),
  (a) => reshape(matmul(reshape(a, [times("batch", "tokens"), hidden]), W), rowsShape),
];

/** Which rows, columns or texts are read in the end, and by how many readers. */
const ranges: readonly (readonly [number, Dim, Dim])[] = [
  [1, 0, 1],
  [1, 2, 3],
  [1, 1, 4],
  [1, plus("tokens", -1), "tokens"],
  [1, plus("tokens", -2), "tokens"],
  [0, 0, 1],
  [0, 1, 3],
  [2, 0, 1],
  [2, 3, 7],
];

/** Graphs of a few steps, each over values made before, with one or two slices at the end. */
const graphs = (possible: readonly Step[]) =>
  fc
    .tuple(
      fc.array(fc.tuple(fc.nat(possible.length - 1), fc.nat(2), fc.nat(9)), { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.constantFrom(...ranges), fc.nat(2)), { minLength: 1, maxLength: 2 }),
    )
    .map(([chosen, reads]) => {
      const made: Value[] = [x, z];
      const recent = (back: number) => made[Math.max(0, made.length - 1 - back)] ?? x;
      for (const [step, a, b] of chosen) made.push(possible[step]?.(recent(a), recent(b)) ?? x);
      return joined(reads.map(([[axis, start, end], back]) => slice(recent(back), axis, start, end)));
    });

/** Several tensors as one vector, one as it is. */
function joined(values: readonly Value[]): Value {
  const [first = x] = values;
  return values.length === 1
    ? first
    : concat(
        values.map((value) => reshape(value, [elements(value.shape)])),
        0,
      );
}

const narrowOne = (output: Value): Value => narrow([output])(output);

/** The whole graph's numbers and the narrowed graph's. */
async function both(whole: Value): Promise<readonly [readonly number[], readonly number[]]> {
  const part = narrowOne(whole);
  expect(part.shape).toEqual(whole.shape);
  const fed = feeds(leaves);
  return [numbers((await runOnce({ y: whole }, fed)).y!), numbers((await runOnce({ y: part }, fed)).y!)];
}

// fixed seeds make each of the two laws one fixed computation
test("what narrowing leaves is what was there, to the last bit", async () => {
  const property = fc.asyncProperty(graphs(steps), async (whole) => {
    const [all, part] = await both(whole);
    expect(part).toEqual(all);
  });
  await fc.assert(property, { numRuns: 120, seed: 1 });
});

// a product of one row is summed by another kernel, in another order: a few units in float32's last place
test("with matrix products, what narrowing leaves is what was there up to rounding", async () => {
  const property = fc.asyncProperty(graphs([...steps, ...products]), async (whole) => {
    const [all, part] = await both(whole);
    expect(part.length).toBe(all.length);
    all.forEach((value, i) => {
      expect(Math.abs(part[i]! - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
    });
  });
  await fc.assert(property, { numRuns: 120, seed: 2 });
});

/** The lengths of the token axis, or whatever stands in its place, of each application of an operator. */
const rowsOf = (value: Value, type: string): readonly Dim[] =>
  nodesOf([value]).flatMap(({ operator, outputs }) => (operator.type === type ? [outputs[0]?.shape.at(-2) ?? 0] : []));

test("a slice behind row-wise operators moves in front of them", () => {
  const y = narrowOne(slice(tanh(matmul(add(x, z), W)), 1, 0, 1));
  expect(nodesOf([y]).map(({ operator }) => operator.type)).toEqual(["Slice", "Slice", "Add", "FusedMatMul", "Tanh"]);
  for (const node of nodesOf([y])) expect(node.outputs[0]?.shape).toEqual(["batch", 1, hidden]);
});

test("readers that need the same rows share one narrow computation", () => {
  const h = tanh(x);
  const y = narrowOne(add(slice(h, 1, 0, 1), relu(slice(h, 1, 0, 1))));
  expect(rowsOf(y, "Tanh")).toEqual([1]);
  expect(rowsOf(y, "Slice")).toEqual([1]);
});

test("where two readers need different rows, the value is computed once and whole", async () => {
  const h = tanh(x);
  const whole = joined([relu(slice(h, 1, 0, 1)), slice(relu(h), 1, 2, 3)]);
  const y = narrowOne(whole);
  expect(rowsOf(y, "Tanh")).toEqual(["tokens"]);
  expect(rowsOf(y, "Relu")).toEqual([1, 1]); // behind the fork each is narrow
  const [all, part] = await both(whole);
  expect(part).toEqual(all);
});

test("where one reader needs all rows, the value is computed once and whole", async () => {
  const h = tanh(x);
  const whole = add(slice(relu(h), 1, 0, 1), reduceSum(h, [1]));
  expect(rowsOf(narrowOne(whole), "Tanh")).toEqual(["tokens"]);
  expect(rowsOf(narrowOne(whole), "Relu")).toEqual([1]);
  const [all, part] = await both(whole);
  expect(part).toEqual(all);
});

test("several outputs share what is made anew for one of them", async () => {
  const h = relu(slice(tanh(x), 1, 0, 2)); // the slice moves in front of tanh, for both outputs alike
  const outputs = [slice(mul(h, scalar(2)), 1, 1, 2), h];
  const [row = x, states = x] = outputs.map(narrow(outputs));
  expect(rowsOf(joined([row, states]), "Tanh")).toEqual([2]);
  expect(rowsOf(joined([row, states]), "Relu")).toEqual([2]);
  expect(rowsOf(joined([row, states]), "Mul")).toEqual([1]);
  const [all, part] = [
    await runOnce({ y: joined(outputs) }, feeds(leaves)),
    await runOnce({ y: joined([row, states]) }, feeds(leaves)),
  ];
  expect(numbers(part.y!)).toEqual(numbers(all.y!));
});

test("a slice of a slice is computed in its own few rows", async () => {
  const whole = slice(mul(slice(tanh(x), 1, 1, "tokens"), scalar(2)), 1, 0, 1);
  expect(rowsOf(narrowOne(whole), "Tanh")).toEqual([plus("tokens", -1)]);
  expect(rowsOf(narrowOne(whole), "Mul")).toEqual([1]);
  const [all, part] = await both(whole);
  expect(part).toEqual(all);
});

test("a graph without slices is returned as it is", () => {
  const y = tanh(matmul(x, W));
  expect(narrowOne(y)).toBe(y);
});

test("a classifier on BERT's first token needs of the last layer all keys and values, and one row of the rest", async () => {
  const config = {
    model_type: "bert",
    hidden_size: hidden,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 6,
    vocab_size: hidden,
    type_vocab_size: hidden,
    max_position_embeddings: 7,
  };
  const model = modelOf(config);
  const idInput = (name: string) => input(name, "int32", ["batch", "tokens"]);
  const inputs = { inputIds: idInput("a"), attentionMask: idInput("b"), tokenTypeIds: idInput("c") };
  const scope = bareScope();
  const states = model.encode(scope, inputs);
  const logits = model.classify(scope, model.pool(scope, states, inputs), 3);
  const t = "tokens";
  // per layer: query, key, value, scores, context, output, up, down; then pooler and classifier, of one row anyway
  const wholeLayer = [t, t, t, t, t, t, t, t];
  const row = (whole: readonly Dim[]) => [...whole].sort();
  expect(row(rowsOf(logits, "FusedMatMul"))).toEqual(row([...wholeLayer, ...wholeLayer, 1, 1]));
  expect(row(rowsOf(narrowOne(logits), "FusedMatMul"))).toEqual(row([...wholeLayer, t, t, 1, 1, 1, 1, 1, 1, 1, 1]));
  expect(row(rowsOf(narrowOne(logits), "LayerNormalization"))).toEqual(row([t, t, t, 1, 1]));
  const fed = { ...feeds(leavesOf([logits])), b: oneMask };
  const [all, part] = [await runOnce({ y: logits }, fed), await runOnce({ y: narrowOne(logits) }, fed)];
  numbers(all.y!).forEach((value, i) => {
    expect(numbers(part.y!)[i]).toBeCloseTo(value, 5); // products of one row sum in another order
  });
});

const oneMask: HostTensor = { dtype: "int32", shape: [batch, tokens], data: new Int32Array(batch * tokens).fill(1) };
