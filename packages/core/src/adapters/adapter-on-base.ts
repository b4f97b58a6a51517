import type { HfModel } from "../checkpoints/hf-model.ts";
import type { Folder } from "../containers/folder.ts";
import { labelNames } from "../data/rows/labels.ts";
import { InputError } from "../errors.ts";
import { labelCount, taskOf } from "../models/models.ts";
import { type Head, headNames, heads } from "../nn/model.ts";
import { objectiveOf, objectiveOfHead, objectives, type Task } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { Adapter } from "../peft/adapter.ts";
import type { Goal } from "../peft/goal.ts";
import type { MethodUse } from "../peft/method.ts";
import { methods } from "../peft/methods.ts";
import { isWithin } from "../peft/targets.ts";
import { type AdapterFiles, type PeftAdapter, readAdapter, type WholeModel } from "./adapter-files.ts";
import { adaptAlike } from "./alike.ts";
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

/** An adapter that was read, on its base. */
export interface LoadedAdapter extends Adapter {
  /** what of the adapter's configuration changes nothing, or is passed over, in words */
  readonly remarks: readonly string[];
}

/**
 * Reads an adapter and puts it on a base.
 *
 * @throws InputError with every missing, superfluous or misshapen tensor, naming the adapter's base and this one
 */
export async function loadAdapterFiles(folder: Folder, base: HfModel): Promise<LoadedAdapter> {
  return putOnBase(await readAdapter(folder, { base }), base);
}

/** Puts an adapter that was read on a base. */
export async function putOnBase(files: AdapterFiles, base: HfModel): Promise<LoadedAdapter> {
  const { methods: uses, goal, labels } = adapterOn(files, base);
  const adapted = namingBases(files, base, () => adaptAlike(base, uses, goal));
  const remarks = adapterRemarks(files, adapted);
  return { adapted, phi: await loadPhi(files, adapted), labels: labelNames(goal.labels, labels), remarks };
}

/** What of an adapter's configuration is passed over or changes nothing on this base, in words. */
export const adapterRemarks = ({ remarks, folder }: AdapterFiles, adapted: AdaptedModel): readonly string[] => [
  ...remarks,
  ...adapted.remarks.map((remark) => `${folder.name}/adapter_config.json: ${remark}`),
];

/** The methods and the goal with which an adapter is put on a base. */
export function adapterOn(files: AdapterFiles, base: HfModel): AdapterOnBase {
  switch (files.writer) {
    case "model":
      return fullOn(files, base);
    case "petl": {
      const { task, labels, pooling, trainsHead, savedModules, labelNames: names } = files.petl;
      const goal = { task, labels, pooling, trainsHead, savedModules };
      return { methods: usesOn(files, base, goal), goal, labels: names ?? baseLabels(base, goal) };
    }
    case "peft": {
      const { taskType, baseClass } = files.peft;
      const head = objectives.find(({ peftTask }) => peftTask === taskType)?.head;
      const named = headNames.find((name) => baseClass !== undefined && base.model.classes[name] === baseClass);
      const task = taskFor(files, base, head, named);
      return onHead(files, base, task, (labels) => savedModulesOf(files, base, { task, labels }));
    }
    case "foreign": {
      const task = taskFor(files, base, files.task && objectiveOf(files.task).head, undefined);
      return onHead(files, base, task, () => files.savedModules ?? [], files.labelNames);
    }
  }
}

/** An adapter of another program: its head is what its tensors are, or the base's. */
function onHead(
  files: AdapterFiles,
  base: HfModel,
  task: Task,
  savedOn: (labels: number) => readonly string[],
  names?: readonly string[],
): AdapterOnBase {
  const { trainsHead, labels } = headOf(files, base, task);
  const savedModules = savedOn(labels);
  const goal: Goal = {
    task: trainsHead ? taskOfHead(objectiveOf(task).head, labels, base) : task,
    labels,
    savedModules,
    trainsHead: trainsHead || savedModules.length > 0,
  };
  return { methods: usesOn(files, base, goal), goal, labels: names ?? baseLabels(base, goal) };
}

const usesOn = (files: AdapterFiles, base: HfModel, goal: Goal): readonly MethodUse[] =>
  namingBases(files, base, () => {
    const found = files.methods.map((use) => ({ ...use, found: true }));
    return [...found, ...biasMethod({ bias: files.bias, methods: found }, base, goal)];
  });

