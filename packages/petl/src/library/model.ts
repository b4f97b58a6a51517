import {
  type AdaptedModel,
  adapt,
  type ExampleSet,
  type Goal,
  InputError,
  initialPhi,
  inputDirections,
  type Label,
  labelCount,
  labelNames,
  loadAdapter as loadAdapterOn,
  type MethodUse,
  outputsFor,
  type Phi,
  type Pooling,
  startsFromData,
  type Task,
  taskOf,
  tasks,
} from "@petl/core";
import { directory } from "../disk/files.ts";
import { encodeRows, rowLimits, targetOf } from "./encode-rows.ts";
import { type LocateOptions, locate } from "./locate.ts";
import type { OpenBase } from "./open-base.ts";
import { baseFor, type Purpose } from "./purpose.ts";

/**
 * An adapted model that is ready to be trained and asked: g(x; Θ, Φ). Training changes `phi` in place, and has it to itself
 * during a step: ask or save in the loop over its events, not beside it.
 */
export interface OpenModel {
  readonly base: OpenBase;
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  /** the labels as the data have them, in the order of their ids */
  readonly labels: readonly Label[];
}

export interface AdaptOptions {
  /** seed of Φ's random start; 0 where left out */
  readonly seed?: number;
  /** what the head reads of a text; what Hugging Face's class does where left out */
  readonly pooling?: Pooling;
}

/**
 * Puts a method, or several at once, and a head for the purpose on a base. The purpose may be data that were opened.
 * A head that the checkpoint has for as many labels is where it starts; any other starts at random. LoRA's start eva is
 * found in the data's rows.
 *
 * @throws InputError with everything that does not fit
 */
export async function adaptTo(
  base: OpenBase,
  method: MethodUse | readonly MethodUse[],
  { task, labels, train }: Purpose & { readonly train?: ExampleSet | undefined },
  { seed = 0, pooling }: AdaptOptions = {},
): Promise<OpenModel> {
  const goal = { task, labels: outputsFor(task, labels.length), pooling };
  const adapted = adapt(baseFor(base, { task, labels }), "name" in method ? [method] : method, goal);
  const how = { tokenizer: base.tokenizer, ...rowLimits(adapted, base.tokenizer, undefined) };
  const directions =
    train && startsFromData(adapted)
      ? await inputDirections(base.engine, adapted, encodeRows(train, adapted, targetOf({ task, labels }), how))
      : undefined;
  const phi = await initialPhi(adapted, seed, directions);
  return { base, adapted, phi, labels: labelNames(goal.labels, labels) };
}

/**
 * Puts a saved adapter on a base: a folder or a hub id, in Hugging Face PEFT's layout or petl's, or a checkpoint of the
 * whole model.
 *
 * @throws InputError with every missing, superfluous or misshapen tensor
 */
export async function loadAdapter(base: OpenBase, name: string, options: LocateOptions = {}): Promise<OpenModel> {
  const { adapted, phi, labels } = await loadAdapterOn(directory(await locate(name, options)), base);
  return { base, adapted, phi, labels: labelNames(adapted.goal.labels, labels) };
}

/** The base as it is, with the head of its own checkpoint. */
export async function unadapted(
  base: OpenBase,
  said: { readonly task?: Task | undefined; readonly labels?: number | undefined } = {},
): Promise<OpenModel> {
  const goal = goalOf(base, said);
  const adapted = adapt(base, [], { ...goal, trainsHead: false });
  const { id2label } = base.config;
  return {
    ...{ base, adapted, phi: await initialPhi(adapted, 0) },
    labels: labelNames(goal.labels, id2label ? Object.values(id2label) : undefined),
  };
}

/** What a base is for: what was said, else what its config.json says. */
export function goalOf(
  { config, name }: Pick<OpenBase, "config" | "name">,
  { task, labels }: { readonly task?: Task | undefined; readonly labels?: number | undefined },
): Goal {
  const own = task ?? taskOf(config);
  if (own !== undefined) return { task: own, labels: outputsFor(own, labels ?? labelCount(config)) };
  const { architectures } = config;
  const what = architectures?.length ? `is a ${architectures.join(", ")}` : "names no architectures in config.json";
  throw new InputError(
    `${name} ${what}, which has no head that petl knows; give an --adapter that brings one, or a --task (${tasks.join(", ")})`,
  );
}
