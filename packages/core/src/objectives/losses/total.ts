import { reduceSum } from "../../graph/ops/reduce-sum.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import type { Value } from "../../graph/value.ts";

/** The sum of all elements, a scalar. */
export const total = (x: Value): Value =>
  reshape(
    reduceSum(
      x,
      x.shape.map((_, axis) => axis),
    ),
    [],
  );
