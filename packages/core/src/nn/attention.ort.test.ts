import { expect, test } from "vitest";
import { concat } from "../graph/ops/concat.ts";
import { expand } from "../graph/ops/expand.ts";
import { input, scalar } from "../graph/value.ts";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import { float32, sizeOf } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { attention, maskBias } from "./attention.ts";
import { bareScope } from "./bare-scope.fake.ts";
import { actingAt, type Hooks, noHooks } from "./sites.ts";

const [batch, tokens, heads, headSize, virtual] = [2, 5, 3, 2, 4];
const hidden = heads * headSize;
const mask = [
  [1, 1, 1, 0, 0],
  [0, 1, 0, 1, 1],
];
const stream = random(5, "attention");
const drawn = (shape: readonly number[]) => {
  const data = new Float32Array(sizeOf(shape));
  stream.fillNormal(data, 0, 1);
  return { dtype: "float32", shape, data } as const;
};
const fed = {
  query: drawn([batch, tokens, hidden]),
  key: drawn([batch, tokens, hidden]),
  value: drawn([batch, tokens, hidden]),
  "more keys": drawn([1, heads, virtual, headSize]),
  "more values": drawn([1, heads, virtual, headSize]),
  mask: { dtype: "int32", shape: [batch, tokens], data: Int32Array.from(mask.flat()) },
} as const;

const text = (name: string) => input(name, "float32", ["batch", "tokens", hidden]);
const inputs = { query: text("query"), key: text("key"), value: text("value") };
const bias = maskBias(input("mask", "int32", ["batch", "tokens"]));

/** Keys and values in front of the text's, seen by all, as prefix tuning adds them. */
const withPrefix: Hooks = actingAt({
  attention(site) {
    const more = (name: string) =>
      expand(input(name, "float32", [1, heads, virtual, headSize]), ["batch", heads, virtual, headSize]);
    return {
      ...site,
      key: concat([more("more keys"), site.key], 2),
      value: concat([more("more values"), site.value], 2),
      bias: concat([expand(scalar(0), ["batch", 1, 1, virtual]), site.bias], 3),
    };
  },
});

/** softmax(Q Kᵀ / √head size) V over the keys that are text or virtual, one output vector at a time. */
function byHand(prefixed: boolean): readonly number[] {
  const at = (name: "query" | "key" | "value", row: number, token: number, head: number, i: number) =>
    fed[name].data[(row * tokens + token) * hidden + head * headSize + i] as number;
  const more = (name: "more keys" | "more values", head: number, place: number, i: number) =>
    fed[name].data[(head * virtual + place) * headSize + i] as number;
  const sizes = [0, 1];
  const out: number[] = [];
  for (let row = 0; row < batch; row++) {
    for (let token = 0; token < tokens; token++) {
      for (let head = 0; head < heads; head++) {
        const read = [0, 1, 2, 3, 4].filter((other) => mask[row]?.[other] === 1);
        const pairs = [
          ...(prefixed ? [0, 1, 2, 3] : []).map((place) => ({
            key: sizes.map((i) => more("more keys", head, place, i)),
            value: sizes.map((i) => more("more values", head, place, i)),
          })),
          ...read.map((other) => ({
            key: sizes.map((i) => at("key", row, other, head, i)),
            value: sizes.map((i) => at("value", row, other, head, i)),
          })),
        ];
        const weights = pairs.map(({ key }) =>
          Math.exp(sizes.reduce((sum, i) => sum + at("query", row, token, head, i) * key[i]!, 0) / Math.sqrt(headSize)),
        );
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (const i of sizes)
          out.push(pairs.reduce((sum, { value }, k) => sum + (weights[k]! / total) * value[i]!, 0));
      }
    }
  }
  return out;
}

test.each([
  ["the text's keys only, and of them those that the mask shows", noHooks, false],
  ["virtual keys in front too", withPrefix, true],
] as const)("attention by hand and in the graph agree: %s", async (_, hooks, prefixed) => {
  const y = attention(bareScope(hooks), { ...inputs, bias, heads });
  const found = numbers((await runOnce({ y }, fed)).y!);
  const wanted = byHand(prefixed);
  expect(found.length).toBe(wanted.length);
  found.forEach((number, i) => {
    expect(number).toBeCloseTo(wanted[i]!, 5); // float32 against float64
  });
});

test("masked keys weigh exactly nothing, whatever they hold", async () => {
  const y = attention(bareScope(withPrefix), { ...inputs, bias, heads });
  const junk = (tensor: { readonly shape: readonly number[]; readonly data: Float32Array }) => {
    const data = tensor.data.map((number, i) => (mask.flat()[Math.floor(i / hidden)] ? number : 1e6 - i));
    return float32(tensor.shape, data);
  };
  const other = { ...fed, key: junk(fed.key), value: junk(fed.value) };
  expect(await runOnce({ y }, other)).toEqual(await runOnce({ y }, fed));
});
