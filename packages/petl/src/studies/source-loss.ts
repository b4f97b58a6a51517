import { type ExampleSet, evaluate, InputError, isLanguageModel, type OpenModel, taskOf } from "@petl/core";
import { bodyOf } from "../demo/forgetting.ts";

/**
 * The base's own loss on source text with the body that an adapter gives it: what the merged model has. Masked LMs hide
 * the tokens that seed 0 chooses.
 * @throws InputError for a base without a language model's head
 */
export async function sourceLossOf(model: OpenModel, source: ExampleSet): Promise<number> {
  const own = taskOf(model.base.config);
  if (own === undefined || !isLanguageModel(own))
    throw new InputError(`${model.base.name} has no language model's head, so what it forgets cannot be measured`);
  const { loss } = await evaluate(model.adapted.goal.task === own ? model : await bodyOf(model), source);
  return loss;
}
