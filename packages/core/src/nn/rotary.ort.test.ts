import { expect, test } from "vitest";
import { matmul } from "../graph/ops/matmul.ts";
import { input } from "../graph/value.ts";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import { float32, int32 } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { frequencies, type Rope } from "./rope.ts";
import { rotate, rotation } from "./rotary.ts";

const [tokens, headSize] = [6, 8];
const ropes: readonly Rope[] = [
  { kind: "default", theta: 100 },
  { kind: "linear", theta: 100, factor: 4 },
  { kind: "dynamic", theta: 100, factor: 2 },
  { kind: "llama3", theta: 100, factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, original: 16 },
  { kind: "yarn", theta: 100, factor: 4, original: 16, betaFast: 4, betaSlow: 1, truncate: true, magnitude: 1 },
];

test.each(ropes)(
  "$kind: the product of a turned query and key depends on the distance of their tokens alone",
  async (rope) => {
    const stream = random(3, "rotary");
    const [q, k] = [0, 1].map(() => Array.from({ length: headSize }, () => stream.normal()));
    /** the same query, and the same key, at every token */
    const everywhere = (vector: readonly number[]) =>
      float32([1, 1, tokens, headSize], Float32Array.from(Array.from({ length: tokens }, () => vector).flat()));
    const ids = { inputIds: input("ids", "int32", ["batch", "tokens"]), tokenTypeIds: input("t", "int32", []) };
    const inputs = { ...ids, attentionMask: input("mask", "int32", ["batch", "tokens"]) };
    const turned = rotation(inputs, { rope, size: 6, maxTokens: 4, virtualTokens: 2 }); // two numbers stay as they are
    const head = (name: string) => rotate(input(name, "float32", ["batch", 1, "tokens", headSize]), turned);
    const { products } = await runOnce(
      { products: matmul(head("q"), head("k"), { transB: true }) },
      {
        q: everywhere(q!),
        k: everywhere(k!),
        ids: int32([1, tokens], new Int32Array(tokens)),
        mask: int32([1, tokens], new Int32Array(tokens).fill(1)),
      },
    );
    const at = (i: number, j: number) => numbers(products!)[i * tokens + j]!;
    for (let distance = 0; distance < tokens; distance++) {
      // float32: products of about 3
      for (let j = 0; j + distance < tokens; j++) expect(at(j + distance, j)).toBeCloseTo(at(distance, 0), 5);
    }
    const plain = q!.reduce((sum, value, i) => sum + value * k![i]!, 0);
    expect(at(0, 0)).toBeCloseTo(plain, 5);
  },
);

test("stretched frequencies lie between the plain ones and the plain ones divided by the factor", () => {
  const plain = frequencies({ kind: "default", theta: 100 }, 8);
  const stretched = ropes.filter(({ kind }) => kind === "llama3" || kind === "yarn");
  expect(stretched).toHaveLength(2);
  for (const rope of stretched) {
    const factor = "factor" in rope ? rope.factor : 1;
    const found = frequencies(rope, 8);
    found.forEach((frequency, i) => {
      expect(frequency).toBeLessThanOrEqual(plain[i]! * (1 + 1e-12));
      expect(frequency).toBeGreaterThanOrEqual((plain[i]! / factor) * (1 - 1e-12));
    });
    expect(new Set(found.map((frequency, i) => frequency / plain[i]!)).size).toBeGreaterThan(1);
  }
});
