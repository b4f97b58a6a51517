import type { HfModel } from "../checkpoints/hf-model.ts";
import type { Folder } from "../containers/folder.ts";
import { InputError } from "../errors.ts";
import { labelCount, taskOf } from "../models/models.ts";
import { type Head, headNames, heads } from "../nn/model.ts";
import { objectiveOf, objectiveOfHead, objectives, type Task } from "../objectives/objectives.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import type { Goal } from "../peft/goal.ts";
import type { MethodUse } from "../peft/method.ts";
import { methods } from "../peft/methods.ts";
import type { Phi } from "../peft/phi.ts";
import { type Adapter, readAdapter } from "./adapter.ts";
import { loadPhi } from "./load-phi.ts";
import type { LabelName } from "./petl-fields.ts";
import { biasesOf } from "./trained-biases.ts";

/** What an adapter asks of a base. */
export interface AdapterOnBase {
  readonly methods: readonly MethodUse[];
  readonly goal: Goal;
  /** in the order of their ids; where the adapter does not name them, those of the base's head for as many labels */
  readonly labels: readonly LabelName[] | undefined;
}

/** An adapter on its base, ready to run. */
export interface LoadedAdapter {
  readonly adapter: Adapter;
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  readonly labels: readonly LabelName[] | undefined;
  /** what of the adapter's configuration changes nothing, or is passed over, in words */
  readonly remarks: readonly string[];
}

/**
 * Reads an adapter and puts it on a base.
 *
 * @throws InputError with every missing, superfluous or misshapen tensor, naming the adapter's base and this one
 */
export async function loadAdapter(folder: Folder, base: HfModel): Promise<LoadedAdapter> {
  return putOnBase(await readAdapter(folder, { base }), base);
}

/** Puts an adapter that was read on a base. */
export async function putOnBase(adapter: Adapter, base: HfModel): Promise<LoadedAdapter> {
  const { methods, goal, labels } = adapterOn(adapter, base);
  const adapted = namingBases(adapter, base, () => adapt(base, methods, goal));
  const remarks = adapterRemarks(adapter, adapted);
  return { adapter, adapted, phi: await loadPhi(adapter, adapted), labels, remarks };
}

/** What of an adapter's configuration is passed over or changes nothing on this base, in words. */
export const adapterRemarks = ({ remarks, folder }: Adapter, adapted: AdaptedModel): readonly string[] => [
  ...remarks,
  ...adapted.remarks.map((remark) => `${folder.name}/adapter_config.json: ${remark}`),
];

/** The methods and the goal with which an adapter is put on a base. */
export function adapterOn(adapter: Adapter, base: HfModel): AdapterOnBase {
  const { petl } = adapter;
  if (adapter.checkpoint) return fullOn(adapter, adapter.checkpoint, base);
  if (petl) {
    const { task, labels, pooling, trainsHead, savedModules, labelNames } = petl;
    const goal = { task, labels, pooling, trainsHead, savedModules };
    return { methods: usesOn(adapter, base, goal), goal, labels: labelNames ?? baseLabels(base, goal) };
  }
  const task = taskFor(adapter, base);
  const { trainsHead, labels } = headOf(adapter, base, task);
  const savedModules = adapter.savedModules ?? savedModulesOf(adapter, base, { task, labels });
  const { head } = objectiveOf(task);
  const goal: Goal = {
    ...{ task: trainsHead ? taskOfHead(head, labels, base) : task, labels, savedModules },
    trainsHead: trainsHead || savedModules.length > 0,
  };
  return { methods: usesOn(adapter, base, goal), goal, labels: adapter.labelNames ?? baseLabels(base, goal) };
}

const usesOn = (adapter: Adapter, base: HfModel, goal: Goal): readonly MethodUse[] =>
  namingBases(adapter, base, () => {
    const found = adapter.methods.map((use) => ({ ...use, found: true }));
    return [...found, ...biasMethod({ ...adapter, methods: found }, base, goal)];
  });

/** A checkpoint of the whole model says itself what it is for. */
function fullOn({ folder, methods, petl }: Adapter, model: HfModel, base: HfModel): AdapterOnBase {
  if (model.model.modelType !== base.model.modelType) {
    throw new InputError(
      `${folder.name}: is a whole ${model.model.modelType} model, ${base.name} a ${base.model.modelType}`,
    );
  }
  const task = petl?.task ?? taskOf(model.config);
  if (!task) throw new InputError(`${folder.name}: is a bare ${model.model.classes.base} without a head`);
  const goal = { task, labels: labelCount(model.config), pooling: petl?.pooling, trainsHead: true };
  return { methods, goal, labels: petl?.labelNames ?? baseLabels(model, goal) };
}

