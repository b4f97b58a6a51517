import { createHash } from "node:crypto";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { countParameters } from "@petl/core";
import { readData } from "../data.ts";
import { evaluate } from "../library/evaluate.ts";
import { full } from "../library/methods.ts";
import { adaptTo, loadAdapter, type OpenModel } from "../library/model.ts";
import { type OpenBase, openBase } from "../library/open-base.ts";
import { type OpenData, openData } from "../library/open-data.ts";
import { predict } from "../library/predict.ts";
import { saveAdapter } from "../library/save.ts";
import { type TrainOptions, train } from "../library/train.ts";
import { type Share, shareOf } from "./interval.ts";
import { controls, type Recipe, recipes } from "./recipes.ts";
import { baseTensors, type TinySizes, writeTinyBase, writeWeights } from "./tiny-base.ts";

/** The data that come with petl: sentences written for it. */
export const demoData = (name: "support" | "hotel" | "reviews"): string =>
  fileURLToPath(new URL(`../../demo-data/${name}.csv`, import.meta.url));

/** The base that the tour makes, and how it came to be. */
export interface MadeBase extends TinySizes {
  readonly vocabulary: number;
  readonly parameters: number;
  readonly bytes: number;
  /** rows of the task that it was trained on */
  readonly rows: number;
  readonly labels: readonly string[];
  readonly seconds: number;
  /** of rows of that task that were held out */
  readonly accuracy: Share;
}

/** One method on the target task. */
export interface MethodRow {
  readonly method: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly lr: number;
  /** whether it stood on the base before or after the base's own training */
  readonly base: "trained" | "untrained";
  /** |Φ| without the head, over |Θ| */
  readonly trained_parameters: number;
  readonly trainable_ratio: number;
  readonly head_parameters: number;
  readonly accuracy: Share;
  readonly seconds: number;
  readonly adapter_bytes: number;
}

/** What every adapter says of one text. */
export interface Asked {
  readonly text: string;
  readonly answers: readonly { readonly method: string; readonly label: string; readonly score: number }[];
}

export interface TourResult {
  readonly base: MadeBase;
  readonly target: { readonly train: number; readonly held_out: number; readonly labels: readonly string[] };
  readonly rows: readonly MethodRow[];
  /** whether the base's weights are, at the end, the bytes that they were before the first adapter */
  readonly base_unchanged: boolean;
  readonly asked: readonly Asked[];
  /** to load all adapters and to ask them */
  readonly asked_seconds: number;
  readonly seconds: number;
}

export type TourEvent =
  | {
      readonly kind: "step";
      readonly what: string;
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
    }
  | { readonly kind: "base"; readonly base: MadeBase; readonly target: TourResult["target"] }
  | { readonly kind: "method"; readonly row: MethodRow }
  | { readonly kind: "end"; readonly result: TourResult };

