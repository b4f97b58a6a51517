import { memoryFolder } from "../containers/folder.ts";
import type { Task } from "../objectives/objectives.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { full } from "../peft/methods/full.ts";
import { tensorsOf } from "../peft/phi.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import { readBase } from "./hf-model.ts";

/** Which tensors an untrained model has besides those of the bare base. */
export interface UntrainedParts {
  /** the task whose head it has */
  readonly head?: Task | undefined;
  /** whether it has the base's pooler, where the architecture knows one */
  readonly pooler?: boolean | undefined;
}

/**
 * The tensors of an untrained model: matrices and embeddings from N(0, initializer_range²), norms 1, biases 0, as Hugging
 * Face's classes begin. Each is drawn from the seed and its own name: the same seed gives the same numbers, whatever the
 * other parts are.
 *
 * @param config the fields of config.json
 */
export async function untrainedTensors(
  config: Readonly<Record<string, unknown>>,
  { head, pooler = false }: UntrainedParts,
  seed: number,
): Promise<readonly (readonly [name: string, tensor: HostTensor])[]> {
  const base = await readBase(memoryFolder("untrained", { "config.json": JSON.stringify(config) }), { weights: false });
  const goals = [
    ...(head === undefined ? [] : [{ task: head, labels: 1, trainsHead: true }]),
    ...(pooler ? [{ task: "classification", labels: 1 } as const] : []),
  ];
  const found = new Map<string, HostTensor>();
  for (const goal of goals) {
    const adapted = adapt(base, [full.use({})], goal);
    const tensors = tensorsOf(await initialPhi(adapted, seed));
    for (const { name, part } of adapted.layout) {
      const tensor = tensors[name];
      if (tensor && (part === "base" || goal.task === head)) found.set(name, tensor);
    }
  }
  return [...found];
}
