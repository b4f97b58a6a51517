import { add } from "../../../graph/ops/add.ts";
import type { Value } from "../../../graph/value.ts";
import { type Activation, activations } from "../../../nn/activations.ts";
import { project } from "../../../nn/linear.ts";
import { count } from "../../../settings/setting.ts";
import type { AdapterScope } from "../../method.ts";
import { numberByPattern, type OptionValues } from "../../options.ts";
import { normal, zeros } from "../../parameter.ts";
import { byPattern } from "../../targets.ts";

/** The options that say how wide a bottleneck is. */
export const widthOptions = {
  size: count(64, "width of the bottleneck"),
  sizePattern: numberByPattern("widths of their own for bottlenecks by the end of their path", "positive integer"),
};
type Widths = OptionValues<typeof widthOptions>;

/** The width of the bottleneck at a site. */
export const widthAt = (path: string, { size, sizePattern }: Widths): number => byPattern(path, sizePattern, size);

const deviation = 0.01; // Houlsby et al. 2019, section 3.6: up to 0.01 is as good as any

interface BottleneckSizes {
  readonly hidden: number;
  readonly size: number;
  readonly activation: Activation;
}

/** W_up act(W_down x + b_down) + b_up.  x: [..., hidden] -> the same; 2 · hidden · size + hidden + size parameters */
export function bottleneckModule(scope: AdapterScope, x: Value, { hidden, size, activation }: BottleneckSizes): Value {
  const down = scope.parameter("adapter_down.weight", [size, hidden], normal(deviation));
  const downBias = scope.parameter("adapter_down.bias", [size], zeros, { role: "bias" });
  const up = scope.parameter("adapter_up.weight", [hidden, size], zeros);
  const upBias = scope.parameter("adapter_up.bias", [hidden], zeros, { role: "bias" });
  return add(project(activations[activation](add(project(x, down), downBias)), up), upBias);
}

/** Smaller ones are padded with zeros: the zeros of W_up leave nothing of what the activation makes of the others. */
export const widestSize = (all: readonly Widths[]): number =>
  Math.max(...all.flatMap(({ size, sizePattern }) => [size, ...Object.values(sizePattern)]));
