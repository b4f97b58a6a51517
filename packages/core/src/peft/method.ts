import { refuse, shown, suggestion } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import type { Conventions, Model } from "../nn/model.ts";
import type { Role } from "../nn/scope.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import type { Options, OptionValues, Selection } from "./options.ts";
import type { Initializer, Projection, RateFactor } from "./parameter.ts";
import type { Placed } from "./phi.ts";
import type { MergedAt, Result, Site, SiteKindName } from "./site-kinds.ts";

/** What a training asks of a tensor. */
interface TensorKind {
  readonly role?: Role;
  readonly rate?: RateFactor;
}

/** What a method acts with at one site. */
export interface AdapterScope {
  /** A trained tensor of the site: `name` behind the site's path; a weight where nothing else is said. */
  parameter(name: string, shape: readonly number[], initial: Initializer, said?: TensorKind): Value;
  /** A trained tensor of the whole model, under its own name. */
  shared(name: string, shape: readonly number[], initial: Initializer): Value;
  /** What a trained tensor of the site was before training: `name` and `shape` as given to {@link parameter}. */
  start(name: string, shape: readonly number[]): Value;
  /** The first rows and columns of a matrix of the whole model that is drawn from a key and never trained: of `shape`. */
  projection(name: string, shape: readonly [number, number], drawn: Pick<Projection, "key" | "initial">): Value;
  /** A number beside the loss: the mean of all such numbers is minimised with it. */
  penalize(penalty: Value): void;
  /** Dropout while training; the identity otherwise. */
  dropout(x: Value, probability: number): Value;
}

/** Where in the model a site is. */
export interface Place {
  readonly path: string;
  /** its layer in the stack; undefined for embeddings, pooler and head */
  readonly layer: number | undefined;
  readonly layers: number;
  readonly conventions: Conventions;
}

/** A tensor of the base model, as methods that unfreeze see it. */
interface BaseParameter extends Place {
  /** the module that holds it */
  readonly module: string;
  readonly role: Role;
  readonly shape: readonly number[];
  /** whether it belongs to the task's head */
  readonly head: boolean;
}

/** What a method does at the sites of a kind. */
export interface Action<K extends SiteKindName, Rest extends readonly unknown[]> {
  /** whether it acts at a site */
  targets(site: Site<K> & Place, ...options: Rest): boolean;
  /** what the site gives instead */
  apply(site: Site<K> & Place, scope: AdapterScope, ...options: Rest): Result<K>;
  /** what of the base computes alone what the adapted site computes; left out where nothing of it does */
  merge?(site: Site<K> & Place, scope: AdapterScope, ...options: Rest): MergedAt<K>;
  /**
   * whether it adds to what the site gives something that no other method's work changes, so that several such methods
   * may act at one site
   */
  readonly adds?: boolean;
}

type Actions<Rest extends readonly unknown[]> = { readonly [K in SiteKindName]?: Action<K, Rest> };

/** What a method does beside its sites; each member is left out where it does nothing. */
interface Doings<Rest extends readonly unknown[]> {
  /** how many positions are taken up in front of every text, by a prompt or by vectors in front of keys and values alone */
  virtualTokens?(...options: Rest): number;
  /** whether a tensor of the base is trained */
  trains?(parameter: BaseParameter, ...options: Rest): boolean;
  /** whether the start is found in the data to train on */
  startsFromData?(...options: Rest): boolean;
  /** why a run of so many steps of the optimizer is not possible; every reason, none where it is */
  runProblems?(steps: number, ...options: Rest): readonly string[];
  /**
   * how many numbers the optimizer moves in place of the base's tensors that are trained, which are a random linear function
   * of them, and whether each layer has a scale of its own among them
   */
  subspace?(...options: Rest): { readonly dimension: number; readonly layerwise: boolean };
  /** what follows every step of the optimizer: it may change the method's own tensors, in place */
  afterStep?(after: AfterStep, ...options: Rest): void;
}

type Json = Readonly<Record<string, unknown>>;

/** Up to where a larger method makes sense: the shortest side of the matrices that it changes, or a length of the model. */
export type SizeLimit = "shortest side" | "hidden" | "positions" | "layers";

/** The option that says how large a method is: the larger, the more it trains. */
interface SizeOption<Name extends string = string> {
  readonly option: Name;
  readonly limit: SizeLimit;
}

interface Description {
  readonly name: string;
  /** one line for lists and help */
  readonly summary: string;
  /** the paper and the section */
  readonly source: string;
  /** what the adapted model is before training: the base, or why it differs */
  readonly start: "base" | { readonly differs: string };
  /** a learning rate to begin with */
  readonly rate: number;
  /**
   * why its adapters are computed one at a time; left out where each row of a batch may have an adapter of its own,
   * because tensors with an axis of rows in front compute the same row by row
   */
  readonly alone?: string;
  /** why a row that is without it shares no batch with rows that have it; left out where it can leave such a row as it is */
  readonly apart?: string;
  /** how many vectors of Φ's length it keeps between the steps of a training; none where left out */
  readonly memory?: number;
}

