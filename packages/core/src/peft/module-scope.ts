import { behindPast } from "../nn/cache.ts";
import { joinPath, type Scope } from "../nn/scope.ts";
import type { Hooks } from "../nn/sites.ts";
import { act } from "./act.ts";
import { type Building, noisy } from "./building.ts";
import { moduleTensor, tiedTensor } from "./module-tensors.ts";
import { prefixLength } from "./prompted.ts";

/** The scope of a module of the base or of the head. */
export function moduleScope(building: Building, path: string, layer?: number): Scope {
  return {
    ...{ path, layer },
    hooks: hooksOf(building),
    at: (name, own = layer) => moduleScope(building, joinPath(path, name), own),
    parameter: (name, shape, role) =>
      moduleTensor(building, { module: path, name: joinPath(path, name), shape, role, layer }),
    tied: (name, shape, table) =>
      tiedTensor(building, { module: path, name: joinPath(path, name), shape, role: "weight", layer }, table),
    dropout: (x) => noisy(building, x, building.noise?.dropout ?? 0),
  };
}

/** The methods at the architecture's sites. */
export function hooksOf(building: Building): Hooks {
  const { cache, layerInputs, promptedIds } = building;
  return {
    virtualTokens: prefixLength(building.methods),
    linear(site) {
      layerInputs.set(site.path, site.x);
      return act(building, "linear", site);
    },
    embedding(site) {
      const y = act(building, "embedding", site);
      return site.ids === promptedIds ? act(building, "prompt", { ...site, y }) : y;
    },
    sublayer: (site) => act(building, "sublayer", site),
    attention: (site) => act(building, "attention", cache ? behindPast(cache, site) : site),
  };
}
