import { behindPast } from "../nn/cache.ts";
import { joinPath, type Scope } from "../nn/scope.ts";
import type { Announced, Hooks } from "../nn/sites.ts";
import { act } from "./act.ts";
import { type Building, noisy } from "./building.ts";
import { moduleTensor, tiedTensor } from "./module-tensors.ts";
import { prefixLength } from "./prompted.ts";
import type { Result, Site } from "./site-kinds.ts";

/** The scope of a module of the base or of the head. */
export function moduleScope(building: Building, path: string, layer?: number): Scope {
  return {
    path,
    layer,
    hooks: hooksOf(building),
    at: (name, own = layer) => moduleScope(building, joinPath(path, name), own),
    parameter: (name, shape, role) =>
      moduleTensor(building, { module: path, name: joinPath(path, name), shape, role, layer }),
    tied: (name, shape, table) =>
      tiedTensor(building, { module: path, name: joinPath(path, name), shape, role: "weight", layer }, table),
    dropout: (x) => noisy(building, x, building.noise?.dropout ?? 0),
  };
}

/** What a building does with a site before methods act there, and with what they made of it. */
type Before = { readonly [K in keyof Announced]?: (building: Building, site: Site<K>) => Site<K> };
type Behind = { readonly [K in keyof Announced]?: (building: Building, site: Site<K>, result: Result<K>) => Result<K> };

const before: Before = {
  linear({ layerInputs }, site) {
    if (!layerInputs.has(site.path)) layerInputs.set(site.path, site.x); // a method may apply the layer to vectors of its own
    return site;
  },
  attention: ({ cache }, site) => (cache ? behindPast(cache, site) : site),
};

const behind: Behind = {
  embedding: (building, site, y) => (site.ids === building.promptedIds ? act(building, "prompt", { ...site, y }) : y),
};

/** The methods at the architecture's sites. */
export const hooksOf = (building: Building): Hooks => ({
  virtualTokens: prefixLength(building.methods),
  act<K extends keyof Announced>(kind: K, site: Site<K>): Result<K> {
    const own: Before[K] = before[kind];
    const further: Behind[K] = behind[kind];
    const result = act(building, kind, own ? own(building, site) : site);
    return further ? further(building, site, result) : result;
  },
});