/** A type that nothing is inferred from; TypeScript 5.4 and later have a name for it. */
type Known<T> = [T][T extends unknown ? 0 : never];

/** A type of Hugging Face's PEFT, with what is its own in how PEFT keeps it. */
export interface PeftType {
  readonly type: string;
  /** its fields beside those of every type, as far as they are read, refused or about training alone */
  readonly fields: readonly string[];
  /** its word for the biases of the adapted layers; left out where PEFT trains no biases with it */
  readonly adaptedBiases?: string;
  /** whether its exclude_modules leaves out what petl's targets leave out */
  readonly excludes?: boolean;
  /** whether PEFT saves nothing but the method's own tensors with it, so that a trained head would be lost */
  readonly headless?: boolean;
  /** the module inside of the base's modules in which PEFT keeps those of their tensors that the method trains */
  readonly inside?: string;
  /** whether PEFT takes such fields; it does where nothing is said */
  understands?(fields: Json): boolean;
  /** the fields that name every adapted layer by its whole path; target_modules alone where nothing is said */
  exact?(adapted: { readonly targets: readonly string[]; readonly layout: readonly Placed[] }): Json;
}

/** A recipe: what is done at which sites, which base tensors are unfrozen, how an update merges, how it is saved. */
interface MethodRule<O extends Options>
  extends Description,
    Doings<readonly [OptionValues<O>]>,
    Actions<readonly [OptionValues<O>]> {
  readonly options: O;
  /** left out where the method has one size only */
  readonly size?: SizeOption<keyof O & string>;
  /** why options that are possible one by one are not possible together; every reason, none where they are */
  optionProblems?(options: OptionValues<O>): readonly string[];
  /** how a trained adapter is saved where that differs from how it was trained; undefined where it does not */
  settle?(options: OptionValues<O>, trained: Trained): Settled<Known<OptionValues<O>>> | undefined;
  /**
   * how adapters of other options become one that is wide enough for all, so that each row of a batch may have another;
   * left out where only adapters of the same options are computed together
   */
  readonly joins?: {
    /** what of the options must be equal */
    alike(options: OptionValues<O>): Json;
    /** the options of the one: its tensors are those of each adapter, padded with zeros */
    widest(all: readonly OptionValues<O>[]): Json;
    /** what a tensor is multiplied by, so that the one computes what the adapter does */
    factor(tensor: string, options: OptionValues<O>): number;
  };
  /** how Hugging Face's PEFT writes the method; left out where it has no such type */
  readonly peft?: PeftType & {
    /** the options in an adapter_config.json of that type; undefined where it describes another method */
    read(config: Json): Json | undefined;
    /** undefined where PEFT computes no such variant */
    write(options: OptionValues<O>, model: Pick<Model, "sizes" | "conventions">): Json | undefined;
  };
}

/** A step of the optimizer that was just made; vectors have Φ's layout. */
export interface AfterStep {
  /** the method's own tensors */
  readonly layout: readonly Placed[];
  readonly values: Float32Array;
  /** the gradient that the step was made with, times `gradientFactor` */
  readonly gradient: Float32Array;
  readonly gradientFactor: number;
  /** what the method keeps from step to step, zeros at first */
  readonly memory: readonly Float32Array[];
  /** from 1 on */
  readonly step: number;
  /** of the whole run */
  readonly steps: number;
}

/** A method's tensors after training, by name. */
export interface Trained {
  readonly tensors: Readonly<Record<string, HostTensor>>;
  /** those among them of which {@link AdapterScope.start} was asked, before training */
  readonly starts: Readonly<Record<string, HostTensor>>;
}

