import type { LabelName } from "../adapters/petl-fields.ts";
import { withAssumedTensors } from "../checkpoints/assumed-tensors.ts";
import type { HfModel } from "../checkpoints/hf-model.ts";
import { InputError, refuse } from "../errors.ts";
import type { FloatType } from "../exports/task-config.ts";
import { labelCount, taskOf } from "../models/models.ts";
import { headlessTask, objectiveOf, outputsFor, requireTask, type Task } from "../objectives/objectives.ts";
import { adapt } from "../peft/adapt.ts";
import { countParameters } from "../peft/counts.ts";
import type { Goal } from "../peft/goal.ts";
import { longestRow } from "../peft/longest-row.ts";
import type { Method, MethodUse } from "../peft/method.ts";
import { methods as allMethods } from "../peft/methods.ts";
import { fittingLoads } from "./fitting-loads.ts";
import { lectureEstimate } from "./lecture.ts";
import { sizeLimits } from "./limits.ts";
import { type Places, placesOfBase, placesOfPhi } from "./places.ts";
import type { PlanOptions } from "./plan-options.ts";
import { largestWithin } from "./search.ts";
import { type MeasuredSetting, measure, type PlannedTraining } from "./setting.ts";
import { type PlanTarget, targetKinds } from "./target.ts";
import type { TrainingMemory } from "./training-memory.ts";

/** What to plan for. */
export interface PlanRequest extends Pick<PlanOptions, "task" | "labels" | "batch" | "tokens" | "accumulate"> {
  /** undefined: every method with its defaults */
  readonly target?: PlanTarget | undefined;
  /** the methods to plan, each with the options that stay as they are; all methods where left out */
  readonly methods?:
    | readonly { readonly method: Method; readonly given: Readonly<Record<string, unknown>> }[]
    | undefined;
  /** the version that adapters are written with */
  readonly petlVersion?: string | undefined;
}

/** What `petl plan --json` prints. */
export interface Plan {
  readonly base: {
    readonly architecture: string;
    readonly base_parameters: number;
    readonly layers: number;
    readonly hidden: number;
  };
  readonly target: PlanTarget | null;
  readonly plans: readonly MethodPlan[];
}

/** A method at the largest setting that meets the target, or with its defaults where there is none. */
export interface MethodPlan {
  readonly method: string;
  /** null where the method cannot meet the target or finds nothing to do; the numbers are then those of its smallest setting */
  readonly options: Readonly<Record<string, unknown>> | null;
  readonly trained_parameters: number;
  readonly head_parameters: number;
  readonly trainable_ratio: number;
  readonly trainable_ratio_with_head: number;
  /** bytes of the adapter's weights in their file, the head's with them */
  readonly adapter_bytes: number;
  readonly training_memory_bytes: TrainingMemory;
  readonly merges: boolean;
  readonly notes: readonly string[];
}

/** petl trains with so many rows at a time, and plans for rows of so many tokens, where nothing is said. */
const usual = { batch: 32, tokens: 128, accumulate: 1 } as const;

/** A plan with what a picture of it needs: where in the stack Θ and each method's Φ lie. */
export interface PlacedPlan {
  readonly plan: Plan;
  readonly base: Places;
  /** of each plan in turn; undefined where a method finds nothing to do */
  readonly placed: readonly (Places | undefined)[];
}

/**
 * Plans methods on a base, of which the configuration is enough.
 * @throws InputError with everything that is not possible
 */
export function planMethods(base: HfModel, request: PlanRequest): PlacedPlan {
  const { target, methods = allMethods.map((method) => ({ method, given: {} })) } = request;
  const training = plannedTraining(base, request);
  const { sizes, modelType } = base.model;
  const plans = methods.map(({ method, given }) => planMethod(training, method, given, target));
  const { adapted, counts } = measure(training, bare);
  const { base_parameters } = counts;
  const described = { architecture: modelType, base_parameters, layers: sizes.layers, hidden: sizes.hidden };
  return {
    plan: { base: described, target: target ?? null, plans: plans.map(({ plan }) => plan) },
    base: placesOfBase(adapted),
    placed: plans.map(({ places }) => places),
  };
}

/** Nothing acts: the base alone. */
const bare: MethodUse = {
  name: "none",
  summary: "",
  source: "",
  start: "base",
  rate: 0,
  options: {},
  selections: [],
  at: () => undefined,
};

function plannedTraining(base: HfModel, request: PlanRequest): PlannedTraining {
  const { batch = usual.batch, accumulate = usual.accumulate, petlVersion } = request;
  const own = taskOf(base.config);
  const task = request.task ?? own;
  const planned = task ?? headlessTask;
  const labels = outputsFor(planned, request.labels ?? labelCount(base.config));
  const goal: Goal = { task: planned, labels };
  requireTask(base.model, goal.task);
  const { maxTokens } = base.model.sizes;
  const tokens = request.tokens ?? Math.min(usual.tokens, maxTokens);
  refuse(tokens > maxTokens ? [`rows of ${tokens} tokens are longer than the base's ${maxTokens} positions`] : []);
  return {
    ...basesOf(base, goal),
    goal,
    hasTask: task !== undefined,
    petlVersion,
    dtype: floatTypeOf(base),
    bits: base.quantization?.bits,
    labels: labelNames(base, goal, own),
    load: { batch, tokens, accumulate },
  };
}

