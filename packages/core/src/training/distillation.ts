import { add } from "../graph/ops/add.ts";
import { div } from "../graph/ops/div.ts";
import { mul } from "../graph/ops/mul.ts";
import { reduceSum } from "../graph/ops/reduce-sum.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { sqrt } from "../graph/ops/sqrt.ts";
import { sub } from "../graph/ops/sub.ts";
import { scalar, type Value } from "../graph/value.ts";

/**
 * How far a student's vectors are from its teacher's: Σ over rows of 1 − x·t / (|x| |t|).  student, teacher: [batch, size]
 *
 * A student that gives a text the vector that a larger model gives it learns what that model knows of whole texts
 * (Hinton et al. 2015, arXiv:1503.02531; for vectors of sentences Reimers & Gurevych 2020, arXiv:2004.09813, section 2).
 */
export function summedDistance(student: Value, teacher: Value): Value {
  const dot = reduceSum(mul(student, teacher), [1]);
  const cosine = div(dot, mul(norm(student), norm(teacher)));
  return reshape(reduceSum(sub(scalar(1), cosine), [0, 1]), []);
}

/** |x| of every row, [batch, 1]; a row of zeros has a norm above 0, so that nothing is divided by it. */
const norm = (x: Value): Value => sqrt(add(reduceSum(mul(x, x), [1]), scalar(1e-12)));
