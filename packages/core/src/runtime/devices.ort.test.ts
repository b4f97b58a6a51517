import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { collate } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { nextTokens } from "../data/rows/next-tokens.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { random } from "../tensor/random.ts";
import { compileStep } from "../training/step.ts";
import type { DeviceName } from "./devices.ts";
import { nativeEngine } from "./native.fake.ts";
import { oneSession } from "./one-session.ts";
import type { Engine } from "./session.ts";

const draw = random(3, "rows");
const texts = [9, 4, 7].map((length) => Int32Array.from({ length }, () => 5 + draw.integer(90)));
const told: readonly EncodedExample[] = texts.map((inputIds) => ({ inputIds, target: nextTokens({ inputIds }) }));
const classed = texts.map((inputIds, id): EncodedExample => ({ inputIds, target: { kind: "class", id } }));
const cases = [
  ["bert-sequence-classification", { task: "classification", labels: 3 }, classed],
  ["gpt2-causal-lm", { task: "causal-lm", labels: 1 }, told],
] as const;

test.each(cases)(
  "%s as webgpu wants it gives the same loss and gradient, without the operators that it lacks",
  async (name, goal, rows) => {
    const { base, path } = await goldenBase(name);
    const adapted = adapt(base, [lora.use({ rank: 2, dropout: 0.2 })], goal);
    const phi = await initialPhi(adapted, 0);
    for (const i of phi.values.keys()) phi.values[i]! += 0.02 * Math.sin(i);
    const batch = collate(rows, base.model.sizes.padId);
    const operators = new Set<string>();
    const found = async (device: DeviceName) => {
      const native = nativeEngine(path);
      const engine: Engine = {
        ...native,
        device,
        createSession: (graph) => {
          if (device === "webgpu") for (const operator of graph.operators) operators.add(operator);
          return native.createSession(graph);
        },
      };
      const step = await compileStep(engine, adapted, { dropout: 0, labelSmoothing: 0 });
      const vector = new Float32Array(phi.values.length);
      const { loss, gradient } = await step.run(
        batch,
        phi,
        { loss: 1 / batch.items, teacher: 0, penalty: 0 },
        5,
        vector,
      );
      await step.release();
      return { loss, gradient: [...gradient] };
    };
    const [cpu, other] = [await found("cpu"), await found("webgpu")];
    expect(["FusedMatMul", "LogSoftmax", "Scan"].filter((type) => operators.has(type))).toEqual([]);
    expect(Math.abs(other.loss - cpu.loss)).toBeLessThan(1e-5); // the same sums in smaller operators
    const far = other.gradient.map((number, i) => Math.abs(number - (cpu.gradient[i] ?? Number.NaN)));
    expect(Math.max(...far)).toBeLessThan(1e-4);
  },
);

test("where one session is open at a time, each answers as if it were alone", async () => {
  let open = 0;
  const session = (name: string) => ({
    run: async () => ({ [name]: { dtype: "float32" as const, shape: [], data: Float32Array.of(open) } }),
    release: async () => void open--,
  });
  const graph = (name: string) => ({
    model: new Uint8Array(),
    inputs: [],
    outputs: [{ name, dtype: "float32" as const, shape: [] }],
    weights: [],
    operators: [],
    how: {},
  });
  const engine = oneSession({
    fileName: (file) => file,
    hold: () => Promise.reject(new Error("nothing is held")),
    share: () => ({ values: new Float32Array() }),
    sees: () => false,
    async createSession({ outputs }) {
      open++;
      return session(outputs[0]?.name ?? "");
    },
  });
  const [first, second] = [await engine.createSession(graph("a")), await engine.createSession(graph("b"))];
  const answers = await Promise.all([first, second, first].map((each) => each.run({})));
  expect(answers.map((answer) => Object.entries(answer).map(([name, { data }]) => [name, Number(data[0])]))).toEqual([
    [["a", 1]],
    [["b", 1]],
    [["a", 1]],
  ]);
  await first.release();
  await second.release();
  expect(open).toBe(0);
  await expect(first.run({})).rejects.toThrow("given back");
});
