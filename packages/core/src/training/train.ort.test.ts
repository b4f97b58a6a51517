import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import type { MethodUse } from "../peft/method.ts";
import { bitfit } from "../peft/methods/bitfit.ts";
import { ia3 } from "../peft/methods/ia3.ts";
import { adalora } from "../peft/methods/lora/adalora.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { random } from "../tensor/random.ts";
import { planRun } from "./plan-run.ts";
import { parseSettings } from "./settings.ts";
import type { TrainingState } from "./state.ts";
import { type TrainingEvent, type TrainingRun, trainSteps } from "./train.ts";

const numbers = random(1, "rows");
const examples: readonly EncodedExample[] = Array.from({ length: 50 }, () => {
  const inputIds = Int32Array.from({ length: 3 + numbers.integer(12) }, () => 5 + numbers.integer(90));
  return { inputIds, target: { kind: "class", id: (inputIds[0] ?? 0) % 3 } };
});

async function newRun(
  settings: object,
  methods: readonly MethodUse[] = [lora.use({ dropout: 0.2 })],
): Promise<TrainingRun> {
  const { base, path } = await goldenBase("bert-sequence-classification");
  const adapted = adapt(base, methods, { task: "classification", labels: 3 });
  const phi = await initialPhi(adapted, 3);
  return {
    engine: nativeEngine(path),
    adapted,
    phi,
    examples,
    settings: parseSettings({ batch: 8, lr: 0.01, ...settings }),
  };
}

async function events(run: TrainingRun): Promise<readonly TrainingEvent[]> {
  const all: TrainingEvent[] = [];
  for await (const event of trainSteps(run))
    all.push(event.kind === "checkpoint" ? { ...event, state: copy(event.state) } : event);
  return all;
}

const copy = (state: TrainingState): TrainingState => ({
  ...state,
  values: state.values.slice(),
  moments: state.moments.map((moment) => moment.slice()),
  best: state.best && { ...state.best, values: state.best.values.slice() },
});

const steps = (all: readonly TrainingEvent[]) => all.filter((event) => event.kind === "step");
const statesOf = (all: readonly TrainingEvent[]) =>
  all.flatMap((event) => (event.kind === "checkpoint" ? [event.state] : []));

