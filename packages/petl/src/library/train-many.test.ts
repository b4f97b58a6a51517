import {
  adaptTo,
  bitfit,
  InputError,
  lora,
  type MethodUse,
  type OpenModel,
  random,
  type TrainingEvent,
  train,
} from "@petl/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OpenBase, openBase } from "./open-base.ts";
import { openData } from "./open-data.ts";
import { openTiny, testFolder } from "./open-tiny.fake.ts";
import { writeTinyDecoder } from "./tiny-decoder.fake.ts";
import { type TrainUser, trainMany } from "./train-many.ts";

const folder = testFolder();
const words = ["fine", "dull", "film", "song", "work", "a", "so", "what"];
let base: OpenBase;

beforeAll(async () => {
  base = await openTiny(folder);
});
afterAll(() => base.close());

/** A user with so many rows of random words. */
async function user(name: string, count: number, seed: number): Promise<TrainUser & { readonly seed: number }> {
  const stream = random(seed, "a test's rows");
  const rows = Array.from({ length: count }, (_, row) => {
    const text = Array.from({ length: 2 + stream.integer(5) }, () => words[stream.integer(words.length)]).join(" ");
    return { text, label: row % 2 === 0 ? "good" : "bad" };
  });
  return { name, data: await openData(rows, base, { validation: 0 }), seed };
}

const settings = { steps: 30, batch: 4, lr: 5e-3 };
type Step = Extract<TrainingEvent, { kind: "step" }>;

/** The losses and the trained numbers of a user alone. */
async function alone(
  { data, seed }: Awaited<ReturnType<typeof user>>,
  method: MethodUse,
  more: object,
  on: OpenBase = base,
) {
  if (typeof data === "string") throw new Error("the data are open");
  const model = await adaptTo(on, method, data, { seed });
  const steps: Step[] = [];
  for await (const event of train(model, data, { ...settings, ...more, seed }))
    if (event.kind === "step") steps.push(event);
  return { steps, values: model.phi.values };
}

/** The steps and numbers of all, by name. */
async function many(users: readonly TrainUser[], method: MethodUse, more: object, on: OpenBase = base) {
  const found = new Map<string, { readonly steps: Step[]; readonly model: OpenModel }>();
  for await (const event of trainMany(on, users, method, { ...settings, ...more })) {
    const own = found.get(event.name) ?? { steps: [], model: event.model };
    if (event.kind === "step") {
      const { name: _, model: __, ...step } = event;
      own.steps.push(step);
    }
    found.set(event.name, own);
  }
  return new Map([...found].map(([name, { steps, model }]) => [name, { steps, values: model.phi.values }]));
}

test("one user is trained as alone, to the bit", async () => {
  const only = await user("ada", 9, 3);
  const [own, found] = [await alone(only, lora(), {}), await many([only], lora(), {})];
  expect(found.get("ada")).toEqual(own);
});

test("many users' adapters are those trained alone, with losses within 1e-5, whatever their rows and wherever they end", async () => {
  const users = await Promise.all(Array.from({ length: 16 }, (_, at) => user(`user-${at}`, 5 + (at % 7), at)));
  for (const { method, more } of [
    { method: lora({ rank: 2 }), more: { clip: 0.5, warmup: 3 } },
    { method: bitfit(), more: { steps: undefined, epochs: 3, labelSmoothing: 0.1, accumulate: 2, batch: 2 } },
  ]) {
    const found = await many(users, method, more);
    expect([...found.keys()].sort()).toEqual(users.map(({ name }) => name).sort());
    for (const each of users.filter((_, at) => at % 5 === 0)) {
      const own = await alone(each, method, more);
      const steps = found.get(each.name)?.steps ?? [];
      expect(steps.length).toBeGreaterThan(0);
      expect(steps.map(({ step, lr, tokens }) => [step, lr, tokens])).toEqual(
        own.steps.map(({ step, lr, tokens }) => [step, lr, tokens]),
      );
      for (const [at, { loss }] of own.steps.entries())
        expect(Math.abs(loss - (steps[at]?.loss ?? 9))).toBeLessThan(1e-5);
    }
  }
});

test("each user's dropout is drawn as in a training of its own, in one step for all", async () => {
  const users = await Promise.all([9, 4, 6].map((count, at) => user(`user-${at}`, count, at)));
  const method = lora({ rank: 2, dropout: 0.3 });
  const more = { steps: 6, baseDropout: 0.2 };
  const { counted, sessions } = countedSessions(base);
  const found = await many(users, method, more, counted);
  expect(sessions()).toBe(1);
  const still = await many(users, lora({ rank: 2 }), { steps: 6 });
  for (const each of users) {
    const own = await alone(each, method, more);
    const losses = found.get(each.name)?.steps.map(({ loss }) => loss) ?? [];
    expect(losses).toHaveLength(6);
    for (const [at, { loss }] of own.steps.entries()) expect(Math.abs(loss - (losses[at] ?? 9))).toBeLessThan(1e-5);
    expect(losses).not.toEqual(still.get(each.name)?.steps.map(({ loss }) => loss));
  }
});

/** The same base, which counts the sessions that are made on it. */
function countedSessions(on: OpenBase) {
  let made = 0;
  const createSession: typeof on.engine.createSession = (graph) => {
    made++;
    return on.engine.createSession(graph);
  };
  return { counted: { ...on, engine: { ...on.engine, createSession } }, sessions: () => made };
}

test("language models of several users are trained by one step too, with the losses that each has alone", async () => {
  const decoder = await openBase(await writeTinyDecoder(folder, ["a fine film and so dull a song", "what a work"]));
  const { counted, sessions } = countedSessions(decoder);
  const texts = (seed: number) => {
    const stream = random(seed, "a test's texts");
    const draw = () =>
      Array.from({ length: 3 + stream.integer(6) }, () => words[stream.integer(words.length)]).join(" ");
    return Array.from({ length: 6 }, () => ({ prompt: draw(), completion: ` ${draw()}` }));
  };
  const users = await Promise.all(
    Array.from({ length: 4 }, async (_, seed) => ({
      name: `user-${seed}`,
      seed,
      data: await openData(texts(seed), decoder, { validation: 0, task: "causal-lm" }),
    })),
  );
  const method = lora({ rank: 2, dropout: 0.2 });
  const found = await many(users, method, { steps: 8 }, counted);
  expect(sessions()).toBe(1);
  for (const each of users) {
    const own = await alone(each, method, { steps: 8 }, decoder);
    const losses = found.get(each.name)?.steps.map(({ loss }) => loss) ?? [];
    expect(losses).toHaveLength(8);
    for (const [at, { loss }] of own.steps.entries()) expect(Math.abs(loss - (losses[at] ?? 9))).toBeLessThan(1e-5);
  }
  await decoder.close();
});

test("a user whose rows cannot be trained on is named at the end, and the others are trained", async () => {
  const users = [await user("ada", 6, 1), await user("bob", 6, 2), { name: "eve", data: "/no/such/file.csv" }];
  const seen = new Set<string>();
  const all = async () => {
    for await (const event of trainMany(base, users, lora(), { ...settings, steps: 2 }))
      if (event.kind === "end") seen.add(event.name);
  };
  await expect(all()).rejects.toThrow(/^eve: /);
  await expect(all()).rejects.toThrow(InputError);
  expect([...seen]).toEqual(["ada", "bob"]);
});
