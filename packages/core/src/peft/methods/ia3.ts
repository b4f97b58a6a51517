import { z } from "zod";
import { InputError } from "../../errors.ts";
import { mul } from "../../graph/ops/mul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import type { Value } from "../../graph/value.ts";
import { type AdapterScope, defineMethod, type Place } from "../method.ts";
import { layerList, type OptionValues, targetModules } from "../options.ts";
import { ones } from "../parameter.ts";
import { targetsFromPeft, targetsToPeft } from "../peft-targets.ts";
import { isChosen, isTarget } from "../targets.ts";

const declared = {
  targets: targetModules("linear layers whose activations are rescaled"),
  feedforward: targetModules("those of them whose input, not output, is rescaled", "adapted"),
  layers: layerList("layers of the stack to adapt: 0,2,4-7, top:K or bottom:K"),
};
type Ia3 = OptionValues<typeof declared>;

/**
 * (IA)³: y = l ⊙ (W x + b), l: [out], on keys and values; y = W (l ⊙ x) + b, l: [in], on the feed-forward's second layer.
 * l starts at one, so the adapted model starts as the base model.  Merged: the rows of W and b, or W's columns, times l.
 */
export const ia3 = defineMethod({
  name: "ia3",
  summary: "rescales keys, values and the feed-forward's inner activations by learned vectors",
  source: "Liu et al. 2022, arXiv:2205.05638, section 3.3",
  start: "base",
  rate: 5e-3,
  options: declared,
  linear: {
    targets({ path, layer, layers: count, conventions, output }, { targets, layers }) {
      const chosen = targets ?? { kind: "names", names: conventions.scaled, required: true };
      if (chosen.kind === "all-linear" && output) return false;
      return isTarget(path, chosen) && isChosen(layer, layers, count);
    },
    apply(site, scope, options) {
      const { x, y, inSize, outSize, apply } = site;
      return scalesInput(site, options)
        ? apply(mul(x, inputScale(scope, inSize)))
        : mul(y, asRow(outputScale(scope, outSize)));
    },
    merge(site, scope, options) {
      const { weight, bias, inSize, outSize } = site;
      if (scalesInput(site, options)) return { weight: mul(weight, inputScale(scope, inSize)), bias };
      const l = outputScale(scope, outSize);
      return { weight: mul(weight, l), bias: bias && mul(bias, reshape(l, [outSize])) };
    },
  },
  joins: {
    alike: ({ feedforward }) => ({ feedforward }),
    widest: ([options]) => ({ feedforward: options?.feedforward }),
    factor: () => 1,
  },
  peft: {
    type: "IA3",
    fields: ["target_modules", "exclude_modules", "feedforward_modules", "fan_in_fan_out", "init_ia3_weights"],
    read(config) {
      const modules = z.union([z.string(), z.array(z.string())]).nullish();
      const parsed = z.looseObject({ target_modules: modules, feedforward_modules: modules }).safeParse(config);
      if (!parsed.success)
        throw new InputError("adapter_config.json: target_modules and feedforward_modules must be names or a pattern");
      const { target_modules, feedforward_modules } = parsed.data;
      // an empty list says that no layer's input is rescaled; leaving it out leaves it to the convention
      const none = Array.isArray(feedforward_modules) && feedforward_modules.length === 0;
      return {
        targets: targetsFromPeft(target_modules),
        feedforward: none ? { kind: "names", names: ["none"], required: false } : targetsFromPeft(feedforward_modules),
      };
    },
    write: ({ targets, feedforward }, { conventions }) => ({
      target_modules: targetsToPeft(targets) ?? conventions.scaled,
      feedforward_modules: targetsToPeft(feedforward) ?? conventions.scaledInputs,
      fan_in_fan_out: conventions.transposed ?? false,
      init_ia3_weights: true,
    }),
    // of two lists PEFT wants the rescaled inputs among the targets
    understands: ({ target_modules: all, feedforward_modules: inner }) =>
      !Array.isArray(all) || !Array.isArray(inner) || inner.every((name) => all.includes(name)),
    exact: ({ targets, layout }) => ({
      target_modules: targets,
      feedforward_modules: layout.flatMap(({ name, shape }) =>
        name.endsWith(".ia3_l") && shape[0] === 1 ? name.slice(0, -".ia3_l".length) : [],
      ),
    }),
  },
});

const scalesInput = (place: Place, { feedforward }: Ia3) =>
  isTarget(place.path, feedforward ?? { kind: "names", names: place.conventions.scaledInputs, required: true });

/** [out, 1] -> [1, out], or the same of each row of a batch */
const asRow = (l: Value) => transpose(l, l.shape.length === 2 ? [1, 0] : [0, 2, 1]);

const inputScale = (scope: AdapterScope, inSize: number) => scope.parameter("ia3_l", [1, inSize], ones);
const outputScale = (scope: AdapterScope, outSize: number) => scope.parameter("ia3_l", [outSize, 1], ones);
