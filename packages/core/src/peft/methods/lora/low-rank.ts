import { z } from "zod";
import { refuse } from "../../../errors.ts";
import { matmul } from "../../../graph/ops/matmul.ts";
import type { Value } from "../../../graph/value.ts";
import type { Model } from "../../../nn/model.ts";
import type { LinearSite } from "../../../nn/sites/linear.ts";
import { count, fraction, real, toggle } from "../../../settings/setting.ts";
import type { AdapterScope } from "../../method.ts";
import { layerList, numberByPattern, type OptionValues, targetModules } from "../../options.ts";
import { kaimingUniform, zeros } from "../../parameter.ts";
import { peftFields } from "../../peft-fields.ts";
import { layersFromPeft, layersToPeft, targetsFromPeft, targetsToPeft } from "../../peft-targets.ts";
import { byPattern } from "../../targets.ts";

/** The options that methods with an update of low rank share. */
export const lowRankOptions = {
  rank: count(8, "width of the update"),
  alpha: real(16, "numerator of the scale"),
  dropout: fraction(0, "dropout on the adapter's input while training"),
  targets: targetModules("linear layers to adapt: names, a regular expression or all-linear"),
  exclude: targetModules("linear layers to leave out, named in the same way", "all"),
  layers: layerList("layers of the stack to adapt: 0,2,4-7, top:K or bottom:K"),
  rankStabilized: toggle(false, "scale by alpha / √rank instead of alpha / rank"),
  rankPattern: numberByPattern("ranks of their own for layers by the end of their path", "positive integer"),
  alphaPattern: numberByPattern("alphas of their own for layers by the end of their path"),
};
export type LowRank = OptionValues<typeof lowRankOptions>;

type Scaled = Pick<LowRank, "rank" | "alpha" | "rankPattern" | "alphaPattern"> &
  Partial<Pick<LowRank, "rankStabilized">>;

/** A site's rank and scale: alpha / rank, or alpha / √rank where rank-stabilised (arXiv:2312.03732). */
export function rankAndScale(path: string, options: Scaled): { rank: number; scale: number } {
  const rank = byPattern(path, options.rankPattern, options.rank);
  const alpha = byPattern(path, options.alphaPattern, options.alpha);
  return { rank, scale: alpha / (options.rankStabilized ? Math.sqrt(rank) : rank) };
}

/** A low-rank update's factors. */
export interface Factors {
  /** [rank, in] */
  readonly A: Value;
  /** [out, rank] */
  readonly B: Value;
  readonly scale: number;
}

/** A: [rank, in], Kaiming-uniform, and B: [out, rank], zero, of a linear layer. */
export function factors(
  scope: AdapterScope,
  { path, inSize, outSize }: Pick<LinearSite, "path" | "inSize" | "outSize">,
  options: LowRank,
): Factors {
  const { rank, scale } = rankAndScale(path, options);
  const A = scope.parameter("lora_A.weight", [rank, inSize], kaimingUniform);
  const B = scope.parameter("lora_B.weight", [outSize, rank], zeros, { rate: "loraPlus" });
  return { A, B, scale };
}

/** ΔW = scale · B A: [out, in] */
export const update = ({ A, B, scale }: Factors): Value => matmul(B, A, { alpha: scale });

/** Options of a rank that all others fit into, padded with zeros, and of the scale of them all, or of 1 where they differ or are 0. */
export function widestRank(all: readonly Scaled[]) {
  const rank = Math.max(...all.flatMap((options) => [options.rank, ...Object.values(options.rankPattern)]));
  const patterned = all.some(
    ({ alphaPattern, rankPattern }) => Object.keys({ ...alphaPattern, ...rankPattern }).length,
  );
  const scales = new Set(all.map((options) => rankAndScale("", options).scale));
  const [scale = 1] = patterned || scales.size > 1 || scales.has(0) ? [] : scales;
  return { rank, alpha: scale * rank };
}

/** The scale of a layer's update, which can be multiplied into B. */
export function scaleInB(tensor: string, options: Scaled): number {
  const path = /^(.*)\.lora_B\.weight$/.exec(tensor)?.[1];
  return path === undefined ? 1 : rankAndScale(path, options).scale;
}

