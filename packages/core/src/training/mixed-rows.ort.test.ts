import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { aloneBecause } from "../peft/alone-because.ts";
import type { Goal } from "../peft/goal.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { canJoin, joinKinds } from "../peft/joined.ts";
import type { MethodUse } from "../peft/method.ts";
import { bitfit } from "../peft/methods/bitfit.ts";
import { bottleneck } from "../peft/methods/bottleneck/bottleneck.ts";
import { parallel } from "../peft/methods/bottleneck/parallel.ts";
import { head } from "../peft/methods/head.ts";
import { ia3 } from "../peft/methods/ia3.ts";
import { lnTuning } from "../peft/methods/ln-tuning.ts";
import { adalora } from "../peft/methods/lora/adalora.ts";
import { dora } from "../peft/methods/lora/dora.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { loha } from "../peft/methods/lycoris/loha.ts";
import { lokr } from "../peft/methods/lycoris/lokr.ts";
import { llamaAdapter } from "../peft/methods/prompts/llama-adapter.ts";
import { prefix } from "../peft/methods/prompts/prefix.ts";
import { prompt } from "../peft/methods/prompts/prompt.ts";
import { vera } from "../peft/methods/vera.ts";
import { methods } from "../peft/methods.ts";
import { lengthOf } from "../peft/phi.ts";
import type { HeldSource } from "../runtime/held.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import type { Engine } from "../runtime/session.ts";
import { random } from "../tensor/random.ts";
import { compileMixedRows } from "./mixed-rows.ts";
import { compileRows } from "./row-program.ts";

const goal: Goal = { task: "classification", labels: 3 };

/** An adapter of numbers a little off its method's start. */
async function drawn(adapted: AdaptedModel, seed: number): Promise<AdapterNumbers> {
  const phi = await initialPhi(adapted, seed);
  const stream = random(seed, "another adapter");
  return { adapted, phi: { ...phi, values: phi.values.map((value) => value + 0.1 * (stream.uniform() - 0.5)) } };
}

/** A row and which of some adapters it asks. */
interface NumberedRow {
  readonly of: number;
  readonly row: EncodedExample;
}

/** Rows of random adapters, lengths and tokens. */
function randomRows(count: number, adapters: number, seed: number): readonly NumberedRow[] {
  const stream = random(seed, "rows");
  return Array.from({ length: count }, () => ({
    of: stream.integer(adapters),
    row: { inputIds: Int32Array.from({ length: 1 + stream.integer(9) }, () => 2 + stream.integer(90)) },
  }));
}

/** The largest distance of rows computed side by side from the same rows each alone. */
async function distanceFromAlone(
  name: string,
  adapters: readonly AdapterNumbers[],
  rows: readonly NumberedRow[],
): Promise<number> {
  const { base, path } = await goldenBase(name);
  const engine = nativeEngine(path);
  const joined = await joinKinds(base, [...new Set(adapters.map(({ adapted }) => adapted))]);
  const mixed = await compileMixedRows(engine, joined, "logits", rows.length);
  const together = await mixed.run(rows.flatMap(({ of, row }) => askedOf(adapters[of], row)));
  await mixed.release();
  let largest = 0;
  for (const [of, { adapted, phi }] of adapters.entries()) {
    const alone = await compileRows(engine, adapted, "logits");
    for (const [at, row] of rows.entries()) {
      if (row.of !== of) continue;
      const [own] = await alone.run(phi, [row.row]);
      expect(together[at]?.shape).toEqual(own?.shape);
      for (const [i, x] of (own?.logits ?? []).entries())
        largest = Math.max(largest, Math.abs(x - (together[at]?.logits[i] ?? 9)));
    }
    await alone.release();
  }
  return largest;
}

const askedOf = (adapter: AdapterNumbers | undefined, row: EncodedExample) => (adapter ? [{ adapter, row }] : []);

const rounding = 2e-6; // float32 sums in another order

type Various = readonly (readonly [readonly MethodUse[], number])[];

/** Adapters that differ in methods, sizes, scales, sites and labels, and one that is none. */
const various: Various = [
  [[], 2],
  [[lora.use({ rank: 2, alpha: 7 })], 3],
  [[lora.use({ rank: 5, rankStabilized: true, targets: "query,dense", rankPattern: { query: 3 } })], 5],
  [[bottleneck.use({ size: 3 })], 2],
  [[bottleneck.use({ size: 6, layers: "0" })], 4],
  [[bottleneck.use({ size: 4, placement: "pfeiffer", activation: "relu" })], 2],
  [[parallel.use({ size: 2, scale: 3 })], 2],
  [[ia3.use({})], 3],
  [[bitfit.use({})], 2],
  [[lora.use({ rank: 1 }), bitfit.use({ targets: "query" })], 2],
  [[adalora.use({ initialRank: 2, alpha: 9 })], 2],
  [[adalora.use({ initialRank: 4, rankPattern: { query: 1, value: 0 }, targets: "all-linear" })], 3],
  [[loha.use({ rank: 2, alpha: 3 })], 2],
  [[loha.use({ rank: 3, targets: "query,dense", rankPattern: { query: 1 }, alphaPattern: { query: 5 } })], 2],
  [[lokr.use({ rank: 2 })], 2],
];

