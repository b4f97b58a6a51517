import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import {
  adapt,
  compile,
  type Engine,
  initialPhi,
  methods,
  type Program,
  readBase,
  type Tensors,
  tensorsOf,
} from "@petl/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { directory } from "../disk/files.ts";
import { MachineError } from "../machine-error.ts";
import { nativeEngine } from "./ort.ts";
import { connect, type WorkerEngine, workerEngine } from "./worker-engine.ts";

const path = fileURLToPath(new URL("../../../core/golden/models/bert-sequence-classification", import.meta.url));
const files = ["model.safetensors"];
let engine: WorkerEngine;
let graph: Awaited<ReturnType<typeof loraGraph>>;

/** A LoRA on the tiny BERT: Φ has many small views of one buffer. */
async function loraGraph() {
  const use = methods.find(({ name }) => name === "lora")!.use({ targets: "all-linear" });
  const adapted = adapt(await readBase(directory(path)), [use], { task: "classification", labels: 3 });
  return { adapted, phi: await initialPhi(adapted, 1), forward: adapted.forward() };
}

const program = (on: Engine): Promise<Program> => compile(on, { logits: graph.forward.logits });

function batch(rows: number, tokens: number): Tensors {
  const ids = Int32Array.from({ length: rows * tokens }, (_, i) => 1 + ((i * 37) % 90));
  const filled = (value: number) => new Int32Array(rows * tokens).fill(value);
  const tensor = (data: Int32Array) => ({ dtype: "int32" as const, shape: [rows, tokens], data });
  return { input_ids: tensor(ids), attention_mask: tensor(filled(1)), token_type_ids: tensor(filled(0)) };
}

beforeAll(async () => {
  expect(
    existsSync(fileURLToPath(new URL("../../dist/engine/engine-worker.js", import.meta.url))),
    "npm run build",
  ).toBe(true);
  graph = await loraGraph();
  engine = await workerEngine(path, files, { threads: 1 });
});
afterAll(() => engine.close());

test("a worker computes bit for bit what this thread computes, and takes nothing from its caller", async () => {
  const inputs = { ...tensorsOf(graph.phi), ...batch(3, 9) };
  const before = graph.phi.values.slice();
  const [far, near] = [await program(engine), await program(await nativeEngine(path, files, { threads: 1 }))];
  const expected = await near.run(inputs);
  for (let i = 0; i < 3; i++) expect(await far.run(inputs)).toEqual(expected);
  expect(graph.phi.values).toEqual(before);
  await Promise.all([far.release(), near.release()]);
});

test("lent arrays go to the worker and come back with the outputs, and only those that fit", async () => {
  const inputs = { ...tensorsOf(graph.phi), ...batch(2, 5) };
  const far = await compile(engine, graph.adapted.merged()); // outputs of fixed sizes
  const [first, second] = [0, 1].map((layer) => `bert.encoder.layer.${layer}.attention.self.query.weight`);
  const vector = new Float32Array(3 * 1024);
  const lent = { [first!]: vector.subarray(1024, 2048), [second!]: vector.subarray(2048) };
  const outputs = await far.run(inputs, lent);
  expect(vector.length).toBe(0); // its memory is elsewhere now
  expect(outputs).toEqual(await far.run(inputs));
  const whole = new Float32Array(outputs[first!]!.data.buffer);
  expect(whole.length).toBe(3 * 1024);
  expect(whole.subarray(1024, 2048)).toEqual(outputs[first!]!.data);
  expect(whole.subarray(2048)).toEqual(outputs[second!]!.data);
  await expect(far.run(inputs, { [first!]: new Float32Array(5) })).rejects.toThrow("1024");
  await far.release();
});

test("lenders' vectors go to the worker and come back with their numbers, also from a run that fails", async () => {
  const far = await program(engine);
  const phi = { ...graph.phi, values: graph.phi.values.slice() };
  const other = { ...graph.phi, values: graph.phi.values.slice() };
  const inputs = () => {
    const half = Object.entries(tensorsOf(other)).filter((_, at) => at % 2 === 0);
    return { ...tensorsOf(phi), ...Object.fromEntries(half), ...batch(3, 9) };
  };
  const expected = await far.run(inputs());
  const running = far.run(inputs(), {}, [phi, other]);
  expect([phi.values.length, other.values.length]).toEqual([0, 0]); // their memory is elsewhere now
  expect(inputs).toThrow("between two steps");
  expect(await running).toEqual(expected);
  expect([phi.values, other.values]).toEqual([graph.phi.values, graph.phi.values]);
  await far.release();
  await expect(far.run(inputs(), {}, [phi, other])).rejects.toThrow("the session was released");
  expect([phi.values, other.values]).toEqual([graph.phi.values, graph.phi.values]);
});

