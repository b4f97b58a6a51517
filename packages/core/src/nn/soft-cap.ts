import { mul } from "../graph/ops/mul.ts";
import { tanh } from "../graph/ops/tanh.ts";
import { scalar, type Value } from "../graph/value.ts";

/** cap · tanh(x / cap), which stays within ± cap (Gemma Team 2024, arXiv:2408.00118, section 2) */
export const softCap = (x: Value, cap: number): Value => mul(tanh(mul(x, scalar(1 / cap))), scalar(cap));
