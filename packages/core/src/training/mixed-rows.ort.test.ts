import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { adapt } from "../peft/adapt.ts";
import { aloneBecause } from "../peft/alone-because.ts";
import type { Goal } from "../peft/goal.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { methods } from "../peft/methods.ts";
import type { Phi } from "../peft/phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { random } from "../tensor/random.ts";
import { compileMixedRows } from "./mixed-rows.ts";
import { compileRows } from "./row-program.ts";

const goal: Goal = { task: "classification", labels: 3 };

/** Another adapter of the same kind: every number a little off. */
const moved = (phi: Phi, seed: number): Phi => {
  const stream = random(seed, "another adapter");
  return { ...phi, values: phi.values.map((value) => value + 0.1 * (stream.uniform() - 0.5)) };
};

const mixing = methods.filter(({ alone }) => alone === undefined);

/** A base without biases has nothing that bitfit trains. */
const combinations = ["bert-base", "llama-sequence-classification"].flatMap((name) =>
  mixing.filter((method) => name === "bert-base" || method.name !== "bitfit").map((method) => ({ name, method })),
);

for (const { name, method } of combinations) {
  test(`on ${name}, rows of one batch with ${method.name} adapters of their own are as each alone`, async () => {
    const { base, path } = await goldenBase(name);
    const found = adapt(base, [method.use({})], goal);
    const engine = nativeEngine(path);
    const start = await initialPhi(found, 0);
    const phis = [start, moved(start, 1), moved(start, 2), moved(start, 3)];
    const stream = random(4, "rows");
    const rows = Array.from({ length: 24 }, () => ({
      slot: stream.integer(3),
      row: { inputIds: Int32Array.from({ length: 1 + stream.integer(9) }, () => 2 + stream.integer(90)) },
    }));
    const alone = await compileRows(engine, found, "logits");
    const mixed = await compileMixedRows(engine, found, "logits", 3);
    const check = async (held: readonly Phi[]) => {
      const together = await mixed.run(rows);
      for (const [at, { slot, row }] of rows.entries()) {
        const [own] = await alone.run(held[slot] ?? start, [row]);
        const distance = Math.max(...(own?.logits ?? []).map((x, i) => Math.abs(x - (together[at]?.logits[i] ?? 9))));
        expect(distance).toBeLessThan(2e-6); // float32 sums in another order
      }
    };
    for (const slot of [0, 1, 2]) mixed.put(slot, phis[slot] ?? start);
    await check(phis);
    mixed.put(1, phis[3] ?? start); // a slot that is used again leaves its neighbours as they are
    await check([phis[0] ?? start, phis[3] ?? start, phis[2] ?? start]);
    await Promise.all([alone.release(), mixed.release()]);
  });
}

test("adapters that cannot be mixed are refused with the reason", async () => {
  const { base, path } = await goldenBase("bert-base");
  const prefix = methods.find(({ name }) => name === "prefix");
  const found = adapt(base, prefix ? [prefix.use({ tokens: 2 })] : [], goal);
  expect(aloneBecause(found)).toEqual(["prefix: its vectors are the same for all rows of a batch"]);
  await expect(compileMixedRows(nativeEngine(path), found, "logits", 2)).rejects.toThrow("prefix: its vectors");
});