export interface TourOptions {
  /** receives base/, untrained/ and adapters/ */
  readonly folder: string;
  /** one epoch of everything: to see that it runs */
  readonly quick: boolean;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const sizes: TinySizes = { layers: 2, hidden: 128, heads: 4, maxTokens: 64 };
const questions = [
  "You charged my card for a room that we never had.",
  "The door does not accept the code from your mail.",
  "We will not come after all, please call everything off.",
];

/**
 * The demo: makes a tiny base and trains all of it on one task (support messages of a shop), freezes it, and then trains
 * each method on another (messages of hotel guests), whose held-out rows no training saw. At the end all adapters
 * answer from one open base.
 */
export async function* tour(options: TourOptions): AsyncGenerator<TourEvent, void, void> {
  const begin = performance.now();
  const { folder, quick, ...opening } = options;
  const path = join(folder, "base");
  const made = yield* makeBase(options);
  const base = await openBase(path, opening);
  const untrained = await openBase(join(folder, "untrained"), opening);
  try {
    const digest = await weightsDigest(path);
    const data = await openData(demoData("hotel"), base, { validation: 0.5 });
    const target = {
      train: data.train.examples.length,
      held_out: data.validation.examples.length,
      labels: data.labels,
    };
    yield { kind: "base", base: made, target };
    const rows: MethodRow[] = [];
    for (const [recipe, on] of [
      ...controls.map((recipe) => [recipe, "untrained"] as const),
      ...recipes.map((recipe) => [recipe, "trained"] as const),
    ]) {
      const row = yield* tryMethod(recipe, on === "trained" ? base : untrained, data, { folder, on, quick });
      rows.push(row);
      yield { kind: "method", row };
    }
    const asking = performance.now();
    const asked = await ask(base, folder);
    const result: TourResult = {
      ...{ base: made, target, rows, asked },
      asked_seconds: secondsSince(asking),
      base_unchanged: (await weightsDigest(path)) === digest,
      seconds: secondsSince(begin),
    };
    yield { kind: "end", result };
  } finally {
    await base.close();
    await untrained.close();
  }
}

const secondsSince = (begin: number) => (performance.now() - begin) / 1000;

/** Writes base/ and untrained/, the same model after and before its training. */
async function* makeBase({ folder, quick, ...opening }: TourOptions): AsyncGenerator<TourEvent, MadeBase, void> {
  const begin = performance.now();
  const [path, before] = [join(folder, "base"), join(folder, "untrained")];
  await writeTinyBase(before, await demoTexts(), sizes, 0);
  const base = await openBase(before, opening);
  try {
    const data = await openData(demoData("support"), base, { validation: 0.15 });
    const model = await adaptTo(base, full(), data);
    const settings = { epochs: quick ? 1 : 20, batch: 16, lr: 5e-4, warmup: 0.1, dropout: 0.2 };
    yield* trained("the base", model, data, settings);
    await cp(before, path, { recursive: true });
    await writeWeights(path, baseTensors(model.adapted, model.phi));
    return {
      ...sizes,
      vocabulary: base.model.sizes.vocabulary,
      parameters: countParameters(model.adapted).base_parameters,
      bytes: (await readFile(join(path, "model.safetensors"))).length,
      ...{ rows: data.train.examples.length, labels: data.labels },
      accuracy: await measured(model, data),
      seconds: secondsSince(begin),
    };
  } finally {
    await base.close();
  }
}

async function demoTexts(): Promise<readonly string[]> {
  const paths = (["support", "hotel", "reviews"] as const).map(demoData);
  const sets = await Promise.all(paths.map((path) => readData([path], {})));
  return sets.flatMap(({ set }) => set.examples.flatMap((example) => (example.kind === "text" ? [example.text] : [])));
}

async function weightsDigest(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(join(path, "model.safetensors")))
    .digest("hex");
}

async function* trained(
  what: string,
  model: OpenModel,
  data: Pick<OpenData, "train">,
  settings: TrainOptions,
): AsyncGenerator<TourEvent, void, void> {
  let steps = 0;
  for await (const event of train(model, { train: data.train }, settings)) {
    if (event.kind === "start") steps = event.steps;
    if (event.kind === "step") yield { kind: "step", what, step: event.step, steps, loss: event.loss };
  }
}

async function measured(model: OpenModel, data: Pick<OpenData, "validation">): Promise<Share> {
  const { accuracy = 0, examples } = await evaluate(model, data.validation);
  return shareOf(Math.round(accuracy * examples), examples);
}

async function* tryMethod(
  { name, method, lr }: Recipe,
  base: OpenBase,
  data: OpenData,
  { folder, on, quick }: { readonly folder: string; readonly on: MethodRow["base"]; readonly quick: boolean },
): AsyncGenerator<TourEvent, MethodRow, void> {
  const begin = performance.now();
  const model = await adaptTo(base, method, data);
  yield* trained(name, model, data, { epochs: quick ? 1 : 15, batch: 16, lr });
  const seconds = secondsSince(begin);
  const { trained_parameters, trainable_ratio, head_parameters } = countParameters(model.adapted);
  return {
    ...{ method: name, options: method.options, lr, base: on },
    ...{ trained_parameters, trainable_ratio, head_parameters, seconds },
    accuracy: await measured(model, data),
    adapter_bytes: await saveAdapter(model, join(folder, on === "trained" ? "adapters" : "controls", name)),
  };
}

/** Loads every adapter onto the one base and asks each the same. */
async function ask(base: OpenBase, folder: string): Promise<readonly Asked[]> {
  const models = await Promise.all(
    recipes.map(async ({ name }) => [name, await loadAdapter(base, join(folder, "adapters", name))] as const),
  );
  const all = await Promise.all(models.map(async ([name, model]) => [name, await predict(model, questions)] as const));
  return questions.map((text, i) => ({
    text,
    answers: all.flatMap(([method, answers]) => {
      const answer = answers[i];
      return answer ? [{ method, label: answer.label, score: answer.score }] : [];
    }),
  }));
}
