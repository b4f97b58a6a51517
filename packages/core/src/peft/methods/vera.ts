import { z } from "zod";
import { InputError } from "../../errors.ts";
import { add } from "../../graph/ops/add.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { mul } from "../../graph/ops/mul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { project } from "../../nn/linear.ts";
import { count, fraction, natural, real } from "../../settings/setting.ts";
import { type AdapterScope, defineMethod } from "../method.ts";
import { layerList, type OptionValues, targetModules } from "../options.ts";
import { filledWith, heUniform, zeros } from "../parameter.ts";
import { peftFields } from "../peft-fields.ts";
import { layersFromPeft, layersToPeft, targetsFromPeft, targetsToPeft } from "../peft-targets.ts";
import { isUpdated } from "../targets.ts";

const declared = {
  rank: count(256, "width of the random matrices"),
  dInitial: real(0.1, "where each number of d starts"),
  projectionKey: natural(0, "what the random matrices are drawn from, whatever the seed"),
  dropout: fraction(0, "dropout on the adapter's input while training"),
  targets: targetModules("linear layers to adapt: names, a regular expression or all-linear"),
  layers: layerList("layers of the stack to adapt: 0,2,4-7, top:K or bottom:K"),
};

/**
 * VeRA: y = W x + c + b ⊙ B (d ⊙ A x), W, c frozen; A: [rank, in], B: [out, rank] random, frozen and shared by all layers,
 * of which each takes the first columns and rows; trained are d: [rank] and b: [out].
 * b starts at zero, so the adapted model starts as the base model.  Merged: W' = W + (b ⊙ B) (d ⊙ A).
 */
export const vera = defineMethod({
  name: "vera",
  summary: "scales random matrices that all layers share by two learned vectors a layer",
  source: "Kopiczko et al. 2023, arXiv:2310.11454, section 3",
  start: "base",
  rate: 4e-3,
  alone: "the matrices that its layers share may differ from adapter to adapter",
  size: { option: "rank", limit: "shortest side" },
  options: declared,
  linear: {
    adds: true,
    targets: isUpdated,
    apply({ x, y, inSize, outSize }, scope, options) {
      const { A, B, d, b } = tensors(scope, inSize, outSize, options);
      const low = mul(project(scope.dropout(x, options.dropout), A), d);
      return add(y, mul(project(low, B), b));
    },
    merge({ weight, bias, inSize, outSize }, scope, options) {
      const { A, B, d, b } = tensors(scope, inSize, outSize, options);
      const [rows, columns] = [mul(B, reshape(b, [outSize, 1])), mul(A, reshape(d, [options.rank, 1]))];
      return { weight: add(weight, matmul(rows, columns)), bias };
    },
  },
  peft: {
    type: "VERA",
    adaptedBiases: "vera_only",
    fields: [
      ...["r", "projection_prng_key", "save_projection", "vera_dropout", "d_initial", "fan_in_fan_out", "bias"],
      ...["target_modules", "layers_to_transform", "layers_pattern", "init_weights"],
    ],
    read(json) {
      const given = peftFields(config, json);
      if (!given.save_projection) {
        throw new InputError(
          "adapter_config.json: save_projection is false, so that the random matrices are in no file and only torch can " +
            "draw them again; save the adapter in Python once more, with save_projection true",
        );
      }
      return {
        rank: given.r,
        dInitial: given.d_initial,
        projectionKey: given.projection_prng_key,
        dropout: given.vera_dropout,
        targets: targetsFromPeft(given.target_modules),
        layers: layersFromPeft(given.layers_to_transform),
      };
    },
    write: (options, { conventions, sizes }) => ({
      r: options.rank,
      d_initial: options.dInitial,
      projection_prng_key: options.projectionKey,
      save_projection: true,
      vera_dropout: options.dropout,
      target_modules: targetsToPeft(options.targets) ?? conventions.updated,
      layers_to_transform: layersToPeft(options.layers, sizes.layers) ?? null,
      fan_in_fan_out: conventions.transposed ?? false,
      init_weights: true,
    }),
  },
});

function tensors(scope: AdapterScope, inSize: number, outSize: number, given: OptionValues<typeof declared>) {
  const { rank, dInitial, projectionKey: key } = given;
  return {
    A: scope.projection("vera_A", [rank, inSize], { key, initial: heUniform }),
    B: scope.projection("vera_B", [outSize, rank], { key, initial: heUniform }),
    d: scope.parameter("vera_lambda_d", [rank], filledWith(dInitial)),
    b: scope.parameter("vera_lambda_b", [outSize], zeros),
  };
}

const config = z.looseObject({
  r: z.int().positive().default(256),
  d_initial: z.number().default(0.1),
  projection_prng_key: z.int().nonnegative().default(0),
  save_projection: z.boolean().default(true),
  vera_dropout: z.number().min(0).lt(1).default(0),
  target_modules: z.union([z.string(), z.array(z.string())]).nullish(),
  layers_to_transform: z.union([z.int(), z.array(z.int())]).nullish(),
});
