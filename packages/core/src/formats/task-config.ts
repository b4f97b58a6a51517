import { InputError } from "../errors.ts";
import { isLanguageModel } from "../nn/model.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { readJson } from "./folder.ts";
import type { HfModel } from "./hf-model.ts";

/** The float types in which checkpoints are written. */
export const floatTypes = ["float32", "float16", "bfloat16"] as const;
export type FloatType = (typeof floatTypes)[number];

/**
 * The text of the config.json of an ordinary checkpoint of the adapted model: the base's own fields, and Hugging Face's
 * class and labels for the task.
 */
export async function taskConfig(
  base: HfModel,
  { goal }: Pick<AdaptedModel, "goal">,
  { labels, dtype }: { readonly labels?: readonly string[] | undefined; readonly dtype?: FloatType | undefined },
): Promise<string> {
  const own = await readJson(base.folder, "config.json");
  if (typeof own !== "object" || own === null) throw new InputError(`${base.name}: config.json must be an object`);
  const config = new Map(Object.entries(own));
  config.delete("quantization_config"); // what is written is dequantised
  config.set("architectures", [base.model.classes[goal.task]]);
  if (!isLanguageModel(goal.task)) {
    const names = labels ?? Array.from({ length: goal.labels }, (_, id) => `LABEL_${id}`);
    if (names.length !== goal.labels) {
      throw new InputError(`${names.length} names of labels were given for a head of ${goal.labels}`);
    }
    config.delete("num_labels"); // Hugging Face counts id2label
    config.set("id2label", Object.fromEntries(names.entries()));
    config.set("label2id", Object.fromEntries(names.map((name, id) => [name, id])));
    const problem = { classification: "single_label_classification", regression: "regression" };
    config.set("problem_type", Object.entries(problem).find(([task]) => task === goal.task)?.[1] ?? null);
  }
  if (dtype) config.set(config.has("torch_dtype") ? "torch_dtype" : "dtype", dtype);
  return `${JSON.stringify(Object.fromEntries(config), null, 2)}\n`;
}
