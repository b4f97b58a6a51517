import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { add } from "../graph/ops/add.ts";
import { input } from "../graph/value.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import type { HeldMove } from "./held.ts";
import { nativeEngine, numbers } from "./native.fake.ts";
import { ortEngine } from "./ort.ts";
import { compile } from "./program.ts";
import type { Engine } from "./session.ts";

const fedAs = (name: string) => input(name, "float32", ["rows", 2]);
const sum = { y: add(fedAs("x"), fedAs("z")) };
const shape = [2, 2];

/** What held numbers are, read by a run. */
async function read(engine: Engine, held: Awaited<ReturnType<Engine["hold"]>>): Promise<readonly number[]> {
  const program = await compile(engine, sum);
  const zeros = float32([held.length / 2, 2], new Float32Array(held.length));
  const { y } = await program.run({ x: { held, start: 0, shape: [held.length / 2, 2] }, z: zeros });
  await program.release();
  return numbers(y!);
}

const copying = ortEngine({
  ort,
  fileName: (file) => file,
  writesInPlace: false,
  options: async () => ({ logSeverityLevel: 3 }),
});

test.each([
  ["in place", nativeEngine()],
  ["by a copy", copying],
])("what a run leaves %s the next one reads, and only what is asked for comes back", async (_, engine) => {
  const program = await compile(engine, { ...sum, twice: add(sum.y, sum.y) });
  const held = await engine.hold(8);
  expect(await read(engine, held)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  const first = { x: float32(shape, Float32Array.of(1, 2, 3, 4)), z: float32(shape, Float32Array.of(5, 5, 5, 5)) };
  const found = await program.run(first, { y: { held, start: 2, shape } });
  expect(Object.keys(found)).toEqual(["twice"]);
  expect(await read(engine, held)).toEqual([0, 0, 6, 7, 8, 9, 0, 0]);
  const next = await program.run({ ...first, x: { held, start: 2, shape } }, { y: { held, start: 4, shape } });
  expect(numbers(next.twice!)).toEqual([22, 24, 26, 28]);
  expect((await read(engine, held)).slice(4)).toEqual([11, 12, 13, 14]);
  await held.release();
  await expect(program.run({ ...first, x: { held, start: 2, shape } })).rejects.toThrow("given back");
  await program.release();
});

test("given numbers are held as they are", async () => {
  const engine = nativeEngine();
  expect(await read(engine, await engine.hold(Float32Array.of(3, -1, 0, 8)))).toEqual([3, -1, 0, 8]);
});

test.each(["held", "shared"])("pieces of %s numbers are copied to where they are to go", async (kind) => {
  const engine = nativeEngine();
  const draw = random(5, "moves");
  const [from, to, shared] = [await engine.hold(60), await engine.hold(60), engine.share(60)];
  const program = await compile(engine, sum);
  const source = Float32Array.from({ length: 60 }, (_, i) => i + 1);
  const fed = { x: float32([30, 2], source), z: float32([30, 2], new Float32Array(60)) };
  await program.run(fed, { y: { held: from, start: 0, shape: [30, 2] } });
  shared.values.set(source);
  const expected = new Array<number>(60).fill(0);
  for (let round = 0; round < 20; round++) {
    const [pieces, length] = [1 + draw.integer(4), 1 + draw.integer(4)];
    const places = () => {
      const step = length + draw.integer(8);
      return { start: draw.integer(60 - (pieces - 1) * step - length + 1), step };
    };
    const move: HeldMove = { pieces, length, from: places(), to: places() };
    await to.copy([{ from: kind === "held" ? from : shared, moves: [move] }]);
    for (let piece = 0; piece < pieces; piece++)
      for (let i = 0; i < length; i++)
        expected[move.to.start + piece * move.to.step + i] = source[move.from.start + piece * move.from.step + i]!;
  }
  expect(await read(engine, to)).toEqual(expected);
  await program.release();
});

test("tensors that do not lie in what is held, and another engine's, are refused", async () => {
  const [engine, other] = [nativeEngine(), nativeEngine()];
  const program = await compile(engine, sum);
  const [held, foreign] = [await engine.hold(4), await other.hold(4)];
  const z = float32(shape, new Float32Array(4));
  await expect(async () => program.run({ x: { held, start: 2, shape }, z })).rejects.toThrow(
    'input "x" should be float32[rows,2], is float32[2,2] of 2',
  );
  await expect(program.run({ x: z, z }, { y: { held, start: 2, shape } })).rejects.toThrow("does not match");
  await expect(program.run({ x: { held: foreign, start: 0, shape }, z })).rejects.toThrow("another engine's");
  await expect(held.copy([{ from: foreign, moves: [] }])).rejects.toThrow("another engine's");
  await program.release();
});
