import { z } from "zod";
import { InputError, refuse, schemaProblems } from "../../../errors.ts";
import type { Model } from "../../../nn/model.ts";
import type { Layers, Targets } from "../../options.ts";
import { layersFromPeft, layersToPeft, targetsFromPeft, targetsToPeft } from "../../peft-targets.ts";
import { lowRankFields, refuseUnsupported } from "./low-rank.ts";

/** AdaLoRA's options, as far as adapter_config.json says them. */
interface AdaLoraFields {
  readonly rank: number;
  readonly initialRank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly beginSteps: number;
  readonly finalSteps: number;
  readonly allocateEvery: number;
  readonly sensitivityDecay: number;
  readonly uncertaintyDecay: number;
  readonly orthogonality: number;
  readonly rankPattern: Readonly<Record<string, number>>;
  readonly targets: Targets;
  readonly exclude: Targets;
  readonly layers: Layers;
}

/** PEFT's fields of AdaLoRA: LoRA's, and those of its schedule. */
export const adaLoraFields = [
  ...lowRankFields,
  ...["target_r", "init_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight", "total_step"],
];

const modules = z.union([z.string(), z.array(z.string())]).nullish();
const config = z.looseObject({
  target_r: z.int().positive().default(8),
  init_r: z.int().positive().default(12),
  lora_alpha: z.number().positive().default(8),
  lora_dropout: z.number().min(0).lt(1).default(0),
  tinit: z.int().nonnegative().default(0),
  tfinal: z.int().nonnegative().default(0),
  deltaT: z.int().positive().default(1),
  beta1: z.number().min(0).lt(1).default(0.85),
  beta2: z.number().min(0).lt(1).default(0.85),
  orth_reg_weight: z.number().nonnegative().default(0.5),
  rank_pattern: z.record(z.string(), z.array(z.boolean())).nullish(),
  target_modules: modules,
  exclude_modules: modules,
  layers_to_transform: z.union([z.int(), z.array(z.int())]).nullish(),
});

/** The options in an adapter_config.json of type ADALORA. */
export function readAdaLora(json: Readonly<Record<string, unknown>>) {
  const parsed = config.safeParse(json);
  if (!parsed.success) {
    throw new InputError(schemaProblems(parsed.error.issues, "adapter_config.json: "));
  }
  refuseUnsupported(json);
  const given = parsed.data;
  refuse(
    Object.entries(given.rank_pattern ?? {})
      .filter(([, kept]) => kept.length !== given.init_r)
      .map(
        ([name, { length }]) =>
          `adapter_config.json: rank_pattern: "${name}" says of ${length} triplets which are left; there were ${given.init_r} (init_r)`,
      ),
  );
  return {
    rank: given.target_r,
    initialRank: given.init_r,
    alpha: given.lora_alpha,
    dropout: given.lora_dropout,
    beginSteps: given.tinit,
    finalSteps: given.tfinal,
    allocateEvery: given.deltaT,
    sensitivityDecay: given.beta1,
    uncertaintyDecay: given.beta2,
    orthogonality: given.orth_reg_weight,
    rankPattern: Object.fromEntries(
      Object.entries(given.rank_pattern ?? {}).map(([name, kept]) => [pathOf(name), kept.filter(Boolean).length]),
    ),
    targets: targetsFromPeft(given.target_modules),
    exclude: targetsFromPeft(given.exclude_modules),
    layers: layersFromPeft(given.layers_to_transform),
  };
}

/** PEFT names a layer by its E, with the adapter's name behind it or without. */
const pathOf = (name: string): string => name.replace(/^base_model\.model\./, "").replace(/\.lora_E(\.[^.]+)?$/, "");

/** The same options as PEFT writes them; ranks of their own as which of the initial triplets are left. */
export function writeAdaLora(options: AdaLoraFields, { conventions, sizes }: Pick<Model, "conventions" | "sizes">) {
  const { beginSteps, finalSteps, initialRank, rankPattern } = options;
  const left = Object.entries(rankPattern).map(
    ([path, rank]) => [`${path}.lora_E`, Array.from({ length: initialRank }, (_, at) => at < rank)] as const,
  );
  return {
    target_r: options.rank,
    init_r: initialRank,
    lora_alpha: options.alpha,
    lora_dropout: options.dropout,
    tinit: beginSteps,
    tfinal: finalSteps,
    deltaT: options.allocateEvery,
    beta1: options.sensitivityDecay,
    beta2: options.uncertaintyDecay,
    orth_reg_weight: options.orthogonality,
    total_step: beginSteps + finalSteps + 1, // PEFT refuses a shorter schedule, also of what is trained already
    rank_pattern: left.length > 0 ? Object.fromEntries(left) : null,
    target_modules: targetsToPeft(options.targets) ?? conventions.updated,
    exclude_modules: targetsToPeft(options.exclude) ?? null,
    layers_to_transform: layersToPeft(options.layers, sizes.layers) ?? null,
    fan_in_fan_out: conventions.transposed ?? false,
    init_lora_weights: true,
  };
}
