import { cp, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { countParameters } from "@petl/core";
import { readData } from "../data.ts";
import { evaluate } from "../library/evaluate.ts";
import { full } from "../library/methods.ts";
import { adaptTo, type OpenModel } from "../library/model.ts";
import { openBase } from "../library/open-base.ts";
import { type OpenData, openData } from "../library/open-data.ts";
import { type TrainOptions, train } from "../library/train.ts";
import { type Share, shareOf } from "./interval.ts";
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

/** A step of a training that is under way. */
export interface StepSeen {
  readonly kind: "step";
  readonly what: string;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
}

export interface MakeOptions {
  /** receives base/ and untrained/ */
  readonly folder: string;
  /** one epoch: to see that it runs */
  readonly quick?: boolean | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const sizes: TinySizes = { layers: 2, hidden: 128, heads: 4, maxTokens: 64 };
/**
 * Makes the base that `petl demo` adapts, for first steps: a BERT of two layers, trained for some seconds on a shop's
 * messages that come with petl. An ordinary Hugging Face folder; its answers are worth as much as that. Returns the
 * folder, which must not exist.
 */
export async function writeDemoBase(folder: string): Promise<string> {
  const target = resolve(folder);
  const work = await mkdtemp(join(dirname(target), ".petl-base-"));
  try {
    for await (const _ of makeBase({ folder: work }));
    await rename(join(work, "base"), target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return target;
}

/** Writes base/ and untrained/, the same model after and before its training. */
export async function* makeBase({
  folder,
  quick = false,
  ...opening
}: MakeOptions): AsyncGenerator<StepSeen, MadeBase, void> {
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

/** Trains a model and tells of its steps. */
export async function* trained(
  what: string,
  model: OpenModel,
  data: Pick<OpenData, "train">,
  settings: TrainOptions,
): AsyncGenerator<StepSeen, void, void> {
  let steps = 0;
  for await (const event of train(model, { train: data.train }, settings)) {
    if (event.kind === "start") steps = event.steps;
    if (event.kind === "step") yield { kind: "step", what, step: event.step, steps, loss: event.loss };
  }
}

/** How many held-out rows a model gets right. */
export async function measured(model: OpenModel, data: Pick<OpenData, "validation">): Promise<Share> {
  const { accuracy = 0, examples } = await evaluate(model, data.validation);
  return shareOf(Math.round(accuracy * examples), examples);
}

export const secondsSince = (begin: number) => (performance.now() - begin) / 1000;
