import { adapt, type Goal } from "./adapt.ts";
import type { Base } from "./base.ts";
import type { MethodUse, Place } from "./method.ts";

/** A model's sites, by kind, each in the model's order. */
export interface Sites {
  readonly linear: readonly SitePlace[];
  readonly embedding: readonly SitePlace[];
  readonly sublayer: readonly SitePlace[];
  readonly attention: readonly SitePlace[];
}

/** Where a site is. */
export type SitePlace = Pick<Place, "path" | "layer">;

/** Lists where methods can act on a model with a task's head, the head's own linear layers included. */
export function listSites(base: Base, goal: Goal): Sites {
  const linear = new Map<string, SitePlace>();
  const embedding = new Map<string, SitePlace>();
  const sublayer = new Map<string, SitePlace>();
  const attention = new Map<string, SitePlace>();
  const watching: MethodUse = {
    ...{ name: "watching", summary: "acts nowhere", source: "", start: "base", rate: 0, options: {} },
    targetsLinear({ path, layer }) {
      linear.set(path, { path, layer });
      return false;
    },
    targetsEmbedding({ path, layer }) {
      embedding.set(path, { path, layer });
      return false;
    },
    sublayer({ path, layer }) {
      sublayer.set(path, { path, layer });
      return undefined;
    },
    attention(site) {
      attention.set(site.path, { path: site.path, layer: site.layer });
      return site;
    },
  };
  adapt(base, [watching], { ...goal, trainsHead: false });
  return {
    linear: [...linear.values()],
    embedding: [...embedding.values()],
    sublayer: [...sublayer.values()],
    attention: [...attention.values()],
  };
}