test("a lender's vector in memory that both threads have stays where it is, and is seen from both", async () => {
  const far = await program(engine);
  const { values } = engine.share(graph.phi.values.length);
  values.set(graph.phi.values);
  expect([values, graph.phi.values].map(engine.sees)).toEqual([true, false]);
  const phi = { ...graph.phi, values };
  const inputs = () => ({ ...tensorsOf(phi), ...batch(3, 9) });
  const expected = await far.run({ ...tensorsOf(graph.phi), ...batch(3, 9) });
  const running = far.run(inputs(), {}, [phi]);
  expect(phi.values).toBe(values);
  expect(await running).toEqual(expected);
  expect(phi.values).toBe(values);
  expect([...values]).toEqual([...graph.phi.values]);
  await far.release();
});

test("what the worker holds is read and written where it lies, copied there, and gone when it is given back", async () => {
  const near = await nativeEngine(path, files, { threads: 1 });
  const inputs = { ...tensorsOf(graph.phi), ...batch(1, 4) };
  const [bias, before] = Object.entries(tensorsOf(graph.phi)).find(([, { shape }]) => String(shape) === "3")!;
  const found: Tensors[] = [];
  for (const on of [engine, near]) {
    const logits = await program(on);
    const [first, second] = [await on.hold(8), await on.hold(8)];
    expect(await logits.run(inputs, { logits: { held: first, start: 2, shape: [1, 3] } })).toEqual({});
    await second.copy([
      { from: first, moves: [{ pieces: 1, length: 3, from: { start: 2, step: 0 }, to: { start: 5, step: 0 } }] },
    ]);
    await first.release();
    await first.release();
    found.push(await logits.run({ ...inputs, [bias]: { held: second, start: 5, shape: [3] } }));
    const gone = { ...inputs, [bias]: { held: first, start: 0, shape: [3] } };
    await expect(async () => logits.run(gone)).rejects.toThrow("given back");
    await expect(second.copy([{ from: first, moves: [] }])).rejects.toThrow("given back");
    if (on === near) {
      const [once, ofHeld] = [await logits.run(inputs), found[0]].map((each) => Array.from(each!.logits!.data, Number));
      for (const [i, number] of once!.entries()) expect(ofHeld![i]).toBeCloseTo(2 * number - Number(before.data[i]), 5); // what is held stands for the bias
    }
    await Promise.all([logits.release(), second.release()]);
  }
  expect(found[0]).toEqual(found[1]);
});

test("what the worker copies of shared numbers is what they are when it is asked, and they stay here", async () => {
  const inputs = { ...tensorsOf(graph.phi), ...batch(1, 4) };
  const [bias] = Object.entries(tensorsOf(graph.phi)).find(([, { shape }]) => String(shape) === "3")!;
  const logits = await program(engine);
  const [held, shared] = [await engine.hold(8), engine.share(4)];
  for (const values of [Float32Array.of(1, 2, 3), Float32Array.of(-4, 0, 9)]) {
    shared.values.set(values, 1);
    await held.copy([
      { from: shared, moves: [{ pieces: 1, length: 3, from: { start: 1, step: 0 }, to: { start: 5, step: 0 } }] },
    ]);
    expect([...shared.values]).toEqual([0, ...values]);
    const found = await logits.run({ ...inputs, [bias]: { held, start: 5, shape: [3] } });
    expect(found).toEqual(await logits.run({ ...inputs, [bias]: { dtype: "float32", shape: [3], data: values } }));
  }
  await Promise.all([logits.release(), held.release()]);
});

test("given numbers go to the worker without a copy, and are read there until they are given back", async () => {
  const inputs = { ...tensorsOf(graph.phi), ...batch(1, 4) };
  const [bias] = Object.entries(tensorsOf(graph.phi)).find(([, { shape }]) => String(shape) === "3")!;
  const logits = await program(engine);
  const values = Float32Array.of(0, 1, 2, 3);
  const expected = await logits.run({
    ...inputs,
    [bias]: { dtype: "float32", shape: [3], data: values.slice(1) },
  });
  const held = await engine.hold(values);
  expect([held.length, values.length]).toEqual([4, 0]);
  const own = { ...inputs, [bias]: { held, start: 1, shape: [3] } };
  for (let turn = 0; turn < 2; turn++) expect(await logits.run(own)).toEqual(expected);
  await held.release();
  await expect(logits.run(own)).rejects.toThrow("given back");
  await (await engine.hold(new Float32Array())).release();
  await logits.release();
});

test("the buffer that is used again carries the new numbers, and never a caller's", async () => {
  const values = graph.adapted.merged();
  const [far, near] = [await compile(engine, values), await compile(await nativeEngine(path, files), values)];
  const phi = { ...graph.phi, values: graph.phi.values.slice() };
  const kept: Tensors[] = [];
  for (const factor of [1, 2, 3, 4]) {
    for (const [i, value] of graph.phi.values.entries()) phi.values[i] = factor * (value + 0.01);
    kept.push(await far.run(tensorsOf(phi)));
    expect(kept.at(-1)).toEqual(await near.run(tensorsOf(phi)));
  }
  expect(kept[0]).not.toEqual(kept[3]);
  await Promise.all([far.release(), near.release()]);
});

