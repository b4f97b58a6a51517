import { beforeAll, expect, test } from "vitest";
import { goldenBase, goldenJson } from "../checkpoints/golden.fake.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { tensorsOf } from "../peft/phi.ts";
import { heldCopy } from "../runtime/held-copy.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import type { Continuing } from "./continuing.ts";
import { countingHeld } from "./counting-held.fake.ts";
import { compileDecoder } from "./decoder.ts";
import { generateBatch } from "./generate.ts";
import { type LaneText, openLanes } from "./lanes.ts";
import { parseGenerationSettings } from "./settings.ts";
import { begunTexts, type GeneratedToken } from "./texts.ts";

const { prompts, ids } = goldenJson("generation/llama.json");
const given: readonly Int32Array[] = prompts.map((prompt: readonly number[]) => Int32Array.from(prompt));
const maxTokens = ids[0].length;

/** A decoder on an engine that counts what it holds, and fails in the runs that are named. */
async function counted() {
  const { base, path } = await goldenBase("llama-causal-lm");
  const adapted = adapt(base, [], { task: "causal-lm", labels: 1 });
  const phi = await initialPhi(adapted, 0);
  const { engine, open, failNext } = countingHeld(nativeEngine(path));
  let failAt = Number.POSITIVE_INFINITY;
  const decoder = await compileDecoder(
    {
      ...engine,
      async createSession(graph) {
        const session = await engine.createSession(graph);
        return {
          ...session,
          async run(...asked) {
            if (failAt-- === 0) throw new Error("out of order");
            return session.run(...asked);
          },
        };
      },
    },
    adapted,
  );
  const failIn = (runs: number) => {
    failAt = runs;
  };
  return { engine, decoder, adapted, phi, open, failNext, failIn };
}
let made: Awaited<ReturnType<typeof counted>>;
beforeAll(async () => {
  made = await counted();
});

const continuing = (more: object = {}, signal?: Continuing["signal"]): Continuing => ({
  ...made,
  settings: parseGenerationSettings({ maxTokens, ...more }),
  endIds: [],
  signal,
});

async function tokensOf(options: Continuing, most = Number.POSITIVE_INFINITY): Promise<number> {
  let count = 0;
  for await (const _ of generateBatch(given, options)) {
    expect(made.open()).toBeGreaterThan(0);
    if (++count === most) break;
  }
  return count;
}

test("texts that end, are left, are aborted or fail leave nothing held", async () => {
  expect(await tokensOf(continuing())).toBe(given.length * maxTokens);
  expect(made.open()).toBe(0);
  await tokensOf(continuing(), 2 * given.length);
  expect(made.open()).toBe(0);
  const signal = { aborted: false, reason: new Error("enough") };
  const aborting = (async () => {
    for await (const _ of generateBatch(given, continuing({}, signal))) signal.aborted = true;
  })();
  await expect(aborting).rejects.toThrow("enough");
  expect(made.open()).toBe(0);
  for (const run of [0, 2]) {
    made.failIn(run);
    await expect(tokensOf(continuing())).rejects.toThrow("out of order");
    expect(made.open()).toBe(0);
  }
  for (const behind of [0, 1]) {
    made.failNext("hold", behind); // Φ's, and the past's
    await expect(tokensOf(continuing())).rejects.toThrow("no hold");
    expect(made.open()).toBe(0);
  }
});

test("a search for the best texts that ends or fails leaves nothing held", async () => {
  let count = 0;
  for await (const _ of generateBatch(given, continuing({ beams: 3 }))) count++;
  expect(count).toBe(given.length * maxTokens);
  expect(made.open()).toBe(0);
  made.failNext("copy");
  await expect(tokensOf(continuing({ beams: 3 }))).rejects.toThrow("no copy");
  expect(made.open()).toBe(0);
});

/** Asks lanes for texts of the prompts, of one token more each; what becomes of each. */
async function laneTexts(gone: (row: number, tokens: number) => boolean = () => false) {
  const { engine, decoder, adapted, phi } = made;
  const copy = async () => {
    const { tensors, release } = await heldCopy(engine, tensorsOf(phi));
    return { has: () => true, tensors: () => tensors, release };
  };
  const lanes = openLanes((_, work) => work({ steps: decoder, copy }), 3);
  const all = given.flatMap((prompt, row) => {
    const settings = parseGenerationSettings({ maxTokens: row + 3 });
    const how = { adapted, settings, endIds: [], suppressed: [], suppressedFirst: [] };
    return begunTexts([prompt], { ...how, decode: undefined }).map(
      (text) =>
        new Promise<readonly number[] | Error>((resolve) => {
          const found: number[] = [];
          const asked: LaneText = {
            adapter: { adapted, phi },
            text,
            how,
            told({ id, end }: GeneratedToken) {
              found.push(id);
              if (end) resolve(found);
            },
            failed: (error) => resolve(error instanceof Error ? error : new Error(String(error))),
            gone: () => gone(row, found.length),
          };
          lanes.ask(asked);
        }),
    );
  });
  const results = await Promise.all(all);
  for (let turn = 0; made.open() > 0 && turn < 100; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  return results;
}

test("texts that come, go and fail side by side are what they are, and leave nothing held", async () => {
  const expected = ids.map((row: readonly number[], at: number) => row.slice(0, at + 3));
  expect(await laneTexts()).toEqual(expected);
  expect(made.open()).toBe(0);
  const some = await laneTexts((row, tokens) => row === 1 && tokens === 2);
  expect(some.map((each, row) => (row === 1 ? each instanceof Error : each))).toEqual(
    expected.map((each: readonly number[], row: number) => (row === 1 ? true : each)),
  );
  expect(made.open()).toBe(0);
  for (const run of [0, 1, 3]) {
    made.failIn(run);
    expect((await laneTexts()).some((each) => each instanceof Error)).toBe(true);
    made.failIn(Number.POSITIVE_INFINITY);
    expect(made.open()).toBe(0);
  }
  for (const [what, behind] of [
    ["hold", 0],
    ["hold", 1],
    ["hold", 2],
    ["copy", 0],
    ["copy", 1],
  ] as const) {
    made.failNext(what, behind);
    expect((await laneTexts()).some((each) => each instanceof Error)).toBe(true);
    expect(made.open()).toBe(0);
  }
});
