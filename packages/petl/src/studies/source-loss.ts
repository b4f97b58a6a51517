import {
  adapt,
  type ExampleSet,
  evaluate,
  InputError,
  initialPhi,
  isLanguageModel,
  type OpenModel,
  type Task,
  takeTensors,
  taskOf,
} from "@petl/core";

/**
 * The base's own loss on source text with the body that an adapter gives it: what the merged model has. Masked LMs hide
 * the tokens that seed 0 chooses.
 * @throws InputError for a base without a language model's head
 */
export async function sourceLossOf(model: OpenModel, source: ExampleSet): Promise<number> {
  const own = languageTask(model.base);
  const { loss } = await evaluate(model.adapted.goal.task === own ? model : await underSourceHead(model, own), source);
  return loss;
}

/** @throws InputError for a base that is no language model */
export function languageTask({ config, name }: Pick<OpenModel["base"], "config" | "name">): Task {
  const own = taskOf(config);
  if (own !== undefined && isLanguageModel(own)) return own;
  throw new InputError(`${name} has no language model's head, so what it forgets cannot be measured`);
}

/**
 * A model's trained tensors, all but the task's head, in the base under its language model's head. What a method would do
 * to that head was never trained and stays as it starts: as the base.
 */
export async function underSourceHead({ base, adapted, phi }: OpenModel, task: Task): Promise<OpenModel> {
  const body = adapt(base, adapted.methods, { task, labels: 1, trainsHead: false });
  const copy = await initialPhi(body, 0);
  takeTensors(copy, phi);
  return { base, adapted: body, phi: copy, labels: [], remarks: [] };
}
