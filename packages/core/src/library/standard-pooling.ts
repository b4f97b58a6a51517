import type { ExampleSet } from "../data/rows/examples.ts";
import { taskOf } from "../models/models.ts";
import { heads } from "../nn/model.ts";
import type { Pooling } from "../nn/pooling.ts";
import { objectiveOf, type Task } from "../objectives/objectives.ts";
import { type Base, findTensor } from "../peft/base.ts";
import type { OpenBase } from "./open-base.ts";
import { choosesFreely } from "./standard-training.ts";

/** What a new head reads of a text, and why where that is not what Hugging Face's class reads. */
export interface ChosenPooling {
  readonly pooling: Pooling | undefined;
  readonly why?: string;
}

/**
 * What a new head reads of a text where nothing is said: of a sentence encoder the vector that it was trained to give; the
 * mean of a base whose pooler has never learnt, for rows that may be looked at; what Hugging Face's class reads (undefined)
 * of any other base, and of one that has the task's head already.
 */
export async function standardPooling(
  base: OpenBase,
  task: Task,
  rows: ExampleSet | undefined,
): Promise<ChosenPooling> {
  const { config, sentences } = base;
  if (heads[objectiveOf(task).head].of !== "text" || taskOf(config) === task) return { pooling: undefined };
  if (sentences) return { pooling: sentences.pooling, why: "the base is a sentence encoder and makes its vectors so" };
  if (rows && choosesFreely(rows, task, true) && (await isPoolerUntrained(base)))
    return { pooling: "mean", why: "the base's pooler has never learnt: its biases are all 0, or it has none" };
  return { pooling: undefined };
}

/**
 * Whether a base that has learnt has a pooler that has not: biases start at 0, and the first step of any training moves them.
 * Models that are trained on tokens alone keep, or are saved without, the pooler that they were made with.
 */
async function isPoolerUntrained(base: Base): Promise<boolean> {
  const { model, tensors } = base;
  if (!tensors || model.poolerModule === undefined) return false;
  const pooler = findTensor(base, `${model.prefix}.${model.poolerModule}.bias`)?.name;
  if (pooler !== undefined && (await hasLearnt(base, pooler))) return false;
  for (const name of tensors.keys())
    if (name !== pooler && name.endsWith(".bias") && (await hasLearnt(base, name))) return true;
  return false;
}

const hasLearnt = async (base: Base, bias: string): Promise<boolean> =>
  (await base.read(bias)).some((value) => value !== 0);
