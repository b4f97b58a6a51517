import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { countParameters } from "@petl/core";
import { adaptTo, loadAdapter } from "../library/model.ts";
import { type OpenBase, openBase } from "../library/open-base.ts";
import { type OpenData, openData } from "../library/open-data.ts";
import { predict } from "../library/predict.ts";
import { saveAdapter } from "../library/save.ts";
import {
  demoData,
  type MadeBase,
  type MakeOptions,
  makeBase,
  measured,
  type StepSeen,
  secondsSince,
  trained,
} from "./demo-base.ts";
import type { Share } from "./interval.ts";
import { controls, type Recipe, recipes } from "./recipes.ts";

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
  | StepSeen
  | { readonly kind: "base"; readonly base: MadeBase; readonly target: TourResult["target"] }
  | { readonly kind: "method"; readonly row: MethodRow }
  | { readonly kind: "end"; readonly result: TourResult };

/** What the tour is told; its folder receives adapters/ too. */
export type TourOptions = MakeOptions;

/**
 * The demo: makes a tiny base and trains all of it on one task (support messages of a shop), freezes it, and then trains
 * each method on another (messages of hotel guests), whose held-out rows no training saw. At the end all adapters
 * answer from one open base.
 */
export async function* tour(options: TourOptions): AsyncGenerator<TourEvent, void, void> {
  const begin = performance.now();
  const { folder, quick = false, ...opening } = options;
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

async function weightsDigest(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(join(path, "model.safetensors")))
    .digest("hex");
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

const questions = [
  "You charged my card for a room that we never had.",
  "The door does not accept the code from your mail.",
  "We will not come after all, please call everything off.",
];

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
