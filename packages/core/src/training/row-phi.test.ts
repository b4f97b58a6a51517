import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { adapt } from "../peft/adapt.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { joinKinds } from "../peft/joined.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { lengthOf } from "../peft/phi.ts";
import { type HeldNumbers, heldMemory } from "../runtime/held.ts";
import { random } from "../tensor/random.ts";
import { bestRows, rowPhi } from "./row-phi.ts";

const { base } = await goldenBase("bert-base");
const most = 7;

/** Adapters of three widths, the numbers of each its own, in the order of their Φ. */
async function drawn(count: number): Promise<readonly AdapterNumbers[]> {
  const adapters = Array.from({ length: count }, async (_, at) => {
    const adapted = adapt(base, [lora.use({ rank: 1 + (at % 3) })], { task: "classification", labels: 2 });
    const phi = await initialPhi(adapted, at);
    return { adapted, phi: { ...phi, values: phi.values.map((value) => value + at) } };
  });
  return Promise.all(adapters);
}

/** Adapters in the order in which their rows stand best. */
function inRows(held: Parameters<typeof bestRows>[0], asked: readonly AdapterNumbers[]): readonly AdapterNumbers[] {
  const rows = bestRows(held, asked);
  expect([...rows].sort((a, b) => a - b)).toEqual([...asked.keys()]);
  return [...asked.entries()].sort(([a], [b]) => (rows[a] ?? 0) - (rows[b] ?? 0)).map(([, adapter]) => adapter);
}

test.each([
  ["one adapter's padded numbers are", 1, true],
  ["two adapters' padded numbers are", 2, true],
  ["two adapters' numbers, none of them seen, are", 2, false],
  ["all numbers are", most, true],
])(
  "where %s under way at a time, each row reads its own adapter's, whatever lay there and whatever failed before",
  async (_, atOnce, sees) => {
    const adapters = await drawn(9);
    const joined = await joinKinds(
      base,
      adapters.map(({ adapted }) => adapted),
    );
    const { layout } = joined.adapted;
    const stream = random(3, "batches");
    const memory = heldMemory();
    let fails = false;
    const failing = async (length: number): Promise<HeldNumbers> => {
      const held = await memory.hold(length);
      const { copy } = held;
      const unsure: HeldNumbers["copy"] = async (sources) => {
        if (fails && stream.uniform() < 0.5) throw new Error("no copy");
        return copy(sources);
      };
      return Object.assign(held, { copy: unsure });
    };
    const phi = await rowPhi(
      { ...memory, hold: failing, sees: () => sees },
      joined,
      [],
      most,
      atOnce * lengthOf(layout),
    );
    for (let round = 0; round < 60; round++) {
      const asked = Array.from({ length: 1 + stream.integer(most) }, () => adapters[stream.integer(9)] ?? adapters[0]!);
      const rows = inRows(phi.held(), asked);
      fails = round % 3 === 0;
      const arrived = async () => {
        await (await phi.put(rows)).arrived;
        return true;
      };
      if (!(await arrived().catch(() => false))) continue;
      const tensors = phi.tensors(rows.length);
      for (const [row, adapter] of rows.entries()) {
        const own = new Float32Array(lengthOf(layout));
        joined.place(adapter, own, ({ offset }) => offset);
        for (const { name, offset, size } of layout)
          expect(memory.numbersOf(tensors[name]!).subarray(row * size, (row + 1) * size)).toEqual(
            own.subarray(offset, offset + size),
          );
      }
    }
    await phi.release();
    expect(() => memory.numbersOf(Object.values(phi.tensors(1))[0]!)).toThrow("given back");
  },
);

test.each([true, false])(
  "where numbers are seen: %s, a Φ that a training has lent is refused, and its row is empty",
  async (sees) => {
    const [lent, other] = (await drawn(6)).slice(2, 4) as [AdapterNumbers, AdapterNumbers];
    const joined = await joinKinds(base, [lent.adapted, other.adapted]);
    const phi = await rowPhi({ ...heldMemory(), sees: () => sees }, joined, [], most);
    const gone = { ...lent, phi: { ...lent.phi, values: new Float32Array() } };
    await expect(phi.put([other, gone]).then(({ arrived }) => arrived)).rejects.toThrow("being trained");
    expect(phi.held()[1]).toBeUndefined();
  },
);

test("adapters that lie in the rows stay there, and copies are made of the others alone", async () => {
  const adapters = await drawn(8);
  const joined = await joinKinds(
    base,
    adapters.map(({ adapted }) => adapted),
  );
  const memory = heldMemory();
  let copied = 0;
  const counting = async (length: number): Promise<HeldNumbers> => {
    const held = await memory.hold(length);
    const { copy } = held;
    const counted: HeldNumbers["copy"] = async (sources) => {
      copied += sources.flatMap(({ moves }) => moves).reduce((sum, move) => sum + move.pieces * move.length, 0);
      return copy(sources);
    };
    return Object.assign(held, { copy: counted });
  };
  const phi = await rowPhi({ ...memory, hold: counting }, joined, [], most);
  const put = async (asked: readonly number[]) => {
    copied = 0;
    const { arrived } = await phi.put(
      inRows(
        phi.held(),
        asked.flatMap((at) => adapters[at] ?? []),
      ),
    );
    await arrived;
    return copied / lengthOf(joined.adapted.layout);
  };
  expect(await put([0, 1, 2, 1, 0])).toBe(5);
  expect(await put([1, 0, 0, 2, 1])).toBe(0);
  expect(await put([3, 0, 2, 1, 3])).toBe(2);
  expect(await put([4, 5, 6, 7, 4, 5, 6])).toBe(7);
});
