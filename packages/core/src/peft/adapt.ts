import { refuse } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import type { Role } from "../nn/scope.ts";
import type { Base } from "./base.ts";
import { type AnnouncedSite, type Building, inHead } from "./building.ts";
import { checkTargets } from "./check-targets.ts";
import { build, type Forward, type ForwardOptions, survey } from "./forward.ts";
import type { Goal } from "./goal.ts";
import { mergedTensors } from "./merged-tensors.ts";
import type { MethodUse } from "./method.ts";
import type { Projection } from "./parameter.ts";
import { layOut, type Placed } from "./phi.ts";

/** A base model with methods acting on it and a head on top: g(x; Θ, Φ). */
export interface AdaptedModel {
  readonly base: Base;
  readonly methods: readonly MethodUse[];
  readonly goal: Goal;
  /** Φ's tensors with their places in the flat vector */
  readonly layout: readonly Placed[];
  /** those of Φ's tensors whose start is needed as long as they are trained */
  readonly starts: readonly string[];
  /** matrices that methods draw and never train */
  readonly projections: readonly Projection[];
  /** the sites that the methods act on, in the model's order */
  readonly targets: readonly string[];
  /** every site that the architecture announces */
  readonly sites: readonly AnnouncedSite[];
  /** every tensor of the model with the task's head, frozen or trained, without what methods add */
  readonly modelTensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly role: Role;
    readonly layer: number | undefined;
    readonly head: boolean;
  }[];
  /** the tables that are output layers too, by the names that those would have of their own */
  readonly ties: ReadonlyMap<string, string>;
  /** modules that are saved with the adapter because they are trained with it as a head */
  readonly headModules: readonly string[];
  /** head tensors that the checkpoint lacks, so that they start at random */
  readonly newTensors: readonly string[];
  /** methods whose work is no change of the base's weights, so that they cannot be merged */
  readonly unmergeable: readonly string[];
  /** what of the methods' options changes nothing */
  readonly remarks: readonly string[];
  /** Builds the forward graph; without noise nothing is dropped. */
  forward(options?: ForwardOptions): Forward;
  /** Graphs of the base's tensors as the adapter changes them, by name. Throws where a method cannot be merged. */
  merged(): Readonly<Record<string, Value>>;
}

/** Puts methods and a head on a base model. Throws one InputError with everything that does not fit. */
export function adapt(base: Base, methods: readonly MethodUse[], goal: Goal): AdaptedModel {
  const building = survey(base, methods, goal);
  const { parameters, sites, adaptedSites } = building;
  const { problems, remarks } = checkTargets(building);
  refuse([...building.problems, ...problems]);
  const unmergeable = [...building.unmergeable];
  const layout = layOut([...parameters.values()].map(({ parameter }) => parameter));
  return {
    base,
    methods,
    goal,
    layout,
    sites,
    unmergeable,
    remarks,
    starts: [...building.starts.keys()],
    projections: [...building.projections.values()].map(({ projection }) => projection),
    targets: [...adaptedSites],
    ties: building.ties,
    modelTensors: modelTensors(building),
    headModules: building.headTrained ? building.headModules : [],
    newTensors: layout.filter(({ part, stored }) => part === "head" && !stored).map(({ name }) => name),
    forward: (options) => build(base, methods, goal, options).forward,
    merged: () => mergedTensors(base, methods, goal),
  };
}

function modelTensors(building: Building): AdaptedModel["modelTensors"] {
  const trained = [...building.parameters.values()].flatMap(({ parameter: { name, shape, role, layer, part } }) =>
    part === "adapter" ? [] : [{ name, shape, role, layer, head: part === "head" }],
  );
  const frozen = [...building.frozen.values()].map(({ name, shape, role, layer }) => {
    return { name, shape, role, layer, head: inHead(building, name) };
  });
  return [...trained, ...frozen];
}