/** Counts are those of the configuration alone, as `inspect` gives them, which tensors can only differ from where some lack. */
function basesOf(base: HfModel, goal: Goal): Pick<PlannedTraining, "base" | "counted"> {
  if (!base.tensors) {
    const assumed = withAssumedTensors(base, goal, { dtype: floatTypeOf(base) });
    return { base: assumed, counted: assumed };
  }
  const counted = { ...base, tensors: undefined };
  const [own, said] = [base, counted].map((each) => JSON.stringify(countParameters(adapt(each, [], goal))));
  return { base, counted: own === said ? base : counted };
}

/** The type that config.json says of the weights. */
function floatTypeOf({ config }: HfModel): FloatType {
  const { torch_dtype, dtype } = config as { readonly torch_dtype?: unknown; readonly dtype?: unknown };
  const said = torch_dtype ?? dtype;
  return said === "bfloat16" || said === "float16" ? said : "float32";
}

/** The names of the base's own head where it has any, else numbers, as most data have them: they are part of the file. */
function labelNames(
  { config }: HfModel,
  { task, labels }: Goal,
  own: Task | undefined,
): readonly LabelName[] | undefined {
  if (!objectiveOf(task).hasClasses) return undefined;
  const names = task === own ? Object.values(config.id2label ?? {}) : [];
  const named = names.length === labels && names.some((name, id) => name !== `LABEL_${id}`);
  return named ? names : Array.from({ length: labels }, (_, id) => id);
}

function planMethod(
  training: PlannedTraining,
  method: Method,
  given: Readonly<Record<string, unknown>>,
  target: PlanTarget | undefined,
): { readonly plan: MethodPlan; readonly places: Places | undefined } {
  try {
    const { setting, met, notes } = settingFor(training, method, given, target);
    const estimate = method.name === "bottleneck" ? lectureEstimate(training, setting, target) : [];
    const memory = target?.kind === "memory" ? target.value : undefined;
    const fitting = memory === undefined ? [] : [fittingLoads(training, method, method.use(given), memory)];
    const remarks = [...notes, ...fitting, ...shortened(setting, training), ...estimate];
    return { plan: planOf(setting, met, remarks), places: placesOfPhi(setting.adapted) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { plan: { ...nothing(training), method: method.name, notes: error.problems }, places: undefined };
  }
}

interface Found {
  readonly setting: MeasuredSetting;
  readonly met: boolean;
  readonly notes: readonly string[];
}

/** The largest setting that meets the target; the smallest one where none does. */
function settingFor(
  training: PlannedTraining,
  method: Method,
  given: Readonly<Record<string, unknown>>,
  target: PlanTarget | undefined,
): Found {
  const { size } = method;
  const at = (options: Readonly<Record<string, unknown>>) => measure(training, method.use(options));
  if (!target) return { setting: at(given), met: true, notes: [] };
  const measureOf = targetKinds[target.kind];
  if (!size || given[size.option] !== undefined) {
    const setting = at(given);
    const met = measureOf(setting) <= target.value;
    return {
      setting,
      met,
      notes: met ? [] : [missed(target, measureOf(setting), size && `${size.option} ${String(given[size.option])}`)],
    };
  }
  const settings = new Map<number, MeasuredSetting>();
  const sized = (value: number) => {
    const setting = settings.get(value) ?? at({ ...given, [size.option]: value });
    settings.set(value, setting);
    return setting;
  };
  const smallest = sized(1);
  const limit = sizeLimits[size.limit](smallest.use, training.base, training.goal);
  const found = largestWithin(limit.size, target.value, (value) => measureOf(sized(value)));
  if (found === undefined)
    return { setting: smallest, met: false, notes: [missed(target, measureOf(smallest), `${size.option} 1`)] };
  const notes = found === limit.size ? [`${size.option} ${found} is as large as makes sense: ${limit.reason}`] : [];
  return { setting: sized(found), met: true, notes };
}

const units = {
  ratio: "of the base",
  parameters: "parameters",
  "file-size": "bytes on the disk",
  memory: "bytes while training",
};

const missed = ({ kind, value }: PlanTarget, measured: number, setting: string | undefined): string => {
  const text = (amount: number) =>
    kind === "ratio" ? `${Number((100 * amount).toPrecision(3))} %` : Math.round(amount).toLocaleString("en-US");
  return `cannot meet the target of ${text(value)} ${units[kind]}: ${setting ?? "it"} takes ${text(measured)}`;
};

/** What of a row is left where learned vectors take up its positions. */
function shortened({ adapted }: MeasuredSetting, { load }: PlannedTraining): readonly string[] {
  const longest = longestRow(adapted);
  return longest < load.tokens
    ? [`rows are cut to ${longest} tokens: learned vectors take up the other positions`]
    : [];
}

const planOf = (setting: MeasuredSetting, met: boolean, notes: readonly string[]): MethodPlan => {
  const { use, adapted, counts } = setting;
  return {
    method: use.name,
    options: met ? use.options : null,
    trained_parameters: counts.trained_parameters,
    head_parameters: counts.head_parameters,
    trainable_ratio: counts.trainable_ratio,
    trainable_ratio_with_head: counts.trainable_ratio_with_head,
    adapter_bytes: setting.adapterBytes(),
    training_memory_bytes: setting.memory(),
    merges: adapted.unmergeable.length === 0,
    notes,
  };
};

/** A method that finds nothing to do in a base. */
function nothing(training: PlannedTraining) {
  const { head_parameters } = measure(training, bare).counts;
  const memory = { total: 0, weights: 0, adapter: 0, moments: 0, activations: 0, process: 0 };
  return {
    options: null,
    trained_parameters: 0,
    head_parameters,
    trainable_ratio: 0,
    trainable_ratio_with_head: 0,
    adapter_bytes: 0,
    training_memory_bytes: memory,
    merges: false,
  };
}
