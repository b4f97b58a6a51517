import { taskOf } from "../models/models.ts";
import { heads } from "../nn/model.ts";
import type { Pooling } from "../nn/pooling.ts";
import { objectiveOf, type Task } from "../objectives/objectives.ts";
import type { OpenBase } from "./open-base.ts";

/**
 * What a new head reads of a text where nothing is said: of a sentence encoder the vector that it was trained to give;
 * what Hugging Face's class reads (undefined) of any other base, and of one that has the task's head already.
 */
export function standardPooling({ config, sentences }: OpenBase, task: Task): Pooling | undefined {
  if (!sentences || heads[objectiveOf(task).head].of !== "text" || taskOf(config) === task) return undefined;
  return sentences.pooling;
}
