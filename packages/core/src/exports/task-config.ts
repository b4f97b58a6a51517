import type { HfModel } from "../checkpoints/hf-model.ts";
import { readText } from "../containers/folder.ts";
import { withFields } from "../containers/json.ts";
import { InputError } from "../errors.ts";
import { heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { Goal } from "../peft/goal.ts";

/** The float types in which checkpoints are written. */
export const floatTypes = ["float32", "float16", "bfloat16"] as const;
export type FloatType = (typeof floatTypes)[number];

interface ConfigOptions {
  readonly labels?: readonly string[] | undefined;
  readonly dtype?: FloatType | undefined;
  /** whether the output layer has a matrix of its own now */
  readonly unties?: boolean;
}

/**
 * The text of the config.json of an ordinary checkpoint of the adapted model: the base's own fields, and Hugging Face's
 * class and labels for the task.
 */
export async function taskConfig(
  base: HfModel,
  { goal }: Pick<AdaptedModel, "goal">,
  { labels, dtype, unties = false }: ConfigOptions,
): Promise<string> {
  const own = await readText(base.folder, "config.json");
  const typed = "torch_dtype" in base.config ? "torch_dtype" : "dtype";
  const { head } = objectiveOf(goal.task);
  return withFields(own, `${base.name}: config.json`, {
    quantization_config: undefined, // what is written is dequantised
    architectures: [base.model.classes[head]],
    ...(heads[head].from === "labels" && labelFields(goal, labels)),
    ...(dtype && { [typed]: dtype }),
    ...(unties && { tie_word_embeddings: false }),
  });
}

function labelFields({ task, labels: count }: Goal, labels: readonly string[] | undefined) {
  const names = labels ?? Array.from({ length: count }, (_, id) => `LABEL_${id}`);
  if (names.length !== count) throw new InputError(`${names.length} names of labels were given for a head of ${count}`);
  return {
    num_labels: undefined, // Hugging Face counts id2label
    id2label: Object.fromEntries(names.entries()),
    label2id: Object.fromEntries(names.map((name, id) => [name, id])),
    problem_type: objectiveOf(task).problemType ?? null,
  };
}
