import { adapt } from "./adapt.ts";
import type { Base } from "./base.ts";
import type { AnnouncedSite } from "./building.ts";
import type { Goal } from "./goal.ts";
import type { SiteKind } from "./site-kinds.ts";

/** Where a site is. */
type SitePlace = Pick<AnnouncedSite, "path" | "layer">;

/** A model's sites, by kind, each once and in the model's order. */
export type Sites = Readonly<Record<Exclude<SiteKind, "prompt">, readonly SitePlace[]>>;

/** Lists where methods can act on a model with a task's head, the head's own linear layers included. */
export function listSites(base: Base, goal: Goal): Sites {
  const { sites } = adapt(base, [], { ...goal, trainsHead: false });
  const of = (kind: SiteKind) => {
    const found = sites.filter((site) => site.kind === kind);
    return [...new Map(found.map(({ path, layer }) => [path, { path, layer }])).values()];
  };
  return { linear: of("linear"), embedding: of("embedding"), sublayer: of("sublayer"), attention: of("attention") };
}
