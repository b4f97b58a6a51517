import { describe, expect, test } from "vitest";
import { loadAdapterFiles } from "../adapters/adapter-on-base.ts";
import { encodeAdapter } from "../adapters/encode-adapter.ts";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { memoryFolder } from "../containers/folder.ts";
import { collate } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { encodeExamples } from "../data/rows/encode.ts";
import type { Example, ExampleSet } from "../data/rows/examples.ts";
import { labelMap } from "../data/rows/labels.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import type { Phi } from "../peft/phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { random } from "../tensor/random.ts";
import { compileEvaluation } from "../training/evaluate.ts";
import { parseSettings } from "../training/settings.ts";
import { compileStep } from "../training/step.ts";
import { trainSteps } from "../training/train.ts";
import { objectiveOf, objectives, outputsFor, type Task } from "./objectives.ts";

const stream = random(11, "rows of objectives");
const texts = [5, 3, 9, 6].map((length) => Int32Array.from({ length }, () => 5 + stream.integer(90)));
const names = ["O", "B-red", "I-red"];

/** A base of each objective's head, and what its rows are to give. */
const cases: Readonly<Record<Task, { readonly base: string; labelled(row: number, ids: Int32Array): object }>> = {
  classification: { base: "bert-sequence-classification", labelled: (row) => ({ label: names[row % 3] }) },
  regression: { base: "bert-regression", labelled: (row) => ({ label: row - 1.5 }) },
  "multi-label": {
    base: "bert-sequence-classification",
    labelled: (row) => ({ labels: Int32Array.from([[0, 1], [], [2], [0]][row] ?? []) }),
  },
  "token-classification": {
    base: "bert-token-classification",
    labelled: (row, ids) => ({ labels: ids.map((id, token) => ((token + row) % 4 === 0 ? -100 : id % 3)) }),
  },
  "masked-lm": {
    base: "bert-masked-lm",
    labelled: (_, ids) => ({ labels: ids.map((id, token) => (token % 2 === 0 ? id : -100)) }),
  },
  "causal-lm": { base: "llama-causal-lm", labelled: () => ({}) },
};

async function opened(task: Task) {
  const { base: name, labelled } = cases[task];
  const { base, path } = await goldenBase(name);
  const labels = labelMap(objectiveOf(task).hasClasses ? names : []);
  const adapted = adapt(base, [lora.use({ rank: 2 })], { task, labels: outputsFor(task, names.length) });
  const examples = texts.map((inputIds, row): Example => ({ kind: "tokens", inputIds, ...labelled(row, inputIds) }));
  const set: ExampleSet = { name: "rows", examples, placeOf: (row) => `row ${row}`, columns: { text: "input_ids" } };
  const rows = encodeExamples(set, objectiveOf(task).targets(labels), { maxLength: 64 });
  return { base, adapted, rows, engine: nativeEngine(path), phi: await moved(adapted) };
}

/** Φ away from where it starts, so that nothing is zero by chance. */
async function moved(adapted: Parameters<typeof initialPhi>[0]): Promise<Phi> {
  const start = await initialPhi(adapted, 3);
  const noise = random(8, "moved");
  return { ...start, values: start.values.map((value) => value + 0.05 * noise.normal()) };
}

const one = { loss: 1, teacher: 0, penalty: 0 };

test("every objective is tried", () => {
  expect(Object.keys(cases).sort()).toEqual(objectives.map(({ name }) => name).sort());
});

describe.each(objectives)("$name", (objective) => {
  const { name: task, takes } = objective;
  const terms = {
    labelSmoothing: takes.labelSmoothing ? 0.1 : 0,
    classWeights: takes.classWeights ? [0.5, 2, 1.25] : undefined,
  };

  test("the gradient agrees with central differences, and rows alone have together the loss of their batch", async () => {
    const { adapted, rows, engine, phi, base } = await opened(task);
    const step = await compileStep(engine, adapted, { dropout: 0, ...terms });
    const vector = () => new Float32Array(phi.values.length);
    const run = (examples: readonly EncodedExample[], values: Float32Array) =>
      step.run(collate(examples, base.model.sizes.padId), { ...phi, values }, one, 0, vector());
    const whole = await run(rows, phi.values.slice());
    const gradient = whole.gradient.slice();
    const length = Math.hypot(...gradient);
    const along = async (distance: number) =>
      (
        await run(
          rows,
          phi.values.map((value, i) => value + (distance * gradient[i]!) / length),
        )
      ).loss;
    const h = 8e-3;
    const [a, b, c, d] = [await along(-2 * h), await along(-h), await along(h), await along(2 * h)];
    expect((8 * (c - b) - (d - a)) / (12 * h) / length).toBeCloseTo(1, 2); // float32 losses of about 1 over steps of 1e-2
    let alone = 0;
    for (const row of rows) alone += (await run([row], phi.values.slice())).loss;
    await step.release();
    expect(alone / whole.loss).toBeCloseTo(1, 5); // float32 sums in another order
  });

  test("micro-batches that are accumulated train what one large batch does", async () => {
    const { adapted, rows, engine, phi } = await opened(task);
    const after = async (batch: number, accumulate: number) => {
      const given = { steps: 2, batch, accumulate, optimizer: "sgd", lr: 0.1, clip: 0, schedule: "constant" };
      const own = { ...phi, values: phi.values.slice() };
      const settings = parseSettings({ ...given, labelSmoothing: terms.labelSmoothing, shuffle: false });
      const run = { engine, adapted, phi: own, examples: rows, settings, classWeights: terms.classWeights };
      const losses: number[] = [];
      for await (const event of trainSteps(run)) if (event.kind === "step") losses.push(event.loss);
      return { losses, values: own.values };
    };
    const [large, small] = [await after(4, 1), await after(1, 4)];
    for (const [i, loss] of large.losses.entries()) expect(small.losses[i]! / loss).toBeCloseTo(1, 5);
    expect(Math.max(...small.values.map((value, i) => Math.abs(value - large.values[i]!)))).toBeLessThan(1e-5);
  });

  test("a saved adapter measures as it did, with every metric that is declared", async () => {
    const { adapted, rows, engine, phi, base } = await opened(task);
    const measured = async (model: typeof adapted, values: Phi) => {
      const evaluation = await compileEvaluation(engine, model, { labels: objective.hasClasses ? names : undefined });
      const result = await evaluation.run(values, rows);
      await evaluation.release();
      return result;
    };
    const before = await measured(adapted, phi);
    const labels = objective.hasClasses ? { labels: names } : {};
    const files = encodeAdapter({ adapted, phi }, { baseName: base.name, ...labels });
    const again = await loadAdapterFiles(memoryFolder("saved", { ...files }), base);
    expect(again.adapted.goal.task).toBe(task);
    expect(await measured(again.adapted, again.phi)).toEqual(before);
    expect(Object.keys(before)).toEqual(expect.arrayContaining(objective.metrics.map(({ name }) => name)));
  });
});
