import { refuse } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import type { Pooling } from "../nn/pooling.ts";
import type { Role } from "../nn/scope.ts";
import type { Task } from "../objectives/objectives.ts";
import { float32, type HostTensor } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { type Base, findTensor } from "./base.ts";
import { type AnnouncedSite, type Building, inHead } from "./building.ts";
import { checkTargets } from "./check-targets.ts";
import { build, type Forward, type ForwardOptions } from "./forward.ts";
import type { MethodUse } from "./method.ts";
import type { InputDirections, Projection } from "./parameter.ts";
import { layOut, lengthOf, type Phi, type Placed } from "./phi.ts";

/** What an adapted model is for. */
export interface Goal {
  readonly task: Task;
  /** number of the head's outputs; ignored where they are the vocabulary */
  readonly labels: number;
  /** what the head reads of a text: what Hugging Face's class does, or another vector */
  readonly pooling?: Pooling | undefined;
  /** whether the head is trained; left out: it is, but for the language-model head of a checkpoint that has one */
  readonly trainsHead?: boolean | undefined;
  /** modules of the base that are trained whole and saved together with the head, `bert.pooler` */
  readonly savedModules?: readonly string[] | undefined;
  /** a language model's teacher: the length of the vectors that it gives whole texts, which the model learns to give too */
  readonly teacher?: { readonly size: number } | undefined;
}

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
  const { building } = build(base, methods, goal);
  const { parameters, sites, adaptedSites } = building;
  const { problems, remarks } = checkTargets(building);
  refuse([...building.problems, ...problems]);
  const unmergeable = [...building.unmergeable];
  const layout = layOut([...parameters.values()].map(({ parameter }) => parameter));
  return {
    ...{ base, methods, goal, layout, sites, unmergeable, remarks },
    starts: [...building.starts.keys()],
    projections: [...building.projections.values()].map(({ projection }) => projection),
    targets: [...adaptedSites],
    ties: building.ties,
    modelTensors: modelTensors(building),
    headModules: building.headTrained ? building.headModules : [],
    newTensors: layout.filter(({ part, stored }) => part === "head" && !stored).map(({ name }) => name),
    forward: (options) => build(base, methods, goal, options).forward,
    merged() {
      refuse(
        unmergeable.map((name) => `${name} cannot be merged: what it computes is no change of the base's weights`),
      );
      const again = build(base, methods, goal).building;
      const unfrozen = [...again.parameters].filter(([, { parameter }]) => parameter.part !== "adapter");
      return Object.fromEntries([
        ...again.untied,
        ...unfrozen.map(([name, { value }]) => [name, value] as const),
        ...again.merges.flatMap((merge) => merge()),
      ]);
    },
  };
}

/**
 * Draws Φ's initial values: each tensor from its own stream of the seed, or from the checkpoint.
 *
 * @param directions of the layers' inputs on the data to train on, where a method {@link startsFromData}
 * @throws InputError where a method starts from data and there are none
 */
export async function initialPhi(
  { layout, starts, projections, base }: Pick<AdaptedModel, "layout" | "starts" | "projections" | "base">,
  seed: number,
  directions?: InputDirections,
): Promise<Phi> {
  const read = (tensor: string) => base.read(findTensor(base, tensor)?.name ?? tensor);
  const values = new Float32Array(lengthOf(layout));
  const kept: Record<string, HostTensor> = {};
  for (const { name, shape, offset, initial } of layout) {
    const start = await initial({ shape, random: random(seed, `initial ${name}`), read, directions });
    values.set(start, offset);
    if (starts.includes(name)) kept[name] = float32(shape, start);
  }
  const drawn: Record<string, HostTensor> = {};
  for (const { name, shape, key, initial } of projections) {
    drawn[name] = float32(shape, await initial({ shape, random: random(key, `projection ${name}`), read, directions }));
  }
  return { layout, values, starts: kept, projections: drawn };
}

/** Why the adapters of a model's kind are computed one at a time; none where the rows of a batch may have one each. */
export function aloneBecause({ methods, sites, targets, starts }: AdaptedModel): readonly string[] {
  const tables = sites.filter(({ kind, path }) => kind === "embedding" && targets.includes(path));
  return [
    ...methods.flatMap(({ name, alone }) => (alone === undefined ? [] : [`${name}: ${alone}`])),
    ...(starts.length > 0 ? ["what it adds is measured from a start of its own"] : []),
    ...tables.map(({ path }) => `${path}: a row's own table would be looked up for every row`),
  ];
}

/** Whether a method's start is found in data to train on. */
export const startsFromData = ({ methods }: Pick<AdaptedModel, "methods">): boolean =>
  methods.some((use) => use.startsFromData?.());

function modelTensors(building: Building): AdaptedModel["modelTensors"] {
  const trained = [...building.parameters.values()].flatMap(({ parameter: { name, shape, role, layer, part } }) =>
    part === "adapter" ? [] : [{ name, shape, role, layer, head: part === "head" }],
  );
  const frozen = [...building.frozen.values()].map(({ name, shape, role, layer }) => {
    return { name, shape, role, layer, head: inHead(building, name) };
  });
  return [...trained, ...frozen];
}
