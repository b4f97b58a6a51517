import type { Value } from "../../graph/value.ts";
import type { Scope } from "../scope.ts";
import type { SiteKind } from "./site-kind.ts";

/** A block's sublayer, attention or feed-forward, whose output is added to the residual stream. */
export interface SublayerSite extends Pick<Scope, "layer"> {
  /** the path of the module whose output enters the residual sum */
  readonly path: string;
  readonly place: "attention" | "feed-forward";
  /** the residual input: [batch, tokens, hidden] */
  readonly x: Value;
  /** the sublayer's output, before the residual sum: [batch, tokens, hidden] */
  readonly y: Value;
  /** the layer norm behind the residual sum; undefined in architectures that normalise in front */
  readonly normalize: ((sum: Value) => Value) | undefined;
  readonly hidden: number;
}

export const sublayerSites: SiteKind<SublayerSite, Value> = {
  noun: "sublayer",
  gives: ({ y }) => y,
  behind: (site, y) => ({ ...site, y }),
};
