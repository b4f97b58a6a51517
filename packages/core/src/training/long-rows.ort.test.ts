import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { collate } from "../data/batches/collate.ts";
import { packExamples } from "../data/batches/pack-examples.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { nextTokens } from "../data/rows/next-tokens.ts";
import { nodesOf } from "../graph/walk.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { prefix } from "../peft/methods/prompts/prefix.ts";
import { prompt } from "../peft/methods/prompts/prompt.ts";
import { tensorsOf } from "../peft/phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import type { Engine } from "../runtime/session.ts";
import { random } from "../tensor/random.ts";
import { compileCached, splitStep } from "./frozen-cache.ts";
import { pieceLengths, scoresAtOnce } from "./long-rows.ts";
import { compileRows } from "./row-program.ts";
import { memoryStore } from "./row-store.ts";
import { compileGraph, stepGraph } from "./step.ts";

const draw = random(3, "rows");
const texts = [11, 4, 7, 2].map((length) => Int32Array.from({ length }, () => 5 + draw.integer(90)));
const told: readonly EncodedExample[] = texts.map((inputIds) => ({ inputIds, target: nextTokens({ inputIds }) }));
const classed: readonly EncodedExample[] = texts.map((inputIds, row) => ({
  inputIds,
  target: { kind: "class", id: row % 3 },
}));
const few = lora.use({ rank: 2, dropout: 0.3 });
const cases = [
  ["causal, heads in groups", "llama-causal-lm", few, told],
  ["packed texts", "llama-causal-lm", few, packExamples(told, 12)],
  ["a window and bounded scores", "gemma2-causal-lm", few, told],
  ["behind a prompt", "llama-causal-lm", prompt.use({ tokens: 3, start: "random" }), told],
  ["keys and values in front", "gpt2-sequence-classification", prefix.use({ tokens: 3 }), classed],
  ["both sides, padded", "bert-sequence-classification", few, classed],
] as const;

test.each(cases)(
  "attention in pieces gives the loss and gradient of attention at once: %s",
  async (_, name, method, rows) => {
    const { base, path } = await goldenBase(name);
    const isText = name.endsWith("causal-lm");
    const adapted = adapt(
      base,
      [method],
      isText ? { task: "causal-lm", labels: 1 } : { task: "classification", labels: 3 },
    );
    const phi = await initialPhi(adapted, 0);
    for (const i of phi.values.keys()) phi.values[i]! += 0.02 * Math.sin(i);
    const batch = collate(rows, base.model.sizes.padId);
    const packed = batch.documents !== undefined;
    const found = async (atOnce: number | undefined, recompute: boolean) => {
      const graph = stepGraph(adapted, { dropout: 0, labelSmoothing: 0, packed, scoresAtOnce: atOnce, recompute });
      const values = [...Object.values(graph.losses), ...Object.values(graph.outputs)];
      const step = await compileGraph(nativeEngine(path), graph);
      const vector = new Float32Array(phi.values.length);
      const { loss, gradient } = await step.run(
        batch,
        phi,
        { loss: 1 / batch.items, teacher: 0, penalty: 0 },
        0,
        vector,
      );
      await step.release();
      return {
        loss,
        gradient: [...gradient],
        scans: nodesOf(values).filter(({ operator }) => operator.type === "Scan").length,
      };
    };
    const whole = await found(undefined, false);
    const row = base.model.sizes.heads * rows.length * (batch.input_ids.shape[1] ?? 0);
    for (const [atOnce, recompute] of [
      [3 * row, false],
      [2 * row, true],
    ] as const) {
      const pieces = await found(atOnce, recompute);
      expect(pieces.scans).toBeGreaterThan(whole.scans);
      expect(Math.abs(pieces.loss - whole.loss)).toBeLessThan(1e-5);
      const far = pieces.gradient.map((number, i) => Math.abs(number - (whole.gradient[i] ?? Number.NaN)));
      expect(Math.max(...far)).toBeLessThan(1e-5 * Math.max(1, ...whole.gradient.map(Math.abs))); // float32, sums in another order
    }
  },
);

test("what is frozen is kept from epoch to epoch where attention is in pieces too", async () => {
  const { base, path } = await goldenBase("llama-causal-lm");
  const adapted = adapt(base, [lora.use({ rank: 2, layers: "top:1" })], { task: "causal-lm", labels: 1 });
  const phi = await initialPhi(adapted, 0);
  const graph = stepGraph(adapted, { dropout: 0, labelSmoothing: 0, scoresAtOnce: 100 });
  const split = splitStep(graph, adapted)!;
  expect(split.savedShare).toBeGreaterThan(0.2);
  const batch = { ...collate(told, base.model.sizes.padId), rows: [0, 1, 2, 3] };
  const engine = nativeEngine(path);
  const lengths = texts.map(({ length }) => length);
  const cached = await compileCached(engine, split, lengths, { store: memoryStore(1e6), type: "float32" });
  const plain = await compileGraph(engine, graph);
  const losses: number[] = [];
  for (const step of [plain, cached, cached]) {
    const vector = new Float32Array(phi.values.length);
    losses.push((await step.run(batch, phi, { loss: 1, teacher: 0, penalty: 0 }, 0, vector)).loss);
  }
  await Promise.all([plain, cached].map((step) => step.release()));
  const [usual = 0, ...kept] = losses;
  for (const loss of kept) expect(Math.abs(loss - usual)).toBeLessThan(1e-6 * usual);
});

test("short rows stay whole; pieces have equally many rows and cover all of them", async () => {
  const { base } = await goldenBase("llama-causal-lm");
  const adapted = adapt(base, [few], { task: "causal-lm", labels: 1 });
  const { layers, heads } = base.model.sizes;
  expect(scoresAtOnce(adapted, { batch: 32, tokens: 64 }, layers)).toBeUndefined();
  expect(scoresAtOnce(adapted, { batch: 1, tokens: 2 ** 14 }, layers)).toBe(2 ** 22);
  expect(pieceLengths(adapted, [1, 1000], 1000 * heads * 300)).toEqual([4, 250]);
  expect(pieceLengths(adapted, [1, 7], 1)).toEqual([7, 1]);
});

test("a long row is answered in pieces, as it would be at once, and short ones at once", async () => {
  const { base, path } = await goldenBase("llama-causal-lm");
  const adapted = adapt(base, [few], { task: "classification", labels: 3 });
  const phi = await initialPhi(adapted, 0);
  const native = nativeEngine(path);
  let programs = 0;
  const counted: Engine = {
    ...native,
    createSession(graph) {
      programs++;
      return native.createSession(graph);
    },
  };
  const long = Int32Array.from(
    { length: Math.ceil(Math.sqrt(2 ** 25 / base.model.sizes.heads)) + 1 },
    () => 5 + draw.integer(90),
  );
  const program = await compileRows(counted, adapted, "logits");
  const [first] = await program.run(phi, [{ inputIds: long.subarray(0, 7) }]);
  expect(programs).toBe(1);
  const [answer] = await program.run(phi, [{ inputIds: long }]);
  expect(programs).toBe(2);
  expect(await program.run(phi, [{ inputIds: long.subarray(0, 7) }])).toEqual([first]);
  await program.release();
  const whole = await compile(native, { logits: adapted.forward().logits });
  const { items: _, ...batch } = collate([{ inputIds: long }], base.model.sizes.padId);
  const { logits } = await whole.run({ ...tensorsOf(phi), ...batch });
  await whole.release();
  for (const [i, number] of [...(answer?.logits ?? [])].entries())
    expect(Math.abs(number - Number(logits?.data[i]))).toBeLessThan(1e-5);
});
