import { slice } from "../graph/ops/slice.ts";
import { input, type Value } from "../graph/value.ts";
import type { KeyValueCache } from "../nn/cache.ts";
import { dropout, dropoutOfOwn, type OwnNoise } from "../nn/dropout.ts";
import { heads } from "../nn/model.ts";
import { joinPath } from "../nn/scope.ts";
import { objectiveOf, requireTask } from "../objectives/objectives.ts";
import { batchDim } from "../tensor/shape.ts";
import { type Base, findTensor } from "./base.ts";
import type { Goal } from "./goal.ts";
import type { AdapterScope, MethodUse, Place } from "./method.ts";
import { ofRows, overTokens } from "./own-tensors.ts";
import type { Parameter, Projection } from "./parameter.ts";
import { startName } from "./phi.ts";
import type { SiteKindName } from "./site-kinds.ts";
import { isWithin } from "./targets.ts";

/** Noise while training. */
export interface Noise {
  /** the step's, int64 scalar, new at every step; or each row's own, where rows are of several steps */
  readonly key: Value | OwnNoise;
  /** the base's own dropout */
  readonly dropout: number;
}

/** A tensor that an architecture names. */
export interface ModuleTensor extends Pick<Parameter, "name" | "shape" | "role" | "layer"> {
  readonly module: string;
}

/** A site that an architecture announced. */
export interface AnnouncedSite extends Pick<Place, "path" | "layer"> {
  readonly kind: SiteKindName;
}

/** What one building of the forward graph is told and notes down; all of it belongs to that building alone. */
export interface Building {
  readonly base: Base;
  readonly methods: readonly MethodUse[];
  /** modules that are the task's head or are trained with it because the checkpoint lacks them */
  readonly headModules: readonly string[];
  readonly headTrained: boolean;
  /** present while training: the noise of the step, and in a chunk of rows their numbers */
  readonly noise: (Noise & { readonly rows?: Value }) | undefined;
  /** the ids that the architecture looks up where some in front stand for a prompt */
  readonly promptedIds: Value | undefined;
  /** present where tokens are decoded one behind the other */
  readonly cache: KeyValueCache | undefined;
  /** present where each row has an adapter of its own: that Φ is fed row by row, or each row's place in what is fed */
  readonly mixed: "rows" | { readonly slots: Value } | undefined;
  /** the trained tensors: as they are read, and as they are fed, which differs where each row has an adapter of its own */
  readonly parameters: Map<string, { readonly value: Value; readonly fed: Value; readonly parameter: Parameter }>;
  /** the starts of those trained tensors that are measured from there, by their names */
  readonly starts: Map<string, Value>;
  readonly frozen: Map<string, ModuleTensor & { readonly value: Value }>;
  readonly projections: Map<string, { readonly value: Value; readonly projection: Projection }>;
  /** what methods want small beside the loss */
  readonly penalties: Value[];
  /** tensors of the model that are read in several places, such as embeddings that the output layer uses too */
  readonly shared: Set<string>;
  /** the tables that are output layers too, by the names that those would have of their own */
  readonly ties: Map<string, string>;
  /** tables as they are in the base, for output layers that do not follow what an adapter makes of them */
  readonly untied: Map<string, Value>;
  /** every site that was announced, and the paths of those at which a method acts */
  readonly sites: AnnouncedSite[];
  /** what each linear layer reads, by its path */
  readonly layerInputs: Map<string, Value>;
  readonly adaptedSites: Set<string>;
  /** the paths of the sites at which a method acts and of the modules of which it trains something */
  readonly acting: Map<MethodUse, Set<string>>;
  /** tensors of the base as merging changes them, by name, one entry a site */
  readonly merges: (() => readonly (readonly [string, Value])[])[];
  /** methods that cannot be merged into the base's weights */
  readonly unmergeable: Set<string>;
  readonly problems: Set<string>;
  /** the next site of a dropout */
  readonly nextDropout: () => number;
}

/** What one building is told: noise, cache, whose Φ is read and the prompted ids; all of it may be left out. */
type Told = Partial<Pick<Building, "noise" | "cache" | "mixed" | "promptedIds">>;

/** A building in which nothing was announced yet. */
export function beginBuilding(base: Base, methods: readonly MethodUse[], goal: Goal, told: Told): Building {
  let dropouts = 0;
  return {
    base,
    methods,
    noise: told.noise,
    cache: told.cache,
    mixed: told.mixed,
    promptedIds: told.promptedIds,
    ...headOf(base, goal),
    parameters: new Map(),
    starts: new Map(),
    frozen: new Map(),
    projections: new Map(),
    penalties: [],
    shared: new Set(),
    sites: [],
    ties: new Map(),
    untied: new Map(),
    layerInputs: new Map(),
    adaptedSites: new Set(),
    acting: new Map(),
    merges: [],
    unmergeable: new Set(),
    problems: new Set(),
    nextDropout: () => ++dropouts,
  };
}