/** What would change the computation in ways that petl does not know; each must be absent or empty. */
const unsupported = [
  "layer_replication",
  "target_parameters",
  "trainable_token_indices",
  "alora_invocation_tokens",
  "use_qalora",
  "use_bdlora",
  "lora_bias",
  "kasa_config",
  "velora_config",
  "monteclora_config",
  "arrow_config",
];

/** The fields of PEFT's LoraConfig that are read, refused, or about its start, its training and its machines alone. */
export const lowRankFields = [
  ...["r", "lora_alpha", "lora_dropout", "fan_in_fan_out", "bias", "use_rslora", "use_dora", "ensure_weight_tying"],
  ...["target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern"],
  ...["init_lora_weights", "loftq_config", "eva_config", "corda_config", "lora_ga_config", "runtime_config"],
  ...["megatron_config", "megatron_core", "qalora_group_size"],
  ...unsupported,
];

const config = z.looseObject({
  r: z.int().positive().default(8),
  lora_alpha: z.number().default(8),
  lora_dropout: z.number().min(0).lt(1).default(0),
  use_rslora: z.boolean().default(false),
  use_dora: z.boolean().default(false),
  ensure_weight_tying: z.boolean().default(false),
  rank_pattern: z.record(z.string(), z.number()).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  target_modules: z.union([z.string(), z.array(z.string())]).nullish(),
  exclude_modules: z.union([z.string(), z.array(z.string())]).nullish(),
  layers_to_transform: z.union([z.int(), z.array(z.int())]).nullish(),
});

/** @throws InputError with every field of a low-rank adapter's adapter_config.json that changes what is computed */
export function refuseUnsupported(json: Readonly<Record<string, unknown>>): void {
  const present = unsupported.filter(
    (name) => json[name] && JSON.stringify(json[name]) !== "{}" && JSON.stringify(json[name]) !== "[]",
  );
  refuse(
    present.map((name) => `adapter_config.json: ${name} is ${JSON.stringify(json[name])}, which petl does not support`),
  );
}

/** With tied weights PEFT adapts the output layer where it adapts the table, and writes both. */
function withOutput(modules: z.infer<typeof config>["target_modules"]) {
  const isTable = (name: string) => tables.some((table) => name === table || name.endsWith(`.${table}`));
  return Array.isArray(modules) && modules.some(isTable) ? [...modules, "lm_head"] : modules;
}

/** The tables of words in Hugging Face's decoders */
const tables = ["embed_tokens", "wte"];

/** The options in an adapter_config.json of type LORA, and whether it is DoRA. */
export function readLowRank(json: Readonly<Record<string, unknown>>) {
  const given = peftFields(config, json);
  refuseUnsupported(json);
  return {
    dora: given.use_dora,
    options: {
      rank: given.r,
      alpha: given.lora_alpha,
      dropout: given.lora_dropout,
      rankStabilized: given.use_rslora,
      rankPattern: given.rank_pattern ?? {},
      alphaPattern: given.alpha_pattern ?? {},
      targets: targetsFromPeft(given.ensure_weight_tying ? withOutput(given.target_modules) : given.target_modules),
      exclude: targetsFromPeft(given.exclude_modules),
      layers: layersFromPeft(given.layers_to_transform),
    },
  };
}

/** The same options as PEFT writes them. */
export function writeLowRank(options: LowRank, { conventions, sizes }: Pick<Model, "conventions" | "sizes">) {
  return {
    r: options.rank,
    lora_alpha: options.alpha,
    lora_dropout: options.dropout,
    use_rslora: options.rankStabilized,
    rank_pattern: options.rankPattern,
    alpha_pattern: options.alphaPattern,
    target_modules: targetsToPeft(options.targets) ?? conventions.updated,
    exclude_modules: targetsToPeft(options.exclude) ?? null,
    layers_to_transform: layersToPeft(options.layers, sizes.layers) ?? null,
    fan_in_fan_out: conventions.transposed ?? false,
    init_lora_weights: true,
  };
}