/** A method that computes the same with other tensors. */
interface Settled<Use> {
  readonly use: Use;
  /** those that differ */
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

/** A method with its options chosen. */
export interface MethodUse extends Description, Doings<readonly []> {
  readonly options: Json;
  /** what in the options selects modules, with the option's name */
  readonly selections: readonly (Selection & { readonly option: string })[];
  /** whether it was found in an adapter, where patterns may match nothing, as in PEFT; that is a remark then */
  readonly found?: boolean;
  /** what it does at the sites of a kind; undefined where it does nothing there */
  at<K extends SiteKindName>(kind: K): Action<K, readonly []> | undefined;
  settle?(trained: Trained): Settled<MethodUse> | undefined;
  /** how it is computed together with others of the method; undefined where only those of the same options are */
  readonly joins?: {
    /** equal for those that become one */
    readonly key: string;
    widest(all: readonly Pick<MethodUse, "options">[]): MethodUse;
    /** what a tensor is multiplied by there */
    factor(tensor: string): number;
  };
  /** the fields of adapter_config.json that say the same; undefined where PEFT has no such type or variant */
  peftConfig?(model: Pick<Model, "sizes" | "conventions">): Json | undefined;
}

/** A method as lists hold it, whatever its options. */
export interface Method extends Description {
  readonly options: Options;
  readonly size: SizeOption | undefined;
  /** PEFT's type of the method; undefined where it has none */
  readonly peft: PeftType | undefined;
  /** The method with options from flags or JSON, defaults filled in; every problem in one error. */
  use(given: Json): MethodUse;
  /** The method as an adapter_config.json describes it; undefined where that describes another one. */
  fromPeft(config: Json): MethodUse | undefined;
}

/** A method whose options are known, as its declaration gives it. */
export interface MethodOf<O extends Options> extends Method {
  readonly options: O;
}

/** Declares a method: one file in peft/methods, one line in peft/methods.ts. */
export function defineMethod<const O extends Options>(rule: MethodRule<O>): MethodOf<O> {
  const { name, summary, source, start, rate, options, peft, settle, memory, alone, apart, joins } = rule;
  const more = { ...(memory && { memory }), ...(alone && { alone }), ...(apart && { apart }) };
  const description = { name, summary, source, start, rate, ...more };
  const actions: Actions<readonly [OptionValues<O>]> = rule;
  const use = (given: Json): MethodUse => {
    const values = parseOptions(name, options, given);
    refuse(rule.optionProblems?.(values) ?? []);
    return {
      ...description,
      ...bound(rule, values),
      at(kind) {
        const own = actions[kind];
        return own && boundAction(own, values);
      },
      options: values,
      selections: selectionsOf(options, values),
      ...(joins && {
        joins: {
          key: JSON.stringify(joins.alike(values)),
          widest: (all) => use(joins.widest(all.map((other) => parseOptions(name, options, other.options)))),
          factor: (tensor) => joins.factor(tensor, values),
        },
      }),
      ...(settle && {
        settle(trained) {
          const settled = settle(values, trained);
          return settled && { ...settled, use: use(settled.use) };
        },
      }),
      ...(peft && {
        peftConfig(model) {
          const fields = peft.write(values, model);
          return fields && { peft_type: peft.type, ...fields };
        },
      }),
    };
  };
  return {
    ...description,
    options,
    size: rule.size,
    peft,
    use,
    fromPeft(config) {
      const given = config.peft_type === peft?.type ? peft?.read(config) : undefined;
      return given && use(given);
    },
  };
}

/** An action with its options fixed. */
function boundAction<K extends SiteKindName, V>(own: Action<K, readonly [V]>, values: V): Action<K, readonly []> {
  const { targets, apply, merge, adds = false } = own;
  return {
    adds,
    targets: (site) => targets(site, values),
    apply: (site, scope) => apply(site, scope, values),
    ...(merge && { merge: (site, scope) => merge(site, scope, values) }),
  };
}

/** The other doings of a rule with their options fixed. */
function bound<O extends Options>(rule: MethodRule<O>, options: OptionValues<O>): Doings<readonly []> {
  const { virtualTokens, trains, startsFromData, runProblems, subspace, afterStep } = rule;
  return {
    ...(virtualTokens && { virtualTokens: () => virtualTokens(options) }),
    ...(trains && { trains: (parameter) => trains(parameter, options) }),
    ...(startsFromData && { startsFromData: () => startsFromData(options) }),
    ...(runProblems && { runProblems: (steps) => runProblems(steps, options) }),
    ...(subspace && { subspace: () => subspace(options) }),
    ...(afterStep && { afterStep: (after) => afterStep(after, options) }),
  };
}

const selectionsOf = (options: Options, values: Json): MethodUse["selections"] =>
  Object.entries(options).flatMap(([option, { selects }]) =>
    (selects?.(values[option]) ?? []).map((selection) => ({ ...selection, option })),
  );

/** Option values from flags or JSON; unknown names and bad values are thrown together. */
function parseOptions<O extends Options>(method: string, options: O, given: Json): OptionValues<O> {
  const problems: string[] = [];
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(options, name)) continue;
    const allowed = Object.keys(options);
    const list = allowed.length > 0 ? `its options: ${allowed.join(", ")}` : "it has none";
    problems.push(`${method} has no option "${name}"${suggestion(name, allowed)}; ${list}`);
  }
  const values = Object.entries(options).map(([name, { read, initial }]) => {
    const reading = read(given[name]);
    if ("value" in reading) return [name, reading.value] as const;
    problems.push(`${method}: \`${name}\` ${shown(given[name])} ${reading.problems.join("; ")}`);
    return [name, initial] as const;
  });
  refuse(problems);
  return Object.fromEntries(values) as OptionValues<O>;
}