/** How often this thread turns to other work until something has ended. */
async function turnsDuring(running: Promise<unknown>): Promise<number> {
  let [turns, ended] = [0, false];
  const end = running.finally(() => {
    ended = true;
  });
  for (; !ended; turns++) await new Promise((resolve) => setImmediate(resolve));
  await end;
  return turns;
}

test("this thread goes on with other work while a session runs", async () => {
  const inputs = { ...tensorsOf(graph.phi), ...batch(400, 64) };
  const far = await program(engine);
  await far.run({ ...tensorsOf(graph.phi), ...batch(1, 4) });
  const near = await program(await nativeEngine(path, files, { threads: 1 }));
  expect(await turnsDuring(far.run(inputs))).toBeGreaterThan(10 * (await turnsDuring(near.run(inputs))));
  await Promise.all([far.release(), near.release()]);
});

test("several sessions live side by side, and a released one runs no more", async () => {
  const inputs = { ...tensorsOf(graph.phi), ...batch(2, 5) };
  const [one, two] = await Promise.all([program(engine), program(engine)]);
  const [a, b] = await Promise.all([one.run(inputs), two.run(inputs)]);
  expect(a).toEqual(b);
  await one.release();
  await expect(one.run(inputs)).rejects.toThrow("the session was released");
  expect(await two.run(inputs)).toEqual(b);
  await two.release();
});

test("errors cross with their class and their words", async () => {
  await expect(workerEngine(path, ["missing.safetensors"])).rejects.toMatchObject({
    name: "InputError",
    problems: [expect.stringContaining("missing.safetensors")],
  });
  const far = await engine
    .createSession({
      model: new Uint8Array([1, 2, 3]),
      inputs: [],
      outputs: [],
      weights: [],
      operators: [],
      how: {},
    })
    .then(
      () => undefined,
      (error: Error) => error,
    );
  expect(far?.message).toMatch(/protobuf/i);
});

test("closing rejects what still runs and what is asked later", async () => {
  const own = await workerEngine(path, files, { threads: 1 });
  const far = await program(own);
  const running = expect(far.run({ ...tensorsOf(graph.phi), ...batch(200, 64) })).rejects.toThrow(
    "the engine is closed",
  );
  await own.close();
  await running;
  await expect(far.release()).rejects.toThrow("the engine is closed");
});

test("a worker that crashes or exits rejects every pending call with the machine's fault", async () => {
  const crashes = "require('node:worker_threads').parentPort.on('message', () => { throw new Error('out of memory') })";
  const exits = "require('node:worker_threads').parentPort.on('message', () => process.exit(7))";
  for (const [code, words] of [
    [crashes, "out of memory"],
    [exits, "exit code 7"],
  ] as const) {
    const { ask } = connect(new Worker(code, { eval: true }));
    const calls = [1, 2].map((session) => ask({ kind: "release", session }, "released"));
    for (const call of calls) await expect(call).rejects.toThrow(words);
    await expect(ask({ kind: "release", session: 3 }, "released")).rejects.toBeInstanceOf(MachineError);
  }
});

test("an idle worker does not keep the process alive, and the engine writes nothing into the folder for temporary files", () => {
  const built = new URL("../../dist/engine/worker-engine.js", import.meta.url);
  const script = `const { workerEngine } = await import("${built}"); await workerEngine(undefined, []); console.log("done")`;
  const folder = mkdtempSync(join(tmpdir(), "petl-idle-"));
  const env = { ...process.env, TMPDIR: folder, ORT_DISABLE_TELEMETRY: undefined };
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], { timeout: 20_000, env });
  expect(String(output)).toBe("done\n");
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

test("closing waits for the thread, also where an answer comes that nobody waits for any more", () => {
  const built = new URL("../../dist/engine/worker-engine.js", import.meta.url);
  const script = `const { workerEngine } = await import("${built}");
    const engine = await workerEngine(undefined, []);
    engine.hold(8).catch(() => {});
    await engine.close();
    console.log("closed")`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(child).toMatchObject({ stdout: "closed\n", status: 0 });
});

test("a process that ends while a session runs ends with its own words and its own exit code", () => {
  const script = `
    const { embed, openBase } = await import("${new URL("../../dist/index.js", import.meta.url)}");
    const base = await openBase("petl-mini-encoder", { threads: 1 });
    embed(base, Array.from({ length: 8000 }, () => "one of many words ".repeat(20))).catch(() => {});
    setTimeout(() => { throw new Error("mistaken") }, 1500);
  `;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(child.stderr).toContain("Error: mistaken");
  expect(child.stderr).not.toContain("terminate called");
  expect([child.status, child.signal]).toEqual([1, null]);
});