test("a run that goes on from any checkpoint ends with the same bits and tells the same steps", async () => {
  const settings = {
    steps: 12,
    accumulate: 2,
    batch: 4,
    checkpointEvery: 1,
    evaluateEvery: 3,
    keep: "best",
    baseDropout: 0.1,
    warmup: 0.2,
  };
  const whole = { ...(await newRun(settings)), validation: examples.slice(0, 10) };
  const told = await events(whole);
  const states = statesOf(told);
  expect(states.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  for (const resume of [states[0], states[4], states[10]]) {
    const rest = { ...(await newRun(settings)), validation: examples.slice(0, 10), resume };
    const toldAgain = await events(rest);
    expect(rest.phi.values).toEqual(whole.phi.values);
    expect(steps(toldAgain)).toEqual(steps(told).slice(resume?.step));
    expect(statesOf(toldAgain)).toEqual(states.slice(resume?.step));
  }
});

test("what is dropped differs from step to step", async () => {
  const still = { batch: 50, steps: 3, lr: 0, shuffle: false };
  const told = steps(await events(await newRun({ ...still, baseDropout: 0.1 })));
  expect(new Set(told.map(({ loss }) => loss)).size).toBe(3);
  const plain = steps(await events(await newRun(still)));
  expect(new Set(plain.map(({ loss }) => loss)).size).toBe(1);
});

test("classes that all weigh the same change nothing, and what a method wants small weighs the same however a step is cut", async () => {
  const [plain] = steps(await events(await newRun({ batch: 16, steps: 1 }, [adalora.use({})])));
  const weighed = { ...(await newRun({ batch: 16, steps: 1 }, [adalora.use({})])), classWeights: [3, 3, 3] };
  const cut = await newRun({ batch: 4, accumulate: 4, steps: 1 }, [adalora.use({})]);
  expect(plain?.penalty).toBeGreaterThan(0.01);
  for (const [step] of [steps(await events(weighed)), steps(await events(cut))]) {
    expect(step?.loss).toBeCloseTo(plain?.loss ?? 9, 5);
    expect(step?.penalty).toBeCloseTo(plain?.penalty ?? 9, 5);
  }
});

test("two runs of one seed are the same bits; another seed's are others", async () => {
  const [a, b, c] = [await newRun({ steps: 4 }), await newRun({ steps: 4 }), await newRun({ steps: 4, seed: 9 })];
  for (const run of [a, b, c]) await events(run);
  expect(a.phi.values).toEqual(b.phi.values);
  expect(a.phi.values).not.toEqual(c.phi.values);
});

test.each([true, false])("accumulating micro-batches equals one large batch (shuffled: %s)", async (shuffle) => {
  const use = [lora.use({})]; // without dropout, whose noise is of each micro-batch
  const large = await newRun({ steps: 10, batch: 12, shuffle }, use);
  const small = await newRun({ steps: 10, batch: 3, accumulate: 4, shuffle }, use);
  const [a, b] = [steps(await events(large)), steps(await events(small))];
  expect([a.length, b.length, large.phi.values.length > 0]).toEqual([10, 10, true]);
  // float32 sums of parts instead of a whole
  for (const [i, step] of a.entries()) expect(Math.abs(step.loss - (b[i]?.loss ?? 0))).toBeLessThan(1e-5);
  for (const [i, value] of large.phi.values.entries())
    expect(Math.abs(value - (small.phi.values[i] ?? 0))).toBeLessThan(1e-4);
});

test("workers share a step: up to rounding what one computes, the same bits every time, also from a checkpoint on", async () => {
  const begin = async (settings: object, use = [lora.use({})]) => {
    const run = await newRun({ steps: 6, batch: 12, ...settings }, use);
    const openWorkers = async (count: number) => ({
      engines: Array.from({ length: count }, () => run.engine),
      close: async () => undefined,
    });
    return { ...run, openWorkers };
  };
  const [alone, shared] = [await begin({}), await begin({ workers: 3 })];
  const [a, b] = [steps(await events(alone)), steps(await events(shared))];
  // float32 sums of parts instead of a whole
  for (const [i, step] of a.entries()) expect(Math.abs(step.loss - (b[i]?.loss ?? 0))).toBeLessThan(1e-5);
  for (const [i, value] of alone.phi.values.entries())
    expect(Math.abs(value - (shared.phi.values[i] ?? 0))).toBeLessThan(1e-4);
  const noisy = { workers: 2, accumulate: 2, batch: 6, checkpointEvery: 1 };
  const whole = await begin(noisy, [lora.use({ dropout: 0.2 })]);
  const told = await events(whole);
  const rest = { ...(await begin(noisy, [lora.use({ dropout: 0.2 })])), resume: statesOf(told)[2] };
  expect(steps(await events(rest))).toEqual(steps(told).slice(3));
  expect(rest.phi.values).toEqual(whole.phi.values);
});

/** The events of a run that is aborted when `at` says so; it must end by throwing the reason. */
async function stopped(run: TrainingRun, at: (event: TrainingEvent) => boolean) {
  const signal = { aborted: false, reason: "enough" };
  const told: TrainingEvent[] = [];
  const running = (async () => {
    for await (const event of trainSteps({ ...run, signal })) {
      told.push(event);
      if (at(event)) signal.aborted = true;
    }
  })();
  await expect(running).rejects.toBe("enough");
  expect(told.at(-1)?.kind).toBe("checkpoint");
  return statesOf(told).at(-1);
}

test("an aborted run ends with its state and the reason, before an evaluation too, and goes on to the same bits", async () => {
  const settings = { steps: 6, evaluateEvery: 2 };
  const begin = async () => ({ ...(await newRun(settings)), validation: examples.slice(0, 10) });
  const whole = await begin();
  const told = await events(whole);
  const first = await stopped(await begin(), (event) => event.kind === "step" && event.step === 2);
  expect(first).toMatchObject({ step: 2, pending: true });
  const second = { ...(await begin()), resume: first };
  expect((await events(second)).slice(1)).toEqual(told.slice(3));
  expect(second.phi.values).toEqual(whole.phi.values);
});

test("the best adapter is kept where asked to, by any metric, and the end tells what it is worth", async () => {
  const settings = { steps: 12, evaluateEvery: 1, keep: "best", bestBy: "accuracy", lr: 0.3, clip: 0 };
  const run = { ...(await newRun(settings)), validation: examples.slice(0, 16) };
  let [best, values] = [-1, run.phi.values];
  let end: TrainingEvent | undefined;
  for await (const event of trainSteps(run)) {
    if (event.kind === "evaluation" && Number(event.evaluation.accuracy) > best)
      [best, values] = [Number(event.evaluation.accuracy), run.phi.values.slice()];
    end = event;
  }
  expect(run.phi.values).toEqual(values);
  expect(end).toMatchObject({ kind: "end", reason: "done", evaluation: { accuracy: best } });
  const blind = await newRun(settings);
  await expect(events(blind)).rejects.toThrow("there must be rows to validate on");
  const other = { ...(await newRun({ ...settings, bestBy: "acuracy" })), validation: examples.slice(0, 16) };
  await expect(events(other)).rejects.toThrow('bestBy is "acuracy"');
});

test("a loss that is no number ends the run, names the step and leaves Φ as it was", async () => {
  const run = await newRun({ steps: 50, lr: 3e38, warmup: 0, clip: 0, schedule: "constant" });
  let before = run.phi.values.slice();
  const told = (async () => {
    for await (const event of trainSteps(run)) if (event.kind === "step") before = run.phi.values.slice();
  })();
  await expect(told).rejects.toThrow(/^step \d+: the (loss|gradient's norm) is (NaN|Infinity)/);
  expect(run.phi.values).toEqual(before);
});

test("early stopping ends the run after so many evaluations without a smaller loss, with the best Φ", async () => {
  const settings = { steps: 40, evaluateEvery: 1, earlyStop: 3, lr: 0.3, schedule: "constant", clip: 0 };
  const run = { ...(await newRun(settings)), validation: examples.slice(0, 16) };
  let [best, bestValues] = [Number.POSITIVE_INFINITY, run.phi.values.slice()];
  let since = 0;
  let end: TrainingEvent | undefined;
  for await (const event of trainSteps(run)) {
    if (event.kind === "evaluation") {
      since = event.evaluation.loss < best ? 0 : since + 1;
      if (since === 0) [best, bestValues] = [event.evaluation.loss, run.phi.values.slice()];
    }
    end = event;
  }
  expect(end).toMatchObject({ kind: "end", reason: "early stop" });
  expect(since).toBe(3);
  expect(run.phi.values).toEqual(bestValues);
});

test("the head and LoRA's B move by rates of their own", async () => {
  const one = { steps: 1, schedule: "constant", optimizer: "sgd", clip: 0, lr: 0.01 };
  const moved = async (settings: object) => {
    const run = await newRun({ ...one, ...settings }, [lora.use({})]);
    const start = run.phi.values.slice();
    await events(run);
    return (pattern: RegExp) =>
      run.phi.layout.flatMap(({ name, offset, size }) =>
        pattern.test(name)
          ? Array.from({ length: size }, (_, i) => (run.phi.values[offset + i] ?? 0) - (start[offset + i] ?? 0))
          : [],
      );
  };
  const [plain, changed] = [await moved({}), await moved({ headLr: 0.03, loraPlus: 16 })];
  const ratio = (pattern: RegExp) => {
    const [a, b] = [plain(pattern), changed(pattern)];
    return b.reduce((sum, value) => sum + Math.abs(value), 0) / a.reduce((sum, value) => sum + Math.abs(value), 0);
  };
  expect(ratio(/^classifier/)).toBeCloseTo(3, 3); // float32 steps of about 1e-3
  expect(ratio(/lora_B/)).toBeCloseTo(16, 2);
});

test("rates of tensors that the model does not train are refused", async () => {
  const { adapted, examples: rows, ...run } = await newRun({ headLr: 0.1, loraPlus: 4 }, [ia3.use({})]);
  const bare = adapt(adapted.base, adapted.methods, { task: "classification", labels: 3, trainsHead: false });
  const problems = ["headLr is 0.1, but ia3 trains no head here", "loraPlus is 4, but ia3 has no B of LoRA"];
  expect(() => planRun({ ...run, adapted: bare, examples: rows })).toThrow(new RegExp(problems.join(".*\n")));
});

test("weight decay leaves out biases and norms where asked to", async () => {
  const settings = { steps: 1, schedule: "constant", optimizer: "sgd", lr: 0.1, weightDecay: 0.5, clip: 1e-9 };
  const shrunk = async (noDecay: readonly string[]) => {
    const run = await newRun({ ...settings, noDecay }, [bitfit.use({})]);
    const start = run.phi.values.slice();
    await events(run);
    const { offset = 0 } = run.phi.layout.find(({ name }) => name.endsWith("query.bias")) ?? {};
    return (run.phi.values[offset] ?? 0) / (start[offset] ?? 0);
  };
  expect(await shrunk([])).toBeCloseTo(0.95, 5);
  expect(await shrunk(["bias"])).toBeCloseTo(1, 5);
});

test("rows that are read by position train to the same bits as rows in memory", async () => {
  const settings = { steps: 9, batch: 4, accumulate: 2, evaluateEvery: 4 };
  const stored = (rows: readonly EncodedExample[]) => ({
    length: rows.length,
    lengths: rows.map(({ inputIds }) => inputIds.length),
    at: async (row: number) => rows[row] ?? Promise.reject(new Error(`there is no row ${row}`)),
  });
  const validation = examples.slice(0, 10);
  const inMemory = { ...(await newRun(settings)), validation };
  const onDisk = { ...(await newRun(settings)), examples: stored(examples), validation: stored(validation) };
  expect(await events(onDisk)).toEqual(await events(inMemory));
  expect(onDisk.phi.values).toEqual(inMemory.phi.values);
});
