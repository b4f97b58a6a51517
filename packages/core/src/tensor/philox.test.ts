import fc from "fast-check";
import { expect, test } from "vitest";
import { philox } from "./philox.ts";

// the philox4x32 10 lines of Random123's kat_vectors file: counter, key, output
const knownAnswers: { counter: [number, number, number, number]; key: [number, number]; output: number[] }[] = [
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    output: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    output: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    output: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];

test("philox gives the published known answers", () => {
  for (const { counter, key, output } of knownAnswers) {
    const out = new Uint32Array(4);
    philox(out, ...counter, ...key);
    expect([...out]).toEqual(output);
  }
});

test("philox agrees with its definition in exact integers", () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
      const out = new Uint32Array(4);
      philox(out, ...counter, ...key);
      expect([...out].map(BigInt)).toEqual(definition(counter.map(BigInt), key.map(BigInt)));
    }),
  );
});

function definition(counter: bigint[], key: bigint[]): bigint[] {
  const mask = 0xffffffffn;
  let [r0, l0, r1, l1] = [counter[0]!, counter[1]!, counter[2]!, counter[3]!];
  for (let round = 0n; round < 10n; round++) {
    const [k0, k1] = [(key[0]! + round * 0x9e3779b9n) & mask, (key[1]! + round * 0xbb67ae85n) & mask];
    const [p0, p1] = [r0 * 0xd2511f53n, r1 * 0xcd9e8d57n];
    [r0, l0, r1, l1] = [(p1 >> 32n) ^ l0 ^ k0, p1 & mask, (p0 >> 32n) ^ l1 ^ k1, p0 & mask];
  }
  return [r0, l0, r1, l1];
}
