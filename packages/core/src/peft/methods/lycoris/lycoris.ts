import { z } from "zod";
import type { Model } from "../../../nn/model.ts";
import type { OptionValues } from "../../options.ts";
import { peftFields } from "../../peft-fields.ts";
import { layersFromPeft, layersToPeft, targetsFromPeft, targetsToPeft } from "../../peft-targets.ts";
import { lowRankOptions } from "../lora/low-rank.ts";

const { rank, alpha, targets, exclude, layers, rankPattern, alphaPattern } = lowRankOptions;

/** The options that the methods of the LyCORIS library share: LoRA's without dropout and the other scale. */
export const lycorisOptions = { rank, alpha, targets, exclude, layers, rankPattern, alphaPattern };
export type Lycoris = OptionValues<typeof lycorisOptions>;

/** PEFT's fields of these types that are read, or about training and convolutions alone. */
export const lycorisFields = [
  ...["r", "alpha", "rank_dropout", "module_dropout", "use_effective_conv2d", "init_weights"],
  ...["target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern"],
];

const modules = z.union([z.string(), z.array(z.string())]).nullish();
const patterns = z.record(z.string(), z.number()).nullish();

const config = z.looseObject({
  r: z.int().positive().default(8),
  alpha: z.number().default(8),
  rank_pattern: patterns,
  alpha_pattern: patterns,
  target_modules: modules,
  exclude_modules: modules,
  layers_to_transform: z.union([z.int(), z.array(z.int())]).nullish(),
});

/** The options in an adapter_config.json of type LOHA or LOKR. What it says of dropout is about training alone, and left out. */
export function readLycoris(json: Readonly<Record<string, unknown>>) {
  const given = peftFields(config, json);
  return {
    rank: given.r,
    alpha: given.alpha,
    rankPattern: given.rank_pattern ?? {},
    alphaPattern: given.alpha_pattern ?? {},
    targets: targetsFromPeft(given.target_modules),
    exclude: targetsFromPeft(given.exclude_modules),
    layers: layersFromPeft(given.layers_to_transform),
  };
}

/** The same options as PEFT writes them. */
export function writeLycoris(options: Lycoris, { conventions, sizes }: Pick<Model, "conventions" | "sizes">) {
  return {
    r: options.rank,
    alpha: options.alpha,
    rank_dropout: 0,
    module_dropout: 0,
    use_effective_conv2d: false,
    rank_pattern: options.rankPattern,
    alpha_pattern: options.alphaPattern,
    target_modules: targetsToPeft(options.targets) ?? conventions.updated,
    exclude_modules: targetsToPeft(options.exclude) ?? null,
    layers_to_transform: layersToPeft(options.layers, sizes.layers) ?? null,
    init_weights: true,
  };
}
