import { adapt, type Goal } from "./adapt.ts";
import type { Base } from "./base.ts";
import type { MethodUse } from "./method.ts";

/** The paths of a model's sites, by kind, each in the model's order. */
export interface Sites {
  readonly linear: readonly string[];
  readonly embedding: readonly string[];
  readonly sublayer: readonly string[];
  readonly attention: readonly string[];
}

/** Lists where methods can act on a model with a task's head, the head's own linear layers included. */
export function listSites(base: Base, goal: Goal): Sites {
  const linear = new Set<string>();
  const embedding = new Set<string>();
  const sublayer = new Set<string>();
  const attention = new Set<string>();
  const watching: MethodUse = {
    ...{ name: "watching", summary: "acts nowhere", source: "", start: "base", rate: 0, options: {} },
    targetsLinear({ path }) {
      linear.add(path);
      return false;
    },
    targetsEmbedding({ path }) {
      embedding.add(path);
      return false;
    },
    sublayer({ path }) {
      sublayer.add(path);
      return undefined;
    },
    attention(site) {
      attention.add(site.path);
      return site;
    },
  };
  adapt(base, [watching], { ...goal, trainsHead: false });
  return { linear: [...linear], embedding: [...embedding], sublayer: [...sublayer], attention: [...attention] };
}