/** The same for a decoder with a head, in which groups of queries share keys. */
const variousOfDecoder: Various = [
  [[], 2],
  [[head.use({})], 3],
  [[lora.use({ rank: 2, alpha: 7 }), lnTuning.use({})], 4],
  [[lnTuning.use({})], 2],
  [[bottleneck.use({ size: 3 })], 2],
  [[parallel.use({ size: 2, scale: 3 })], 3],
  [[ia3.use({})], 3],
  [[adalora.use({ initialRank: 3 })], 2],
  [[loha.use({ rank: 2 })], 2],
  [[lokr.use({ rank: 1, decomposeBoth: true })], 2],
  [[llamaAdapter.use({ tokens: 2 })], 2],
  [[llamaAdapter.use({ tokens: 2 }), lora.use({ rank: 1 })], 5],
  [[llamaAdapter.use({ tokens: 3, gate: "head-tanh", layers: "1" })], 2],
];

/** Adapters of methods that keep to themselves, each list as different as may be. */
const apart: Readonly<Record<string, readonly (readonly MethodUse[])[]>> = {
  dora: [
    [dora.use({ rank: 2, alpha: 7 })],
    [dora.use({ rank: 4, targets: "all-linear", rankStabilized: true })],
    [dora.use({ rank: 1, layers: "0" }), bitfit.use({})],
  ],
  prompt: [
    [prompt.use({ tokens: 3 })],
    [prompt.use({ tokens: 3, start: "random" }), lora.use({ rank: 2 })],
    [prompt.use({ tokens: 3 }), ia3.use({})],
  ],
  prefix: [[prefix.use({ tokens: 2 })], [prefix.use({ tokens: 2 }), lora.use({ rank: 1, alpha: 3 })]],
};

for (const [name, lists] of Object.entries(apart)) {
  test(`adapters of ${name} and what goes with it share a batch among themselves, and none with rows that are without`, async () => {
    const { base } = await goldenBase("bert-base");
    const labels = (at: number) => ({ task: "classification", labels: 2 + at }) as const;
    const adapters = await Promise.all(lists.map((uses, at) => drawn(adapt(base, uses, labels(at)), at)));
    const kinds = adapters.map(({ adapted }) => adapted);
    expect(canJoin(kinds)).toBe(true);
    expect(canJoin([...kinds, adapt(base, [], goal)])).toBe(false);
    expect(canJoin([...kinds, adapt(base, [lora.use({})], goal)])).toBe(false);
    expect(await distanceFromAlone("bert-base", adapters, randomRows(30, adapters.length, 6))).toBeLessThan(rounding);
  });
}

for (const [name, lists] of [
  ["bert-base", various],
  ["llama-sequence-classification", variousOfDecoder],
] as const) {
  test(`on ${name}, adapters of other methods, ranks, sizes, scales, sites and labels share a batch, and each row is as alone`, async () => {
    const { base } = await goldenBase(name);
    const adapters = await Promise.all(
      lists.map(([uses, labels], seed) => drawn(adapt(base, uses, { task: "classification", labels }), seed)),
    );
    expect(canJoin(adapters.map(({ adapted }) => adapted))).toBe(true);
    expect(await distanceFromAlone(name, adapters, randomRows(160, adapters.length, 5))).toBeLessThan(rounding);
  });
}

test("heads of other sizes that read every token share a batch", async () => {
  const { base } = await goldenBase("bert-base");
  const task = "token-classification";
  const adapters = await Promise.all(
    [2, 5, 3].map((labels) => drawn(adapt(base, [lora.use({ rank: labels })], { task, labels }), labels)),
  );
  expect(await distanceFromAlone("bert-base", adapters, randomRows(12, 3, 7))).toBeLessThan(rounding);
});

test("what is put into a row's place does not depend on what lay there", async () => {
  const { base } = await goldenBase("bert-base");
  const adapters = await Promise.all(
    various
      .slice(0, 5)
      .map(([uses, labels], seed) => drawn(adapt(base, uses, { task: "classification", labels }), seed)),
  );
  const joined = await joinKinds(
    base,
    adapters.map(({ adapted }) => adapted),
  );
  for (const adapter of adapters) {
    const [fresh, used] = [0, Number.NaN].map((before) => {
      const values = new Float32Array(lengthOf(joined.adapted.layout)).fill(before);
      joined.place(adapter, values, ({ offset }) => offset);
      return values;
    });
    expect(used).toEqual(fresh);
  }
});

