import {
  adaptTo,
  type DeviceName,
  type ExampleSet,
  InputError,
  type MethodUse,
  type OpenModel,
  objectiveOf,
  type Pooling,
  type PreparedTraining,
  prepareTraining,
  type RecipeName,
  recipeMethod,
  type StopSignal,
  type Task,
  type TrainOptions,
  withTrainedHead,
} from "@petl/core";
import { pausing } from "../data/pausing.ts";
import { type BegunDigest, beginDigest } from "../library/begin-digest.ts";
import { rowsDigest } from "../library/digests.ts";
import { loadAdapter } from "../library/load-adapter.ts";
import { type OpenBase, openFolder } from "../library/open-base.ts";
import { type OpenDataOptions, openData } from "../library/open-data.ts";

/** What a run is asked for, with everything found already. */
export interface RunRequest {
  /** as the base was named, and its folder */
  readonly base: string;
  readonly baseFolder: string;
  /** the folder of the adapter to start from */
  readonly init?: string | undefined;
  readonly methods?: readonly MethodUse[] | undefined;
  readonly data: readonly string[];
  readonly rows: OpenDataOptions & { readonly seed: number };
  /** where no methods are named, what it puts on the base */
  readonly recipe?: RecipeName | undefined;
  readonly pooling?: Pooling | undefined;
  readonly training: Omit<TrainOptions, "signal" | "resume">;
  readonly threads?: number | undefined;
  readonly device?: DeviceName | undefined;
}

/** A run that can begin: its model on an open base, and its training. */
export interface OpenRun {
  readonly base: OpenBase;
  readonly model: OpenModel;
  readonly training: PreparedTraining;
  /** the rows that are held out, as they were read; none where nothing is */
  readonly validation: ExampleSet;
  /** tokens after which texts are cut, where it was said */
  readonly maxLength: number | undefined;
  readonly baseSha256: string;
  readonly dataSha256: string;
  /** what was guessed or begins at random, in words */
  readonly remarks: readonly string[];
}

/**
 * Opens base and data, puts the method on the base and prepares the training; what fails closes the base.
 * @param opened the base, where it is open already
 */
export async function openRun(request: RunRequest, signal: StopSignal, opened?: OpenBase): Promise<OpenRun> {
  const { base: name, baseFolder, threads, device } = request;
  const digest = beginDigest(opened?.path ?? baseFolder);
  try {
    const base = opened ?? (await openFolder(baseFolder, { name, threads, device, signal: undefined }));
    try {
      return await openOn(base, digest, request, signal);
    } catch (error) {
      await base.close();
      throw error;
    }
  } finally {
    digest.stop();
  }
}

async function openOn(base: OpenBase, digest: BegunDigest, request: RunRequest, signal: StopSignal): Promise<OpenRun> {
  const start = request.init === undefined ? undefined : await initialModel(base, request.init, request);
  const { rows, recipe, pooling } = request;
  const methods = request.methods ?? (recipe && !start ? recipeMethod(recipe) : undefined);
  const said = start && { task: start.adapted.goal.task, ...(hasTaskClasses(start) && { labels: start.labels }) };
  const data = await openData(request.data, base, { ...rows, ...said, signal });
  if (!start && !methods) throw new InputError("--method is missing; `petl methods` lists them");
  const model = start ?? (await adaptTo(base, methods ?? [], data, { seed: rows.seed, pooling }));
  const of = data.train.examples.length;
  const began = performance.now();
  const told = (done: number) => {
    if (performance.now() - began > quick) rows.onProgress?.({ type: "tokens", done, of });
  };
  const training = await prepareTraining(model, data, request.training, pausing(signal, told));
  return {
    base,
    model,
    training,
    validation: data.validation,
    maxLength: request.training.maxLength,
    dataSha256: await rowsDigest([data.train, data.validation], signal),
    baseSha256: await digest.sha256(),
    remarks: [...new Set([...model.remarks, ...data.remarks, ...training.remarks])],
  };
}

/** Milliseconds that nobody needs to be told of. */
const quick = 500;

const hasTaskClasses = ({ adapted }: OpenModel) => objectiveOf(adapted.goal.task).hasClasses;

/** An adapter to start from; its method and its task are not to be contradicted. */
async function initialModel(
  base: OpenBase,
  init: string,
  { methods, rows: { task, seed } }: RunRequest & { readonly rows: { readonly task?: Task | undefined } },
): Promise<OpenModel> {
  const model = await loadAdapter(base, init);
  const { goal } = model.adapted;
  const own = model.adapted.methods.map(({ name }) => name).join("+");
  const given = methods?.map(({ name }) => name).join("+");
  const problems = [
    ...(given === undefined || given === own
      ? []
      : [`--method ${given} does not go with --init ${init}, an adapter of method ${own}`]),
    ...(task === undefined || task === goal.task
      ? []
      : [`--task ${task} does not go with --init ${init}, an adapter for ${goal.task}`]),
  ];
  if (problems.length > 0) throw new InputError(problems);
  return withTrainedHead(model, seed);
}
