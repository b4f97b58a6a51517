import {
  type AdaptedModel,
  adapt,
  type EncodedExample,
  type EncodedRows,
  type ExampleSet,
  type HfModel,
  heads,
  holdOut,
  InputError,
  initialPhi,
  isLabelled,
  type Label,
  type LossOn,
  labelNames,
  loadAdapter,
  type Masking,
  type MethodUse,
  objectiveOf,
  outputsFor,
  type Phi,
  type Pooling,
  planRun,
  readBase,
  type Task,
  type TrainingSettings,
} from "@petl/core";
import { type DataOptions, readData } from "../data.ts";
import { directory } from "../disk/files.ts";
import { fedRows, rowLimits, targetOf } from "../library/encode-rows.ts";
import { maskedOnce, maskingOf } from "../library/plain-text.ts";
import { baseFor, findPurpose } from "../library/purpose.ts";
import { openTokenizer } from "../open-tokenizer.ts";
import { drawStart } from "./draw-start.ts";

/** What a run is asked for; what is left out is found from the base, the adapter to start from, and the data. */
export interface RunRequest {
  /** folders, found already */
  readonly base: string;
  readonly init?: string | undefined;
  readonly methods?: readonly MethodUse[] | undefined;
  readonly task?: Task | undefined;
  readonly labels?: readonly Label[] | undefined;
  readonly pooling?: Pooling | undefined;
  readonly train: readonly string[];
  readonly validation?: readonly string[] | number | undefined;
  readonly data: DataOptions;
  readonly maxLength?: number | undefined;
  readonly lossOn?: LossOn | undefined;
  /** whether a language model's rows of text end with the end token; yes where left out */
  readonly endToken?: boolean | undefined;
  readonly settings: TrainingSettings;
}

/** Everything that a run computes with, and what was found. */
export interface PreparedRun {
  readonly base: HfModel;
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  readonly examples: EncodedRows;
  readonly validation: EncodedRows | undefined;
  /** present where a masked LM learns from plain text */
  readonly masking: Masking | undefined;
  /** the classes in the order of their ids; empty where the task has none */
  readonly labels: readonly Label[];
  readonly dataSha256: string;
  /** what was guessed or begins at random, in words */
  readonly remarks: readonly string[];
}

/** Opens base and data, puts the method on the base and draws Φ's start. */
export async function prepareRun(request: RunRequest): Promise<PreparedRun> {
  const { settings, lossOn } = request;
  const base = await readBase(directory(request.base));
  const { set, sha256 } = await readData(request.train, request.data);
  const { adapted, draw, labels, remarks } = await startOf(request, base, set);
  const { task } = adapted.goal;
  const { unlabelled } = objectiveOf(task);
  const plain = unlabelled === "hidden tokens" && !isLabelled(set);
  if (unlabelled === "refused" && !isLabelled(set))
    throw new InputError(`${set.name} has no labels to learn from; name their column with --label`);
  const tokenizer = await openTokenizer(request.base);
  const limits = rowLimits(adapted, tokenizer, request.maxLength);
  const encode = (rows: ExampleSet) =>
    fedRows(rows, adapted, targetOf({ task, labels }), { tokenizer, ...limits, lossOn, endToken: request.endToken });
  const fed = encode(set);
  const masking = plain ? maskingOf(tokenizer, base.model.sizes.vocabulary) : undefined;
  const { examples, validation } = await parted(request, fed.rows, (rows) => encode(rows).rows);
  planRun({ adapted, examples, settings }); // what can't be carried out is refused before a folder is touched
  const phi = await draw(examples);
  return {
    ...{ base, adapted, phi, labels, examples, masking, dataSha256: sha256 },
    validation: masking && validation ? maskedOnce(validation, masking, settings.seed) : validation,
    remarks: [...remarks, ...newHead(adapted, settings), ...fed.remarks],
  };
}

const newHead = ({ newTensors, headModules }: AdaptedModel, { seed }: TrainingSettings): readonly string[] =>
  newTensors.length > 0 ? [`the head (${headModules.join(", ")}) starts at random from seed ${seed}`] : [];

interface Start {
  readonly adapted: AdaptedModel;
  readonly draw: (examples: EncodedRows) => Promise<Phi>;
  readonly labels: readonly Label[];
  readonly remarks: readonly string[];
}

/** Φ's start: an adapter, or the method's own. */
async function startOf(request: RunRequest, base: HfModel, set: ExampleSet): Promise<Start> {
  if (request.init !== undefined) return adapterStart(request, request.init, base);
  const { methods, pooling, settings } = request;
  if (!methods) throw new InputError("--method is missing; `petl methods` lists them");
  const { task, labels, remarks } = findPurpose(base, set, request);
  const adapted = adapt(baseFor(base, { task, labels }), methods, {
    task,
    labels: outputsFor(task, labels.length),
    pooling,
  });
  const draw = (examples: EncodedRows) => drawStart(base, request.base, adapted, examples, settings.seed);
  return { adapted, draw, labels, remarks };
}

async function adapterStart({ methods, task, settings }: RunRequest, init: string, base: HfModel): Promise<Start> {
  const loaded = await loadAdapter(directory(init), base);
  const { goal } = loaded.adapted;
  const [given, own] = [methods, loaded.adapted.methods].map((uses) => uses?.map(({ name }) => name).join("+"));
  const problems = [
    ...(given === undefined || given === own
      ? []
      : [`--method ${given} does not go with --init ${init}, an adapter of method ${own}`]),
    ...(task === undefined || task === goal.task
      ? []
      : [`--task ${task} does not go with --init ${init}, an adapter for ${goal.task}`]),
  ];
  if (problems.length > 0) throw new InputError(problems);
  const headless = goal.trainsHead === false && heads[objectiveOf(goal.task).head].from === "labels";
  const { adapted, phi } = headless ? await withHead(base, loaded, settings.seed) : loaded;
  const labels = objectiveOf(goal.task).hasClasses ? labelNames(goal.labels, loaded.labels) : [];
  return { adapted, draw: async () => phi, labels, remarks: [] };
}

/** An adapter without a head of its own is trained together with the base's head. */
async function withHead(base: HfModel, loaded: { readonly adapted: AdaptedModel; readonly phi: Phi }, seed: number) {
  const { methods, goal } = loaded.adapted;
  const adapted = adapt(base, methods, { ...goal, trainsHead: true });
  const phi = await initialPhi(adapted, seed);
  const own = new Map(loaded.phi.layout.map((tensor) => [tensor.name, tensor]));
  for (const { name, offset } of phi.layout) {
    const placed = own.get(name);
    if (placed) phi.values.set(loaded.phi.values.subarray(placed.offset, placed.offset + placed.size), offset);
  }
  return { adapted, phi: { ...phi, projections: loaded.phi.projections } };
}

/** The rows to train on, and those to evaluate on. */
async function parted(
  { validation, data, settings }: RunRequest,
  encoded: readonly EncodedExample[],
  encode: (set: ExampleSet) => readonly EncodedExample[],
): Promise<{
  readonly examples: readonly EncodedExample[];
  readonly validation: readonly EncodedExample[] | undefined;
}> {
  if (validation === undefined) return { examples: encoded, validation: undefined };
  if (typeof validation !== "number")
    return { examples: encoded, validation: encode((await readData(validation, data)).set) };
  const { kept, held } = holdOut(encoded, validation, settings.seed);
  return { examples: kept, validation: held };
}
