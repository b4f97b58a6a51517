import { expect, test } from "vitest";
import { gradientError } from "../autodiff/central-differences.fake.ts";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { input } from "../graph/value.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { full } from "../peft/methods/full.ts";
import { nativeEngine, numbers, runOnce } from "../runtime/native.fake.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { summedDistance } from "./distillation.ts";
import { parseSettings } from "./settings.ts";
import { compileTextVectors } from "./text-vectors.ts";
import { type StepEvent, trainSteps } from "./train.ts";

const [student, teacher] = [input("student", "float32", ["batch", 3]), input("taught", "float32", ["batch", 3])];
const drawn = (count: number, width: number, seed: number) => {
  const values = new Float32Array(count * width);
  random(seed, "vectors").fillNormal(values, 0, 1);
  return float32([count, width], values);
};

test("the distance is 0 for the teacher's own direction, 2 for its opposite, and lengths do not count", async () => {
  const distance = async (x: readonly number[], t: readonly number[]) => {
    const fed = { student: float32([1, 3], Float32Array.from(x)), taught: float32([1, 3], Float32Array.from(t)) };
    return numbers((await runOnce({ loss: summedDistance(student, teacher) }, fed)).loss!)[0];
  };
  expect(await distance([1, 2, 3], [2, 4, 6])).toBeCloseTo(0, 6);
  expect(await distance([1, 2, 3], [-1, -2, -3])).toBeCloseTo(2, 6);
  expect(await distance([1, 0, 0], [0, 5, 0])).toBeCloseTo(1, 6);
  expect(await distance([0, 0, 0], [0, 5, 0])).toBeCloseTo(1, 6);
});

test("its gradient agrees with central differences", async () => {
  const fed = { student: drawn(4, 3, 1), taught: drawn(4, 3, 2) };
  // the difference quotient of float32 losses of size 1 at this step errs by some 1e-4
  expect(await gradientError(summedDistance(student, teacher), [student], fed, 1e-2)).toBeLessThan(2e-3);
});

const size = 5;
const draw = random(5, "rows");
const rows: readonly EncodedExample[] = Array.from({ length: 24 }, () => {
  const inputIds = Int32Array.from({ length: 4 + draw.integer(8) }, () => 5 + draw.integer(90));
  const vector = new Float32Array(size);
  draw.fillNormal(vector, 0, 1);
  return { inputIds, target: { kind: "tokens", ids: inputIds }, teacher: vector };
});

test("beside the words' loss the distance to the teacher falls, and without a teacher there is none", async () => {
  const { base, path } = await goldenBase("bert-masked-lm");
  const settings = parseSettings({ batch: 8, steps: 40, lr: 5e-3, teacherWeight: 3 });
  const told = async (taught: boolean) => {
    const goal = { task: "masked-lm", labels: 1, trainsHead: true, ...(taught && { teacher: { size } }) } as const;
    const adapted = adapt(base, [full.use({})], { ...goal, savedModules: ["bert.pooler"] });
    const phi = await initialPhi(adapted, 1);
    const steps: StepEvent[] = [];
    for await (const event of trainSteps({ engine: nativeEngine(path), adapted, phi, settings, examples: rows }))
      if (event.kind === "step") steps.push(event);
    return steps;
  };
  const steps = await told(true);
  const [first, last] = [steps.at(0), steps.at(-1)];
  expect(Math.max(...steps.map((step) => step.teacher_loss ?? 9))).toBeLessThanOrEqual(2); // the mean of 1 − cos
  expect(first?.teacher_loss).toBeGreaterThan(0.5); // cosines of unrelated vectors lie about 0, in 8 rows of 5 axes less so
  expect(last?.teacher_loss).toBeLessThan((first?.teacher_loss ?? 0) / 2);
  expect(last?.loss).toBeLessThan(first?.loss ?? 0);
  const plain = await told(false);
  expect(plain.every((step) => !("teacher_loss" in step))).toBe(true);
  expect(plain[0]?.loss).toBeCloseTo(first?.loss ?? 0, 5);
});

test("a text's vector has length 1 and depends on neither padding nor the other rows", async () => {
  const { base, path } = await goldenBase("bert-sequence-classification");
  const vectors = await compileTextVectors(nativeEngine(path), base);
  const together = await vectors.run(rows);
  expect(together).toHaveLength(rows.length);
  for (const [row, vector] of together.entries()) {
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    const [alone] = await vectors.run(rows.slice(row, row + 1));
    for (const [axis, value] of vector.entries()) expect(Math.abs(value - (alone?.[axis] ?? 9))).toBeLessThan(1e-5);
  }
  await vectors.release();
});
