import { transpose } from "../../graph/ops/transpose.ts";
import type { Value } from "../../graph/value.ts";
import type { Scope } from "../scope.ts";
import type { SiteKind } from "./site-kind.ts";

/** A linear layer: y = W x + b. */
export interface LinearSite extends Pick<Scope, "path" | "layer"> {
  /** [batch, tokens, in] (or [batch, 1, in] in a head) */
  readonly x: Value;
  /** W x + b: [..., out] */
  readonly y: Value;
  /** the same layer on another input */
  readonly apply: (x: Value) => Value;
  /** [out, in] */
  readonly weight: Value;
  /** [out] */
  readonly bias: Value | undefined;
  readonly inSize: number;
  readonly outSize: number;
  /** whether the checkpoint keeps the weight as [in, out] */
  readonly transposed: boolean;
  /** whether it gives the words of the vocabulary, so that "all linear layers" does not mean it */
  readonly output: boolean;
}

export const linearSites: SiteKind<LinearSite, Value, Pick<LinearSite, "weight" | "bias">> = {
  noun: "linear layer",
  gives: ({ y }) => y,
  behind: (site, y) => ({ ...site, y }),
  merging: {
    behind: (site, merged) => ({ ...site, ...merged }),
    tensors: ({ path, weight, bias, transposed }) => [
      [`${path}.weight`, transposed ? transpose(weight, [1, 0]) : weight],
      ...(bias ? [[`${path}.bias`, bias] as const] : []),
    ],
  },
};