/** The names that a model gives the labels of the same task's head. */
function baseLabels({ config }: HfModel, { task, labels }: Goal): readonly string[] | undefined {
  const same = taskOf(config) === task && labelCount(config) === labels;
  return same && config.id2label ? Object.values(config.id2label) : undefined;
}

/** The task that an adapter says, or that the model was made for which it adapts. */
function taskFor({ folder, peft, task: own }: Adapter, base: HfModel): Task {
  const ofBase = taskOf(base.config);
  const said = own ? objectiveOf(own).head : objectives.find(({ peftTask }) => peftTask === peft?.taskType)?.head;
  if (said) {
    const same = ofBase && objectiveOf(ofBase).head === said;
    return same ? ofBase : taskOfHead(said, labelCount(base.config), base);
  }
  const named = headNames.find((head) => peft?.baseClass !== undefined && base.model.classes[head] === peft.baseClass);
  const task = ofBase ?? (named && taskOfHead(named, labelCount(base.config), base));
  if (task) return task;
  throw new InputError(
    `${folder.name}: has no task_type, and ${base.name} is a bare ${base.model.classes.base} without a head, ` +
      "so the task is unknown",
  );
}

const taskOfHead = (head: Head, labels: number, { config }: HfModel): Task =>
  objectiveOfHead(head, labels, config.problem_type);

/** Whether an adapter brings a head, and the head's number of labels: its own, or the base's. */
function headOf({ folder, tensors }: Adapter, base: HfModel, task: Task): { trainsHead: boolean; labels: number } {
  const { head } = objectiveOf(task);
  const modules = base.model.headModules[head] ?? [];
  const inHead = (name: string) => modules.some((module) => name.startsWith(`${module}.`));
  const own = [...tensors.keys()].filter((name) => inHead(name) && !isBias(name) && !isFactor(name));
  if (own.length === 0) {
    const fits = taskOf(base.config) === task || heads[head].from === "vocabulary";
    if (fits) return { trainsHead: false, labels: labelCount(base.config) };
    throw new InputError(
      `${folder.name}: brings no head for ${task} (${modules.join(", ")}), and ${base.name} has none either`,
    );
  }
  // the head's last matrix gives one row a label
  const { modelTensors } = adapt(base, [], { task, labels: 1, trainsHead: true });
  const last = modelTensors.filter(({ head, shape }) => head && shape.length === 2).at(-1)?.name;
  const labels = last === undefined ? undefined : tensors.get(last)?.shape[0];
  return { trainsHead: true, labels: labels || labelCount(base.config) };
}

const isBias = (name: string): boolean => name.endsWith(".bias");
/** Tensors that a method adds at a layer; they are no part of the layer itself. */
const isFactor = (name: string): boolean => /\.(lora_|ia3_|vera_|hada_|lokr_)/.test(name);

/** Modules of the base below whose path the adapter holds every tensor, because PEFT trained them whole. */
function savedModulesOf(
  { peft, tensors }: Adapter,
  base: HfModel,
  { task, labels }: Pick<Goal, "task" | "labels">,
): readonly string[] {
  if (!peft || peft.modulesToSave.length === 0) return [];
  const { modelTensors, ties } = adapt(base, [], { task, labels, trainsHead: true });
  const own = modelTensors.filter(({ head }) => !head).map(({ name }) => name);
  const names = [...own, ...ties.keys()].filter((name) => tensors.has(name));
  const modules = names.flatMap((name) => {
    const parts = name.split(".");
    const paths = parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("."));
    return paths.find((path) => peft.modulesToSave.some((end) => end !== "" && path.endsWith(end))) ?? [];
  });
  return [...new Set(modules)];
}

/** The biases that PEFT trains together with an adapter, as the method that trains them; none where the model has none. */
function biasMethod({ bias, methods: uses }: Adapter, base: HfModel, goal: Goal): readonly MethodUse[] {
  if (bias === "none") return [];
  const adapted = adapt(base, uses, goal);
  if (biasesOf(adapted, bias).length === 0) return [];
  const options = bias === "all" ? {} : { targets: { kind: "names", names: adapted.targets, required: false } };
  return methods.filter(({ name }) => name === "bitfit").map((method) => method.use(options));
}

/** Runs; where the base does not fit, the error begins by naming the adapter's base and this one. */
function namingBases<T>({ folder, baseName }: Adapter, base: HfModel, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError([notFor(folder.name, baseName, base.name), ...error.problems]);
  }
}

const notFor = (adapter: string, made: string | undefined, given: string): string =>
  `${adapter}: this adapter${made === undefined ? "" : ` was made for "${made}" and`} does not fit ${given}:`;
