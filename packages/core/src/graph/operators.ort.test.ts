import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradientError } from "../autodiff/central-differences.fake.ts";
import { gradients } from "../autodiff/gradients.ts";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import type { Tensors } from "../runtime/session.ts";
import { type HostTensor, sizeOf } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { type Dim, lengthUnder, type Shape } from "../tensor/shape.ts";
import { firstOutput } from "./operator.ts";
import { type OperatorCase, operatorCases } from "./operator-cases.fake.ts";
import { operators } from "./operators.ts";
import { cast } from "./ops/cast.ts";
import { mul } from "./ops/mul.ts";
import { reduceSum } from "./ops/reduce-sum.ts";
import { input, type Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

const symbols = new Map([
  ["batch", 2],
  ["tokens", 3],
]);
const numeric = (dim: Dim) => lengthUnder(dim, symbols)!;

type FloatType = "float32" | "float64";

/** A case as a graph, with symbolic lengths or with the numbers that they have in the test. */
function build({ operands, integers = [], build: buildCase }: OperatorCase, dtype: FloatType, at: (dim: Dim) => Dim) {
  const floats = operands.map((shape, i) => input(`x${i}`, dtype, shape.map(at)));
  const ids = integers.map(({ shape, dtype: type = "int32" }) => input("i", type, shape.map(at)));
  const [x0, x1, x2] = floats;
  const absent = input("absent", dtype, []);
  return { floats, y: buildCase([x0 ?? absent, x1 ?? absent, x2 ?? absent], [ids[0] ?? absent], at) };
}

/** Σ c ⊙ y with a fed c, so that every element of y has a gradient of its own. */
const weighted = (y: Value) =>
  reduceSum(
    mul(y, input("c", y.dtype, y.shape)),
    y.shape.map((_, axis) => axis),
  );

/** Numbers away from 0 and from one another, so that no kink (Relu, Where) lies within a step. */
function feeds({ operands, integers = [], positive = false }: OperatorCase, dtype: FloatType, y: Shape): Tensors {
  const stream = random(1, "operators");
  const float = (shape: Shape, type: FloatType): HostTensor => {
    const lengths = shape.map(numeric);
    const order = stream.shuffle(Array.from({ length: sizeOf(lengths) }, (_, i) => i));
    const values = order.map((place) => 0.3 + 1.5 * ((place + 0.2 + 0.6 * stream.uniform()) / order.length));
    const signed = values.map((value) => (positive || stream.uniform() < 0.5 ? value : -value));
    return type === "float32"
      ? { dtype: type, shape: lengths, data: Float32Array.from(signed) }
      : { dtype: type, shape: lengths, data: Float64Array.from(signed) };
  };
  const integer = ({ shape, below, dtype: type = "int32" }: NonNullable<OperatorCase["integers"]>[number]) => {
    const lengths = shape.map(numeric);
    const drawn = Array.from({ length: sizeOf(lengths) }, () => stream.integer(below));
    return type === "int32"
      ? ({ dtype: "int32", shape: lengths, data: Int32Array.from(drawn) } as const)
      : ({ dtype: "int64", shape: lengths, data: BigInt64Array.from(drawn.map(BigInt)) } as const);
  };
  return {
    ...Object.fromEntries(operands.map((shape, i) => [`x${i}`, float(shape, dtype)])),
    ...Object.fromEntries(integers.map((entry) => ["i", integer(entry)])),
    c: float(y, dtype),
  };
}

test("the list of operators is the folder graph/ops", () => {
  const files = readdirSync(new URL("./ops", import.meta.url)).filter((file) => !file.includes(".test."));
  expect(operators.length).toBe(files.length);
  const fileOf = (type: string) => `${type.replace(/^Fused/, "").toLowerCase()}.ts`;
  expect(operators.map(({ type }) => fileOf(type)).sort()).toEqual(
    files.map((file) => file.replaceAll("-", "")).sort(),
  );
});

test("every operator has cases, and no others have", () => {
  expect(Object.keys(operatorCases).sort()).toEqual(operators.map(({ type }) => type).sort());
});

describe.each(operators.map((operator) => [operator.type, operator] as const))("%s", (type, operator) => {
  const { cases, noGradient, dtype = "float64" } = operatorCases[type] ?? { cases: [] };
  const graphs = cases.map((entry) => ({ entry, ...build(entry, dtype, (dim) => dim) }));

  test("its cases use it", () => {
    expect(graphs.length).toBeGreaterThan(0);
    for (const { y } of graphs) expect(nodesOf([y]).map((node) => node.operator)).toContain(operator);
  });

  if (noGradient !== undefined) {
    test(`passes no gradient on: ${noGradient}`, () => {
      for (const { y } of graphs) {
        const node = nodesOf([y]).find((candidate) => candidate.operator === operator)!;
        for (const gradient of operator.gradient(y, node, { wanted: [], gradients: () => [] }) ?? [])
          expect(gradient).toBeUndefined();
      }
    });
  } else {
    // float64: ε² times a third derivative of a few units and 1e-16/ε of rounding, both below 1e-9.
    // float32 kernels: 1e-2² / 6 times a third derivative, and 1e-7 of the loss's size over ε.
    const [step, tolerance] = dtype === "float64" ? [1e-5, 1e-8] : [1e-2, 1e-3];
    test("its gradient agrees with central differences", async () => {
      for (const { entry, floats, y } of graphs) {
        const error = await gradientError(weighted(cast(y, dtype)), floats, feeds(entry, dtype, y.shape), step);
        expect(error, JSON.stringify(entry.operands)).toBeLessThan(tolerance);
      }
    });
  }

  test("what it computes once more for gradients is its output", async () => {
    for (const { entry, y } of graphs) {
      const node = nodesOf([y]).find((candidate) => candidate.operator === operator)!;
      const again = operator.recompute(node);
      if (!again) continue;
      const computed = await runOnce({ again, kept: firstOutput(node) }, feeds(entry, dtype, y.shape));
      const kept = numbers(computed.kept!);
      for (const [i, number] of numbers(computed.again!).entries()) {
        expect(Math.abs(number - kept[i]!)).toBeLessThan(2e-6); // float32: some roundings of numbers below 4
      }
    }
  });

  test("a graph with symbolic lengths computes the same bits as one with numbers", async () => {
    for (const { entry, floats, y } of graphs) {
      const fixed = build(entry, dtype, numeric);
      const outputs = (value: Value, inputs: readonly Value[]) => {
        const found = noGradient ? [] : gradients(weighted(cast(value, dtype)), inputs);
        return { y: value, ...Object.fromEntries(found.map((gradient, i) => [`gradient ${i}`, gradient])) };
      };
      const fed = feeds(entry, dtype, y.shape);
      const symbolic = await runOnce(outputs(y, floats), fed);
      const literal = await runOnce(outputs(fixed.y, fixed.floats), fed);
      expect(symbolic).toEqual(literal);
      expect(symbolic.y!.shape).toEqual(y.shape.map(numeric)); // the shape rule tells the truth
      floats.forEach(({ shape }, i) => {
        if (!noGradient) expect(symbolic[`gradient ${i}`]!.shape).toEqual(shape.map(numeric));
      });
      expect(numbers(symbolic.y!).every(Number.isFinite)).toBe(true);
    }
  });
});
