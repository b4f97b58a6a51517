import { refuse } from "../errors.ts";
import { heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { sizeOf } from "../tensor/host-tensor.ts";
import { type AdaptedModel, adapt } from "./adapt.ts";
import type { AdapterNumbers } from "./adapter.ts";
import { aloneBecause } from "./alone-because.ts";
import { type Base, findTensor } from "./base.ts";
import type { Goal } from "./goal.ts";
import { initialPhi } from "./initial-phi.ts";
import type { Action, AdapterScope, MethodUse } from "./method.ts";
import { type Phi, type Placed, requireThere } from "./phi.ts";
import type { SiteKindName } from "./site-kinds.ts";
import { isWithin } from "./targets.ts";

/**
 * Adapters of several kinds as one that is wide enough for all. Tensors that are smaller are padded with zeros, scales other
 * than its own are multiplied into them, and where an adapter has nothing stands what leaves the base as it is.
 */
export interface JoinedKinds {
  readonly adapted: AdaptedModel;
  /** Whether an adapter's tensors all have a place here that is large enough. */
  takes(adapted: AdaptedModel): boolean;
  /** what of one axis' values is an adapter's own: the labels of its head; undefined where heads give the vocabulary */
  labelsOf(adapted: AdaptedModel): number | undefined;
  /**
   * Φ of an adapter of one of the kinds, with which the joined model computes the same. Writes it at `at`.
   * @throws InputError while Φ is with the engine
   */
  place(adapter: AdapterNumbers, into: Float32Array, at: (tensor: Placed) => number): void;
  /** Where all numbers stand in Φ of a kind that needs no padding and no factor; undefined for the others. */
  standing(kind: AdaptedModel): readonly StandingTensor[] | undefined;
}

/** A joined tensor that is an adapter's own as it is. */
export interface StandingTensor {
  readonly target: Placed;
  readonly own: Placed;
}

/** Where the tensors of one of the adapters begin. */
export const inSlot =
  (slot: number, slots: number) =>
  ({ offset, size }: Placed): number =>
    slots * offset + slot * size;

/** Whether rows of adapters of all these kinds can be one batch. */
export function canJoin(kinds: readonly AdaptedModel[]): boolean {
  const keys = new Set(kinds.map(joinKey));
  if (keys.size > 1 || keys.has(undefined)) return false;
  const replacing = kinds.flatMap(({ methods }) => methods.filter(replaces));
  return new Set(replacing.map(partOf)).size <= 1;
}

/** What must be equal of adapters whose rows are one batch; undefined for those that are computed alone. */
function joinKey(adapted: AdaptedModel): string | undefined {
  if (aloneBecause(adapted).length > 0) return undefined;
  const { task, pooling = "default", savedModules = [] } = adapted.goal;
  const head = hasOwnHead(adapted) ? "each its own" : adapted.headModules;
  const apart = adapted.methods.flatMap((use) => (use.apart === undefined ? [] : [partOf(use)]));
  return JSON.stringify([objectiveOf(task).head, pooling, savedModules, head, apart.sort()]);
}

/** Whether a method computes linear layers anew, over what others added; it acts in front of them then. */
const replaces = (use: MethodUse): boolean => use.at("linear")?.adds === false;

/** Whether a row's head may be its adapter's own or the base's; otherwise heads are trained in all adapters or in none. */
function hasOwnHead({ goal, base, targets }: AdaptedModel): boolean {
  const { head } = objectiveOf(goal.task);
  const modules = base.model.headModules[head] ?? [];
  const acts = targets.some((path) => isWithin(modules, path));
  return heads[head].from === "labels" && !acts;
}

/** The methods that a joined model needs for a kind of adapter: those of equal text act as one. */
export const joinParts = ({ methods }: Pick<AdaptedModel, "methods">): readonly string[] => methods.map(partOf);

const partOf = ({ name, options, joins }: MethodUse): string => JSON.stringify([name, joins?.key ?? options]);

/**
 * Joins kinds of adapters that {@link canJoin}.
 * @throws InputError with the reasons where one of them is computed alone
 */
export async function joinKinds(base: Base, kinds: readonly AdaptedModel[]): Promise<JoinedKinds> {
  refuse(kinds.flatMap(aloneBecause));
  const [first] = kinds;
  if (!first) throw new RangeError("no kinds to join");
  const parts = partsOf(kinds);
  const widest = new Map([...parts].map(([part, members]) => [part, widestOf(members)] as const));
  const uses = [...parts.values()].map((members, at) => wide(members, at));
  const adapted = adapt(base, uses, joinedGoal(kinds, first));
  const neutral = await neutralPhi(adapted);
  const numbered = [...widest].map(([part, use], number) => [part, { use, number }] as const);
  const known = new WeakMap<AdaptedModel, ReturnType<typeof placing>>();
  const placing = (kind: AdaptedModel) => {
    const sources = sourcesIn(kind, adapted, new Map(numbered));
    return { sources, standing: unchanged(sources) };
  };
  const placingOf = (kind: AdaptedModel) => {
    const found = known.get(kind) ?? placing(kind);
    known.set(kind, found);
    return found;
  };
  return {
    adapted,
    takes: (kind) =>
      joinKey(kind) === joinKey(first) &&
      kind.goal.labels <= adapted.goal.labels &&
      placedIn(placingOf(kind).sources, kind),
    labelsOf: ({ goal }) => (heads[objectiveOf(goal.task).head].from === "labels" ? goal.labels : undefined),
    place({ adapted: kind, phi }, into, at) {
      requireThere(phi);
      for (const { target, own, factor } of placingOf(kind).sources) {
        const start = at(target);
        if (!own) into.set(neutral.values.subarray(target.offset, target.offset + target.size), start);
        else
          padded(
            phi.values.subarray(own.offset, own.offset + own.size),
            own.shape,
            into.subarray(start),
            target.shape,
            factor,
          );
      }
    },
    standing: (kind) => placingOf(kind).standing,
  };
}

/** All tensors of a joined model, where they are an adapter's own as they are. */
function unchanged(sources: readonly Source[]): readonly StandingTensor[] | undefined {
  const same = sources.flatMap(({ target, own, factor }) =>
    own && factor === 1 && own.shape.every((length, axis) => length === target.shape[axis]) ? [{ target, own }] : [],
  );
  return same.length === sources.length ? same : undefined;
}

/** Methods by what acts as one, in the order in which they act. */
function partsOf(kinds: readonly AdaptedModel[]): ReadonlyMap<string, readonly MethodUse[]> {
  const parts = new Map<string, Map<string, MethodUse>>();
  for (const use of kinds.flatMap(({ methods }) => methods)) {
    const part = parts.get(partOf(use)) ?? new Map<string, MethodUse>();
    parts.set(partOf(use), part.set(JSON.stringify(use.options), use));
  }
  const lists = [...parts].map(([part, members]) => [part, [...members.values()]] as const);
  return new Map(lists.sort(([, [a]], [, [b]]) => Number(b && replaces(b)) - Number(a && replaces(a))));
}

/** The joined tensor's name of a method's own: methods at one site may name theirs alike. */
const ownName = (name: string, number: number): string => `${name} ${number}`;

function widestOf(members: readonly MethodUse[]): MethodUse {
  const [first] = members;
  if (!first) throw new RangeError("a part without methods");
  return first.joins?.widest(members) ?? first;
}

/** Methods of one part as one: as large as the largest, at every site where one of them acts. */
function wide(members: readonly MethodUse[], number: number): MethodUse {
  const [first] = members;
  if (!first) throw new RangeError("a part without methods");
  const { name, summary, source, start, rate } = first;
  const widest = widestOf(members);
  const trainers = members.filter(({ trains }) => trains !== undefined);
  return {
    summary,
    source,
    start,
    rate,
    name: ownName(name, number),
    options: {},
    selections: [],
    at(kind) {
      const own = widest.at(kind);
      return own && anywhere(own, kind, members, number);
    },
    ...(widest.virtualTokens && { virtualTokens: widest.virtualTokens }),
    ...(trainers.length > 0 && { trains: (tensor) => trainers.some((use) => use.trains?.(tensor)) }),
  };
}

function anywhere<K extends SiteKindName>(
  own: Action<K, readonly []>,
  kind: K,
  members: readonly MethodUse[],
  number: number,
): Action<K, readonly []> {
  return {
    adds: true, // of the methods at a site all but a row's own leave it as it is
    targets: (site) => members.some((use) => use.at(kind)?.targets(site)),
    apply: (site, scope) => own.apply(site, renamed(scope, number)),
  };
}

const renamed = (scope: AdapterScope, number: number): AdapterScope => ({
  ...scope,
  parameter: (name, ...rest) => scope.parameter(ownName(name, number), ...rest),
  shared: (name, ...rest) => scope.shared(ownName(name, number), ...rest),
});

/** What all are for: as many labels as the largest head has; a head that is read is an adapter's own or the base's. */
function joinedGoal(kinds: readonly AdaptedModel[], first: AdaptedModel): Goal {
  const { task, pooling, savedModules } = first.goal;
  const labels = Math.max(...kinds.map(({ goal }) => goal.labels));
  return { task, labels, pooling, savedModules, trainsHead: hasOwnHead(first) || first.headModules.length > 0 };
}

/** Φ that leaves the base as it is, with the base's own head where it has one. */
async function neutralPhi(adapted: AdaptedModel): Promise<Phi> {
  const phi = await initialPhi(adapted, 0);
  const { base, layout } = adapted;
  for (const { name, shape, part, stored, offset } of layout) {
    const tensor = part === "head" && !stored ? findTensor(base, name) : undefined;
    const smaller =
      tensor?.shape.length === shape.length && tensor.shape.every((length, axis) => length <= (shape[axis] ?? 0));
    if (tensor && smaller) padded(await base.read(tensor.name), tensor.shape, phi.values.subarray(offset), shape, 1);
  }
  return phi;
}

/** Where a joined tensor's values come from; undefined: it stays neutral. */
interface Source {
  readonly target: Placed;
  readonly own: Placed | undefined;
  readonly factor: number;
}

function sourcesIn(
  { layout, methods }: AdaptedModel,
  joined: AdaptedModel,
  parts: ReadonlyMap<string, { readonly use: MethodUse; readonly number: number }>,
): readonly Source[] {
  const uses = new Map(methods.map((use) => [use.name, use]));
  const named = layout.map((own) => {
    const use = own.part === "adapter" && own.method !== undefined ? uses.get(own.method) : undefined;
    const part = use && parts.get(partOf(use));
    const name = use ? ownName(own.name, part?.number ?? -1) : own.name;
    const factor = (use?.joins?.factor(own.name) ?? 1) / (part?.use.joins?.factor(own.name) ?? 1);
    return [name, { own, factor }] as const;
  });
  const byName = new Map(named);
  return joined.layout.map((target) => ({ target, own: undefined, factor: 1, ...byName.get(target.name) }));
}

/** Whether each tensor of an adapter is read somewhere, and nowhere cut. */
function placedIn(sources: readonly Source[], { layout }: AdaptedModel): boolean {
  const placed = sources.filter(
    ({ own, target }) =>
      own?.shape.length === target.shape.length &&
      own.shape.every((length, axis) => length <= (target.shape[axis] ?? 0)),
  );
  return placed.length === layout.length;
}

/** Copies a tensor, times a factor, into the first places along each axis of another, zeros behind it. */
function padded(
  values: Float32Array,
  from: readonly number[],
  into: Float32Array,
  to: readonly number[],
  factor: number,
): void {
  const [rows = 1, ...inner] = from;
  const [places = 1, ...outer] = to;
  if (inner.length === 0 || sizeOf(inner) === sizeOf(outer)) {
    if (factor === 1) into.set(values);
    else for (let at = 0; at < values.length; at++) into[at] = factor * (values[at] ?? 0);
    into.fill(0, values.length, sizeOf(to));
    return;
  }
  const [read, write] = [sizeOf(inner), sizeOf(outer)];
  if (inner.length === 1) paddedRows(values, [rows, read], into, write, factor);
  else
    for (let row = 0; row < rows; row++)
      padded(values.subarray(row * read, (row + 1) * read), inner, into.subarray(row * write), outer, factor);
  into.fill(0, rows * write, places * write);
}

/** A matrix of short rows, number by number: views of each would take longer than its numbers. */
function paddedRows(
  values: Float32Array,
  [rows, read]: readonly [number, number],
  into: Float32Array,
  write: number,
  factor: number,
): void {
  into.fill(0, 0, rows * write);
  for (let row = 0; row < rows; row++)
    for (let at = 0; at < read; at++) into[row * write + at] = factor * (values[row * read + at] ?? 0);
}