/** A checkpoint of the whole model says itself what it is for. */
function fullOn({ folder, methods: uses, petl, model }: WholeModel, base: HfModel): AdapterOnBase {
  if (model.model.modelType !== base.model.modelType) {
    throw new InputError(
      `${folder.name}: is a whole ${model.model.modelType} model, ${base.name} a ${base.model.modelType}`,
    );
  }
  const task = petl?.task ?? taskOf(model.config);
  if (!task) throw new InputError(`${folder.name}: is a bare ${model.model.classes.base} without a head`);
  const goal = { task, labels: labelCount(model.config), pooling: petl?.pooling, trainsHead: true };
  return { methods: uses, goal, labels: petl?.labelNames ?? baseLabels(model, goal) };
}

/** The names that a model gives the labels of the same task's head. */
function baseLabels({ config }: HfModel, { task, labels }: Goal): readonly string[] | undefined {
  const same = taskOf(config) === task && labelCount(config) === labels;
  return same && config.id2label ? Object.values(config.id2label) : undefined;
}

/** The task of the head that an adapter says, that the model was made for which it adapts, or that it names at least. */
function taskFor({ folder }: AdapterFiles, base: HfModel, said: Head | undefined, named: Head | undefined): Task {
  const ofBase = taskOf(base.config);
  if (said) {
    const same = ofBase && objectiveOf(ofBase).head === said;
    return same ? ofBase : taskOfHead(said, labelCount(base.config), base);
  }
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
function headOf({ folder, tensors }: AdapterFiles, base: HfModel, task: Task): { trainsHead: boolean; labels: number } {
  const { head } = objectiveOf(task);
  const modules = base.model.headModules[head] ?? [];
  const own = [...tensors.keys()].filter((name) => isWithin(modules, name) && !isBias(name) && !isFactor(name));
  if (own.length === 0) {
    const fits = taskOf(base.config) === task || heads[head].from === "vocabulary";
    if (fits) return { trainsHead: false, labels: labelCount(base.config) };
    throw new InputError(
      `${folder.name}: brings no head for ${task} (${modules.join(", ")}), and ${base.name} has none either`,
    );
  }
  // the head's last matrix gives one row a label
  const { modelTensors } = adaptAlike(base, [], { task, labels: 1, trainsHead: true });
  const last = modelTensors.filter(({ head: isHead, shape }) => isHead && shape.length === 2).at(-1)?.name;
  const labels = last === undefined ? undefined : tensors.get(last)?.shape[0];
  return { trainsHead: true, labels: labels || labelCount(base.config) };
}

const isBias = (name: string): boolean => name.endsWith(".bias");
/** Tensors that a method adds at a layer; they are no part of the layer itself. */
const isFactor = (name: string): boolean => /\.(lora_|ia3_|vera_|hada_|lokr_)/.test(name);

/** Modules of the base below whose path the adapter holds every tensor, because PEFT trained them whole. */
function savedModulesOf(
  { peft, tensors }: PeftAdapter,
  base: HfModel,
  { task, labels }: Pick<Goal, "task" | "labels">,
): readonly string[] {
  if (peft.modulesToSave.length === 0) return [];
  const { modelTensors, ties } = adaptAlike(base, [], { task, labels, trainsHead: true });
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
function biasMethod(
  { bias, methods: uses }: Pick<AdapterFiles, "bias" | "methods">,
  base: HfModel,
  goal: Goal,
): readonly MethodUse[] {
  if (bias === "none") return [];
  const adapted = adaptAlike(base, uses, goal);
  if (biasesOf(adapted, bias).length === 0) return [];
  const options = bias === "all" ? {} : { targets: { kind: "names", names: adapted.targets, required: false } };
  return methods.filter(({ name }) => name === "bitfit").map((method) => method.use(options));
}

/** Runs; where the base does not fit, the error begins by naming the adapter's base and this one. */
function namingBases<T>({ folder, baseName }: AdapterFiles, base: HfModel, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError([notFor(folder.name, baseName, base.name), ...error.problems]);
  }
}

const notFor = (adapter: string, made: string | undefined, given: string): string =>
  `${adapter}: this adapter${made === undefined ? "" : ` was made for "${made}" and`} does not fit ${given}:`;
