import { loadAdapterFiles as loadAdapterOn } from "../adapters/adapter-on-base.ts";
import { askedOnce, type Folder } from "../containers/folder.ts";
import type { ExampleSet } from "../data/rows/examples.ts";
import { labelNames } from "../data/rows/labels.ts";
import { InputError } from "../errors.ts";
import { labelCount, taskOf } from "../models/models.ts";
import { headlessTask, isLanguageModel, outputsFor, type Task, tasks } from "../objectives/objectives.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import type { Adapter } from "../peft/adapter.ts";
import type { Goal } from "../peft/goal.ts";
import { initialPhi, startsFromData } from "../peft/initial-phi.ts";
import type { MethodUse } from "../peft/method.ts";
import { takeTensors } from "../peft/phi.ts";
import { natural } from "../settings/setting.ts";
import { readSettings, type SettingInputs } from "../settings/settings.ts";
import { inputDirections } from "../training/input-directions.ts";
import { isObject } from "../values.ts";
import { isRows, requireBase, what } from "./check.ts";
import { encodeRows, rowLimits, targetRuleOf } from "./encode-rows.ts";
import { startHead } from "./head-start.ts";
import { bringsTokenizer, type OpenBase, openTokenizer } from "./open-base.ts";
import { baseFor, type Purpose } from "./purpose.ts";
import { adaptSettings } from "./settings.ts";
import { standardPooling } from "./standard-pooling.ts";

/**
 * An adapted model that is ready to be trained and asked: g(x; Θ, Φ). Training changes `phi` in place, and has it to itself
 * during a step: ask or save in the loop over its events, not beside it. `T` is its task, where types know it.
 */
export interface OpenModel<T extends Task = Task> extends Adapter {
  readonly base: OpenBase;
  readonly adapted: AdaptedModel & { readonly goal: { readonly task: T } };
  /** what was chosen for it, or what of an adapter's configuration changes nothing or is passed over, in words */
  readonly remarks: readonly string[];
}

const settings = { ...adaptSettings, seed: natural(0, "seed of Φ's random start") };
export type AdaptOptions = SettingInputs<typeof settings>;

/** What a model is for: data that were opened, or a task with its labels. */
export type AdaptPurpose<T extends Task = Task> = Purpose<T> & { readonly train?: ExampleSet | undefined };

/**
 * Puts a method, or several at once, and a head for the purpose on a base. The purpose may be data that were opened.
 * A head that the checkpoint has for as many labels is where it starts; any other starts at random, one that gives a number
 * at the mean of the data's. LoRA's start eva is found in the data's rows.
 *
 * @throws InputError with everything that does not fit
 */
export function adaptTo<T extends Task>(
  base: OpenBase,
  method: MethodUse | readonly MethodUse[],
  purpose: AdaptPurpose<T>,
  options?: AdaptOptions,
): Promise<OpenModel<T>>;
export async function adaptTo(
  base: OpenBase,
  method: MethodUse | readonly MethodUse[],
  purpose: AdaptPurpose,
  options: AdaptOptions = {},
): Promise<OpenModel> {
  requireBase(base);
  const { task, labels, train } = checkedPurpose(purpose);
  const { seed, pooling } = readSettings(settings, options);
  const chosen = pooling ? { pooling } : await standardPooling(base, task, train);
  const goal = { task, labels: outputsFor(task, labels.length), pooling: chosen.pooling };
  const adapted = adapt(baseFor(base, { task, labels }), methodsOf(method), goal);
  const how = { tokenizer: base.tokenizer, ...rowLimits(adapted, base.tokenizer, undefined) };
  const directions =
    train && startsFromData(adapted)
      ? await inputDirections(base.engine, adapted, encodeRows(train, adapted, targetRuleOf({ task, labels }), how))
      : undefined;
  const phi = await initialPhi(adapted, seed, directions);
  const why =
    chosen.why === undefined
      ? []
      : [
          `pooling: ${chosen.pooling}, since ${chosen.why}; Hugging Face's classes read otherwise, so that PEFT and checkpoints of \`petl merge\` need \`pooling: "default"\``,
        ];
  const remarks = [...why, ...startHead(adapted, phi, task, train)];
  return { base, adapted, phi, labels: labelNames(goal.labels, labels), remarks };
}