test("every method that does not say why it is alone was tried beside others", () => {
  const tried = [...various, ...variousOfDecoder].flatMap(([uses]) => uses).concat(Object.values(apart).flat(2));
  const mixing = methods.filter(({ alone }) => alone === undefined).map(({ name }) => name);
  expect([...new Set(tried.map(({ name }) => name))].sort()).toEqual(mixing.sort());
});

test("a row without an adapter is the base's to the bit beside methods of their own, whatever lay in its place before", async () => {
  const { base, path } = await goldenBase("bert-base");
  const engine = nativeEngine(path);
  const plain = adapt(base, [], { ...goal, trainsHead: true });
  const uses = [lora.use({ rank: 2 }), parallel.use({ size: 3 }), ia3.use({})];
  const others = await Promise.all(uses.map((use, seed) => drawn(adapt(base, [use], goal), seed)));
  const joined = await joinKinds(base, [plain, ...others.map(({ adapted }) => adapted)]);
  const own = { adapted: plain, phi: await initialPhi(plain, 0) };
  const mixed = await compileMixedRows(engine, joined, "hidden", 8);
  const bare = await compileRows(engine, plain, "hidden");
  const rows = randomRows(8, 1, 6).map(({ row }) => row);
  const alone = await bare.run(own.phi, rows);
  for (const [turn, adapter] of others.entries()) {
    const isOther = (at: number) => (at + turn) % 3 === 0;
    const together = await mixed.run(rows.map((row, at) => ({ row, adapter: isOther(at) ? adapter : own })));
    expect([alone.length, together.length]).toEqual([8, 8]);
    for (const at of rows.keys())
      if (!isOther(at)) expect(together[at]?.logits).toEqual(alone[at]?.logits);
      else expect(together[at]?.logits).not.toEqual(alone[at]?.logits);
  }
  await Promise.all([bare.release(), mixed.release()]);
});

test("what becomes of a row does not depend on the batches before", async () => {
  const { base, path } = await goldenBase("bert-base");
  const engine = nativeEngine(path);
  const adapters = await Promise.all(
    [1, 2, 3, 4].map((rank) => drawn(adapt(base, [lora.use({ rank })], { ...goal, labels: 1 + rank }), rank)),
  );
  const joined = await joinKinds(
    base,
    adapters.map(({ adapted }) => adapted),
  );
  const used = await compileMixedRows(engine, joined, "logits", 6);
  for (let seed = 0; seed < 8; seed++) {
    const rows = randomRows(2 + (seed % 5), 4, seed).flatMap(({ of, row }) => askedOf(adapters[of], row));
    const fresh = await compileMixedRows(engine, joined, "logits", 6);
    const [first, later] = [await fresh.run(rows), await used.run(rows)];
    await fresh.release();
    expect(later.map(({ shape }) => shape)).toEqual(rows.map(({ adapter }) => [adapter.adapted.goal.labels]));
    for (const [at, { logits }] of later.entries())
      for (const [i, x] of logits.entries()) expect(Math.abs(x - (first[at]?.logits[i] ?? 9))).toBeLessThan(rounding);
  }
  await used.release();
});

test("where numbers do not arrive no row is answered, and the next batch is as if nothing had been", async () => {
  const { base, path } = await goldenBase("bert-base");
  const engine = nativeEngine(path);
  let fails = false;
  const hold: Engine["hold"] = async (numbers) => {
    const held = await engine.hold(numbers);
    const { copy } = held;
    return Object.assign(held, {
      copy: async (sources: readonly HeldSource[]) => (fails ? Promise.reject(new Error("no copy")) : copy(sources)),
    });
  };
  const adapters = await Promise.all([1, 2].map((rank) => drawn(adapt(base, [lora.use({ rank })], goal), rank)));
  const joined = await joinKinds(
    base,
    adapters.map(({ adapted }) => adapted),
  );
  const rows = randomRows(6, 2, 9).flatMap(({ of, row }) => askedOf(adapters[of], row));
  const [disturbed, calm] = [
    await compileMixedRows({ ...engine, hold }, joined, "logits", 6),
    await compileMixedRows(engine, joined, "logits", 6),
  ];
  await disturbed.run(rows.slice(3));
  fails = true;
  await expect(disturbed.run(rows)).rejects.toThrow("no copy");
  fails = false;
  expect(await disturbed.run(rows)).toEqual(await calm.run(rows));
  await Promise.all([disturbed.release(), calm.release()]);
});

test("adapters that cannot be mixed are refused with the reason", async () => {
  const { base } = await goldenBase("bert-base");
  const found = adapt(base, [vera.use({ rank: 2 })], goal);
  const reason = "vera: the matrices that its layers share may differ from adapter to adapter";
  expect(aloneBecause(found)).toEqual([reason]);
  expect(canJoin([found, found])).toBe(false);
  await expect(joinKinds(base, [found])).rejects.toThrow(reason);
});
