import { attentionSites } from "./sites/attention.ts";
import { embeddingSites } from "./sites/embedding.ts";
import { linearSites } from "./sites/linear.ts";
import type { SiteKind } from "./sites/site-kind.ts";
import { sublayerSites } from "./sites/sublayer.ts";

/** Every kind of site that architectures announce: one file in nn/sites, one line here. */
export const announcedKinds = {
  linear: linearSites,
  embedding: embeddingSites,
  sublayer: sublayerSites,
  attention: attentionSites,
};

/** What a kind's sites are, what they give, and what merging changes of them. */
export type Announced = {
  readonly [K in keyof typeof announcedKinds]: (typeof announcedKinds)[K] extends SiteKind<infer S, infer R, infer M>
    ? { readonly site: S; readonly result: R; readonly merged: M }
    : never;
};

type Kinds = {
  readonly [K in keyof Announced]: SiteKind<Announced[K]["site"], Announced[K]["result"], Announced[K]["merged"]>;
};
const kinds: Kinds = announcedKinds;

/** What acts at the sites that an architecture announces. */
export interface Hooks {
  /** What a site gives when everything has acted that acts there. */
  act<K extends keyof Announced>(kind: K, site: Announced[K]["site"]): Announced[K]["result"];
  /** vectors that take part in attention without being text; the text's positions are counted behind them */
  readonly virtualTokens: number;
}

/** What is done with sites of some kinds. */
type Acts = { readonly [K in keyof Announced]?: (site: Announced[K]["site"]) => Announced[K]["result"] };

/** Something acts at sites of these kinds alone; the others give what they are. */
export function actingAt(acts: Acts, virtualTokens = 0): Hooks {
  return {
    virtualTokens,
    act<K extends keyof Announced>(kind: K, site: Announced[K]["site"]): Announced[K]["result"] {
      const own: Acts[K] = acts[kind];
      return own ? own(site) : kinds[kind].gives(site);
    },
  };
}

/** Nothing acts: the base model itself. */
export const noHooks: Hooks = actingAt({});