function methodsOf(given: MethodUse | readonly MethodUse[]): readonly MethodUse[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const uses = list.filter(isUse);
  if (uses.length === list.length && list.length > 0) return uses;
  const strange = list.find((each) => !isUse(each));
  throw new InputError(`the method is ${what(strange)}; it must be a method with its options, as in lora({ rank: 8 })`);
}

const isUse = (value: unknown): value is MethodUse =>
  isObject(value) && "name" in value && "options" in value && !("use" in value);

function checkedPurpose(purpose: AdaptPurpose): AdaptPurpose {
  const given: unknown = purpose;
  if (!isObject(given) || !("task" in given))
    throw new InputError(`data are ${what(given)}; they must be data as openData gives them, or { task, labels }`);
  const { task, labels = [], train } = purpose;
  if (!tasks.includes(task)) throw new InputError(`task is ${what(task)}; tasks: ${tasks.join(", ")}`);
  if (!Array.isArray(labels)) throw new InputError(`labels are ${what(labels)}; they must be a list of the classes`);
  if (train !== undefined && !isRows(train))
    throw new InputError(`train is ${what(train)}; it must be rows of openData`);
  return { task, labels, train };
}

/**
 * Puts an adapter on a base: of a folder in Hugging Face PEFT's layout, petl's or AdapterHub's, or of a checkpoint of the
 * whole model. Tokenizer and template that its folder brings are used in place of the base's.
 *
 * @throws InputError with every missing, superfluous or misshapen tensor
 */
export async function loadAdapter(base: OpenBase, from: Folder): Promise<OpenModel> {
  requireBase(base);
  const folder = askedOnce(from);
  const adapter = await loadAdapterOn(folder, base);
  const tokenizer = (await bringsTokenizer(folder)) ? await openTokenizer(base.folder, folder) : base.tokenizer;
  return { base: { ...base, tokenizer }, ...adapter };
}

/** A model whose head is trained too: an adapter without one of its own goes on with the base's, or a new one. */
export async function withTrainedHead(model: OpenModel, seed: number): Promise<OpenModel> {
  const { base, adapted: before } = model;
  const { methods, goal } = before;
  if (goal.trainsHead !== false || isLanguageModel(goal.task)) return model;
  const adapted = adapt(base, methods, { ...goal, trainsHead: true });
  const phi = await initialPhi(adapted, seed);
  takeTensors(phi, model.phi);
  return { ...model, adapted, phi: { ...phi, projections: model.phi.projections } };
}

/** What a base without an adapter is asked for, where its config.json does not say it. */
export interface BaseGoal {
  readonly task?: Task | undefined;
  readonly labels?: number | undefined;
}

/** The base as it is, with the head of its own checkpoint. */
export async function unadapted(base: OpenBase, said: BaseGoal = {}): Promise<OpenModel> {
  requireBase(base);
  const goal = goalOf(base, said);
  const adapted = adapt(base, [], { ...goal, trainsHead: false });
  const { id2label } = base.config;
  return {
    base,
    adapted,
    phi: await initialPhi(adapted, 0),
    labels: labelNames(goal.labels, id2label ? Object.values(id2label) : undefined),
    remarks: [],
  };
}

/** The base for its hidden states alone: a head that is drawn stands on it, which nobody is to ask. */
export async function headless(base: OpenBase): Promise<OpenModel> {
  const adapted = adapt(requireBase(base), [], { task: headlessTask, labels: 1 });
  return { base, adapted, phi: await initialPhi(adapted, 0), labels: [], remarks: [] };
}

/** What a base is for: what was said, else what its config.json says. */
export function goalOf({ config, name }: Pick<OpenBase, "config" | "name">, { task, labels }: BaseGoal): Goal {
  const own = task ?? taskOf(config);
  if (own !== undefined) return { task: own, labels: outputsFor(own, labels ?? labelCount(config)) };
  const { architectures } = config;
  const which = architectures?.length ? `is a ${architectures.join(", ")}` : "names no architectures in config.json";
  throw new InputError(
    `${name} ${which}, which has no head that petl knows; give an adapter that brings one, or a task (${tasks.join(", ")})`,
  );
}
