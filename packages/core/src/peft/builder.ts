import { InputError } from "../errors.ts";
import { cast } from "../graph/ops/cast.ts";
import { dequantize } from "../graph/ops/dequantize-linear.ts";
import { slice } from "../graph/ops/slice.ts";
import { transpose } from "../graph/ops/transpose.ts";
import { input, type Value, weight } from "../graph/value.ts";
import { behindPast, type KeyValueCache } from "../nn/cache.ts";
import { dropout } from "../nn/dropout.ts";
import { isBias, isNorm, joinPath, type Scope } from "../nn/scope.ts";
import type { EmbeddingSite, Hooks } from "../nn/sites.ts";
import { type BaseTensor, isQuantized, type QuantizedTensor } from "../tensor/quantized-tensor.ts";
import { type Base, findTensor } from "./base.ts";
import type { AdapterScope, MethodUse, Place } from "./method.ts";
import { fromCheckpoint, type Initializer, normal, ones, type Parameter, type Projection, zeros } from "./parameter.ts";
import { startName } from "./phi.ts";
import { prefixLength, withPrompt } from "./prompted.ts";

/** What one building of the forward graph is told and notes down; all of it belongs to that building alone. */
export interface Building {
  readonly base: Base;
  readonly methods: readonly MethodUse[];
  /** modules that are the task's head or are trained with it because the checkpoint lacks them */
  readonly headModules: readonly string[];
  readonly headTrained: boolean;
  /** present while training: the step's key, the base's own dropout, and in a chunk of rows their numbers */
  readonly noise: { readonly key: Value; readonly dropout: number; readonly rows?: Value } | undefined;
  /** the ids that the architecture looks up where some in front stand for a prompt */
  readonly promptedIds: Value | undefined;
  /** present where tokens are decoded one behind the other */
  readonly cache: KeyValueCache | undefined;
  readonly parameters: Map<string, { readonly value: Value; readonly parameter: Parameter }>;
  /** the starts of those trained tensors that are measured from there, by their names */
  readonly starts: Map<string, Value>;
  readonly frozen: Map<string, ModuleTensor & { readonly value: Value }>;
  readonly projections: Map<string, { readonly value: Value; readonly projection: Projection }>;
  /** what methods want small beside the loss */
  readonly penalties: Value[];
  /** tensors of the model that are read in several places, such as embeddings that the output layer uses too */
  readonly shared: Set<string>;
  /** paths of all linear layers, and of the sites at which a method acts */
  readonly linearLayers: Pick<Place, "path" | "layer">[];
  /** what each linear layer reads, by its path */
  readonly layerInputs: Map<string, Value>;
  readonly adaptedSites: Set<string>;
  /** methods that found something to act on or to train */
  readonly acting: Set<MethodUse>;
  /** tensors of the base as merging changes them, by name, one entry a site */
  readonly merges: (() => readonly (readonly [string, Value])[])[];
  /** methods that cannot be merged into the base's weights */
  readonly unmergeable: Set<string>;
  readonly problems: Set<string>;
  /** the next site of a dropout */
  readonly nextDropout: () => number;
}

/** A tensor that an architecture names. */
interface ModuleTensor extends Pick<Parameter, "name" | "shape" | "role" | "layer"> {
  readonly module: string;
}

/** The scope of a module of the base or of the head. */
export function moduleScope(building: Building, path: string, layer?: number): Scope {
  return {
    ...{ path, layer },
    hooks: hooksOf(building),
    at: (name, own = layer) => moduleScope(building, joinPath(path, name), own),
    parameter: (name, shape, role) =>
      moduleTensor(building, { module: path, name: joinPath(path, name), shape, role, layer }),
    dropout: (x) => noisy(building, x, building.noise?.dropout ?? 0),
  };
}

/** Whether a path lies in the task's head. */
export const inHead = ({ headModules }: Pick<Building, "headModules">, path: string): boolean =>
  headModules.some((module) => path === module || path.startsWith(`${module}.`));

/** A tensor of the checkpoint: trained where the head or a method wants it, frozen in its file otherwise. */
function moduleTensor(building: Building, tensor: ModuleTensor): Value {
  const { module, name, shape, role, layer } = tensor;
  const known = building.parameters.get(name)?.value ?? building.frozen.get(name)?.value;
  if (known) {
    building.shared.add(name);
    return known;
  }
  const { base, methods } = building;
  const stored = findTensor(base, name);
  const fits = stored?.shape.length === shape.length && stored.shape.every((length, axis) => length === shape[axis]);
  const head = inHead(building, name);
  const place = placeOf(building, { path: name, layer });
  const trainers = methods.filter((use) => use.trains?.({ ...place, module, shape, role, head }));
  for (const use of trainers) building.acting.add(use);
  const [trainer] = trainers;
  if (head ? building.headTrained || trainer : trainer) {
    if (stored && isQuantized(stored)) building.problems.add(frozenInBits(trainer, stored.bits));
    const start =
      stored && fits
        ? { initial: fromCheckpoint(stored.name), stored: stored.name }
        : { initial: newTensor(building, tensor, head), stored: undefined };
    return trained(building, {
      ...{ name, shape, role, layer, ...start },
      part: head ? "head" : "base",
      method: head ? undefined : trainer?.name,
    });
  }
  if (!fits && base.tensors) building.problems.add(misfit(name, shape, stored?.shape));
  const missing = { name, file: "", offset: 0, byteLength: 0, dtype: "float32" as const, shape };
  const value = frozenValue(stored && fits ? stored : missing);
  building.frozen.set(name, { value, ...tensor });
  return value;
}

