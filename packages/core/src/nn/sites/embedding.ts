import type { Value } from "../../graph/value.ts";
import type { Scope } from "../scope.ts";
import type { SiteKind } from "./site-kind.ts";

/** A table of vectors, looked up by id. */
export interface EmbeddingSite extends Pick<Scope, "path" | "layer"> {
  /** [batch, tokens] */
  readonly ids: Value;
  /** factor · E[id]: [batch, tokens, hidden] */
  readonly y: Value;
  /** [rows, size] */
  readonly weight: Value;
  readonly rows: number;
  readonly size: number;
  /** what the model multiplies the table's vectors by */
  readonly factor: number;
}

export const embeddingSites: SiteKind<EmbeddingSite, Value, Pick<EmbeddingSite, "weight">> = {
  noun: "embedding",
  gives: ({ y }) => y,
  behind: (site, y) => ({ ...site, y }),
  merging: {
    behind: (site, merged) => ({ ...site, ...merged }),
    tensors: ({ path, weight }) => [[`${path}.weight`, weight]],
  },
};
