import { beforeAll, expect, test } from "vitest";
import { goldenFolder, goldenPath } from "../checkpoints/golden.fake.ts";
import { countingHeld } from "../generation/counting-held.fake.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import type { Engine, Fed } from "../runtime/session.ts";
import { generate } from "./generate.ts";
import { adaptTo, type OpenModel } from "./model.ts";
import { openBase } from "./open-base.ts";

const path = "models/llama-causal-lm";
const { engine: counting, open, failNext } = countingHeld(nativeEngine(goldenPath(path)));
/** how many numbers went to the engine to be held, each time, and what every run was fed by the host */
const [given, fed]: [number[], Fed[]] = [[], []];
let failAt = Number.POSITIVE_INFINITY;
const engine: Engine = {
  ...counting,
  hold(numbers) {
    if (typeof numbers !== "number") given.push(numbers.length);
    return counting.hold(numbers);
  },
  async createSession(graph) {
    const session = await counting.createSession(graph);
    return {
      ...session,
      async run(inputs, into, lenders) {
        if (failAt-- === 0) throw new Error("out of order");
        expect(lenders ?? []).toEqual([]);
        fed.push(inputs);
        return session.run(inputs, into, lenders);
      },
    };
  },
};

let models: readonly OpenModel[];
beforeAll(async () => {
  const openEngine = async () => ({ ...engine, close: async () => undefined });
  const base = await openBase({ name: "llama", folder: goldenFolder(path), openEngine });
  const ranks = [2, 2, 3, 3];
  models = await Promise.all(ranks.map((rank) => adaptTo(base, lora.use({ rank }), { task: "causal-lm", labels: [] })));
});

/** Asks for texts; how many tokens came of each, or its error. Nothing is held afterwards. */
async function texts(
  asked: readonly OpenModel[],
  maxTokens = 6,
  leaves: (row: number) => boolean = () => false,
): Promise<readonly (number | Error)[]> {
  given.splice(0);
  fed.splice(0);
  const found = await Promise.all(
    asked.map(async (model, row) => {
      let count = 0;
      try {
        for await (const _ of generate(model, [3 + row, 5, 7], { maxTokens: maxTokens + row })) {
          if (++count === 2 && leaves(row)) break;
        }
        return count;
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    }),
  );
  for (let turn = 0; open() > 0 && turn < 100; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(open()).toBe(0);
  return found;
}

test("adapters' numbers go to the engine where a text begins or the last of the others ends, and with no token", async () => {
  const [one, two] = models;
  if (!one || !two) throw new Error("there are models");
  const length = one.phi.values.length;
  expect(await texts([one, one, one])).toEqual([6, 7, 8]);
  expect(given).toEqual([length]);
  expect(await texts([one, two, one])).toEqual([6, 7, 8]);
  expect(given).toEqual([2 * length, length]); // the third goes on alone, by a graph of its own
  expect(fed.length).toBe(8);
  const float = fed.flatMap((inputs) =>
    Object.entries(inputs).flatMap(([name, tensor]) => ("held" in tensor || tensor.dtype !== "float32" ? [] : [name])),
  );
  expect(float).toEqual([]);
});

test("a text that joins those of its own adapter brings the numbers of all", async () => {
  const [model] = models;
  if (!model) throw new Error("there are models");
  const later = Array.from({ length: 9 }, () => model); // eight prompts at most are computed at once
  expect(await texts(later, 4)).toEqual(later.map((_, row) => 4 + row));
  expect(given).toEqual([model.phi.values.length, model.phi.values.length]);
});

test("texts of several adapters that end, are left, or fail leave no numbers held", async () => {
  expect((await texts(models, 6, (row) => row % 2 === 1)).every((count) => typeof count === "number")).toBe(true);
  for (const run of [0, 1, 4]) {
    failAt = run;
    expect(await texts(models)).toContainEqual(new Error("out of order"));
    failAt = Number.POSITIVE_INFINITY;
  }
  for (const behind of [0, 1, 2]) {
    failNext("hold", behind);
    expect(await texts(models)).toContainEqual(new Error("no hold"));
  }
  expect(await texts(models)).toEqual([6, 7, 8, 9]);
});

test("a text whose model is in a training step when another adapter's joins fails, and does not go on with the base", async () => {
  const [trained, other] = models;
  if (!trained || !other) throw new Error("there are models");
  const { values } = trained.phi;
  let joining: Promise<unknown> | undefined;
  const under = (async () => {
    let count = 0;
    for await (const _ of generate(trained, [3, 5, 7], { maxTokens: 30 })) {
      if (++count !== 3) continue;
      trained.phi.values = new Float32Array(); // as while a step has it
      joining = texts([other], 30);
    }
  })();
  await expect(under).rejects.toThrow("between two steps");
  await joining;
  trained.phi.values = values;
  expect(await texts([trained, other])).toEqual([6, 7]);
});
