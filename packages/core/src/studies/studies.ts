import { bottleneckSize } from "./bottleneck-size.ts";
import { compare } from "./compare.ts";
import { dataSize } from "./data-size.ts";
import { forgetting } from "./forgetting.ts";
import { intrinsicDimension } from "./intrinsic-dimension.ts";
import { learningRate } from "./learning-rate.ts";
import { placement } from "./placement.ts";
import { rank } from "./rank.ts";
import { spectrum } from "./spectrum.ts";
import type { Study } from "./study.ts";

/** Every study: one file here, one line in this list. */
export const studies: readonly Study[] = [
  compare,
  bottleneckSize,
  placement,
  rank,
  forgetting,
  spectrum,
  intrinsicDimension,
  learningRate,
  dataSize,
];