/** The modules of a task's head with those of the base that are trained like it, and whether they are. */
function headOf(base: Base, goal: Goal): Pick<Building, "headModules" | "headTrained"> {
  const { model } = base;
  requireTask(model, goal.task);
  const { head } = objectiveOf(goal.task);
  const own = model.headModules[head] ?? [];
  const pooler =
    heads[head].of === "text" && model.poolerModule ? joinPath(model.prefix, model.poolerModule) : undefined;
  const lacks = (module: string) =>
    base.tensors !== undefined && ![...base.tensors.keys()].some((name) => name.startsWith(`${module}.`));
  const lacksPooler = pooler !== undefined && base.tensors !== undefined && !findTensor(base, `${pooler}.weight`);
  return {
    headModules: [...own, ...(lacksPooler ? [pooler] : []), ...(goal.savedModules ?? [])],
    headTrained: goal.trainsHead ?? (heads[head].from === "labels" || own.some(lacks)),
  };
}

/** Notes where a method acts. */
export function noteActing({ acting }: Building, use: MethodUse, path: string): void {
  const paths = acting.get(use) ?? new Set();
  acting.set(use, paths.add(path));
}

/** Whether a path lies in the task's head. */
export const inHead = ({ headModules }: Pick<Building, "headModules">, path: string): boolean =>
  isWithin(headModules, path);

/** A tensor of Φ, the same one wherever it is read. */
export function trained(building: Building, parameter: Parameter): Value {
  const known = building.parameters.get(parameter.name);
  if (known) {
    const users = [known.parameter.method, parameter.method];
    if (users[0] !== users[1]) building.problems.add(`${users.join(" and ")} both train "${parameter.name}"`);
    return known.value;
  }
  const { name, shape } = parameter;
  const { mixed } = building;
  const sets = mixed === undefined ? shape : mixed === "rows" ? [batchDim, ...overTokens(shape)] : ["slots", ...shape];
  const fed = input(name, "float32", sets);
  const value = typeof mixed === "object" ? ofRows(fed, mixed.slots) : fed;
  building.parameters.set(parameter.name, { value, fed, parameter });
  return value;
}

/** Where a tensor of Φ started, the same value wherever it is read. */
function startOf({ starts }: Building, { name, shape }: Pick<Parameter, "name" | "shape">): Value {
  const start = starts.get(name) ?? input(startName(name), "float32", shape);
  starts.set(name, start);
  return start;
}

/** A site's corner of a shared matrix, whose own lengths are known only when all sites have asked. */
function corner(building: Building, { shape, ...asked }: Projection): Value {
  const { name } = asked;
  const known = building.projections.get(name);
  const value = known?.value ?? input(name, "float32", [`${name}.rows`, `${name}.columns`]);
  const largest = shape.map((length, axis) => Math.max(length, known?.projection.shape[axis] ?? 0));
  building.projections.set(name, { value, projection: { ...asked, shape: largest } });
  return shape.reduce((part, length, axis) => slice(part, axis, 0, length), value);
}

/** Dropout while training; the identity otherwise. */
export function noisy(building: Building, x: Value, probability: number): Value {
  const { noise, nextDropout } = building;
  if (!noise) return x;
  const { key, rows } = noise;
  if ("tokens" in key) return dropoutOfOwn(x, probability, key, nextDropout());
  return dropout(x, probability, key, nextDropout(), rows);
}

/** What a method sees of the model at one site. */
export function adapterScope(
  building: Building,
  { path, layer }: Pick<Place, "path" | "layer">,
  method: string,
): AdapterScope {
  const own = { part: "adapter", role: "weight", stored: undefined, method } as const;
  return {
    parameter: (name, shape, initial, said) =>
      trained(building, { name: `${path}.${name}`, shape, initial, layer, ...own, ...said }),
    shared: (name, shape, initial) => trained(building, { name, shape, initial, layer: undefined, ...own }),
    start: (name, shape) => startOf(building, { name: `${path}.${name}`, shape }),
    projection: (name, shape, drawn) => corner(building, { name, shape, ...drawn }),
    penalize: (penalty) => building.penalties.push(penalty),
    dropout: (x, probability) => noisy(building, x, probability),
  };
}

export function placeOf({ base }: Building, { path, layer }: Pick<Place, "path" | "layer">): Place {
  const { sizes, conventions } = base.model;
  return { path, layer, layers: sizes.layers, conventions };
}
