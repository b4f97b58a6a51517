import { expect, test } from "vitest";
import { input } from "../graph/value.ts";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import { int32 } from "../tensor/host-tensor.ts";
import { causalBias, textLength, textPositions } from "./causal.ts";

const mask = [
  [0, 0, 1, 1, 0, 1, 0],
  [1, 1, 1, 1, 1, 1, 1],
];
const keys = 7;
/** Some tokens were computed before: the ids are the last ones. */
const fed = (tokens: number) => ({
  mask: int32([2, keys], Int32Array.from(mask.flat())),
  ids: int32([2, tokens], new Int32Array(2 * tokens)),
});
const inputs = (keyDim: string) => ({
  inputIds: input("ids", "int32", ["batch", "tokens"]),
  attentionMask: input("mask", "int32", ["batch", keyDim]),
});

test.each([
  [7, "tokens", undefined],
  [7, "tokens", 3],
])(
  "of %i tokens (%s keys, window %s) each sees what is text, not behind it and near enough",
  async (tokens, dim, window) => {
    const { bias } = await runOnce({ bias: causalBias(inputs(dim), window) }, fed(tokens));
    expect(bias!.shape).toEqual([2, 1, tokens, keys]);
    const seen = numbers(bias!).map((value) => (value === 0 ? 1 : 0));
    const wanted = mask.flatMap((row) =>
      Array.from({ length: tokens }, (_, i) =>
        row.map((on, j) => (on === 1 && j <= i && i - j < (window ?? keys) ? 1 : 0)),
      ).flat(),
    );
    expect(seen).toEqual(wanted);
  },
);

test("positions count from the first token of the text, behind the virtual ones; a length ends with the last", async () => {
  const text = inputs("tokens");
  const found = await runOnce({ positions: textPositions(text, 10), length: textLength(text, 10) }, fed(7));
  expect(numbers(found.positions!)).toEqual([10, 10, 10, 11, 12, 13, 14, 10, 11, 12, 13, 14, 15, 16]);
  expect(numbers(found.length!)).toEqual([14, 17]);
});