/** A tensor of the checkpoint in float32, as it is computed with. */
const frozenValue = (tensor: BaseTensor): Value =>
  isQuantized(tensor) ? dequantize(tensor) : cast(weight(tensor), "float32");

const frozenInBits = (use: MethodUse | undefined, bits: QuantizedTensor["bits"]): string =>
  `${use?.name ?? "the head"} would train weights that this base holds in ${bits} bits, and those stay frozen; ` +
  "choose a method that leaves the base's matrices as they are, such as lora, or open the base that was quantised";

/** What a head's tensor is before training: as Hugging Face's classes do it. */
function newTensor({ base, problems }: Building, { name, shape, role }: ModuleTensor, head: boolean): Initializer {
  if (!head && base.tensors) problems.add(misfit(name, shape, undefined));
  if (isBias(role)) return zeros;
  return isNorm(role) ? ones : normal(base.model.sizes.initializerRange);
}

function misfit(name: string, shape: readonly number[], stored: readonly number[] | undefined): string {
  return stored
    ? `the checkpoint's "${name}" has shape [${stored.join(", ")}]; its config.json calls for [${shape.join(", ")}]`
    : `the checkpoint has no tensor "${name}" of shape [${shape.join(", ")}]`;
}

/** A tensor of Φ, the same one wherever it is read. */
export function trained(building: Building, parameter: Parameter): Value {
  const known = building.parameters.get(parameter.name);
  if (known) {
    const users = [known.parameter.method, parameter.method];
    if (users[0] !== users[1]) building.problems.add(`${users.join(" and ")} both train "${parameter.name}"`);
    return known.value;
  }
  const value = input(parameter.name, "float32", parameter.shape);
  building.parameters.set(parameter.name, { value, parameter });
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

function noisy(building: Building, x: Value, probability: number): Value {
  const { noise, nextDropout } = building;
  return noise ? dropout(x, probability, noise.key, nextDropout(), noise.rows) : x;
}

/** What a method sees of the model at one site. */
function adapterScope(
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

function placeOf({ base }: Building, { path, layer }: Pick<Place, "path" | "layer">): Place {
  const { sizes, conventions } = base.model;
  return { path, layer, layers: sizes.layers, conventions };
}

/** The vectors of words with a method's prompt in front; those of other tables as they are. */
function prompted(building: Building, site: EmbeddingSite & Place, y: Value): Value {
  const prompting = site.ids === building.promptedIds ? building.methods.filter(({ prompt }) => prompt) : [];
  const [use, ...others] = prompting;
  if (!use?.prompt) return y;
  if (others.length > 0)
    building.problems.add(`${prompting.map(({ name }) => name).join(" and ")} cannot both act on ${site.path}`);
  building.adaptedSites.add(site.path);
  building.acting.add(use);
  building.unmergeable.add(use.name);
  return withPrompt(y, use.prompt(site, adapterScope(building, site, use.name)));
}

/** The methods at the architecture's sites: at most one acts at each. */
function hooksOf(building: Building): Hooks {
  const { methods, adaptedSites, merges, unmergeable, problems } = building;
  const actor = (path: string, acts: (use: MethodUse) => boolean | undefined): MethodUse | undefined => {
    const actors = building.headTrained && inHead(building, path) ? [] : methods.filter(acts);
    if (actors.length > 1) problems.add(`${actors.map(({ name }) => name).join(" and ")} cannot both act on ${path}`);
    if (actors.length > 0) adaptedSites.add(path);
    for (const use of actors) building.acting.add(use);
    return actors[0];
  };
  return {
    virtualTokens: prefixLength(methods),
    linear(site) {
      const at = { ...site, ...placeOf(building, site) };
      building.linearLayers.push({ path: site.path, layer: site.layer });
      building.layerInputs.set(site.path, site.x);
      const use = actor(site.path, (method) => method.targetsLinear?.(at));
      if (!use?.linear) return site.y;
      const scope = adapterScope(building, site, use.name);
      merges.push(() => {
        const { weight, bias } = use.merge?.(at, scope) ?? site;
        const stored = site.transposed ? transpose(weight, [1, 0]) : weight;
        return [[`${site.path}.weight`, stored], ...(bias ? [[`${site.path}.bias`, bias] as const] : [])];
      });
      return use.linear(at, scope);
    },
    embedding(site) {
      const at = { ...site, ...placeOf(building, site) };
      const use = actor(site.path, (method) => method.targetsEmbedding?.(at));
      if (!use?.embedding) return prompted(building, at, site.y);
      const scope = adapterScope(building, site, use.name);
      const name = `${site.path}.weight`;
      merges.push(() => {
        if (!building.shared.has(name)) return [[name, use.mergeEmbedding?.(at, scope) ?? site.weight]];
        throw new InputError(
          `${use.name} on ${site.path} cannot be merged: the output layer reads that table too, unchanged`,
        );
      });
      return prompted(building, at, use.embedding(at, scope));
    },
    sublayer(site) {
      const at = { ...site, ...placeOf(building, site) };
      const results = new Map(methods.map((use) => [use, use.sublayer?.(at, adapterScope(building, site, use.name))]));
      const use = actor(site.path, (method) => results.get(method) !== undefined);
      if (use) unmergeable.add(use.name);
      return (use && results.get(use)) ?? site.y;
    },
    attention(own) {
      const site = building.cache ? behindPast(building.cache, own) : own;
      const at = { ...site, ...placeOf(building, site), layer: site.layer };
      const acts = (method: MethodUse) => method.attention && (method.targetsAttention?.(at) ?? true);
      const use = actor(site.path, acts);
      if (!use?.attention) return site;
      unmergeable.add(use.name);
      return use.attention(at, adapterScope(building, site, use.name));
    },
  };
}
