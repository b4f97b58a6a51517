import {
  type AdaptedModel,
  adapt,
  type EncodedExample,
  type ExampleSet,
  encodeExamples,
  type Goal,
  guessTask,
  type HfModel,
  holdOut,
  InputError,
  initialPhi,
  isLabelled,
  labelCount,
  labelMap,
  learnLabels,
  loadAdapter,
  type Masking,
  type MethodUse,
  maskTokens,
  type Phi,
  type Pooling,
  random,
  readBase,
  type Task,
  type Tokenizer,
  type TrainingSettings,
  taskOf,
} from "@petl/core";
import { type DataOptions, readData } from "../data.ts";
import { directory } from "../files.ts";
import { openTokenizer } from "../open-tokenizer.ts";

/** What a run is asked for; what is left out is found from the base, the adapter to start from, and the data. */
export interface RunRequest {
  /** folders, found already */
  readonly base: string;
  readonly init?: string | undefined;
  readonly methods?: readonly MethodUse[] | undefined;
  readonly task?: Task | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly pooling?: Pooling | undefined;
  readonly train: readonly string[];
  readonly validation?: readonly string[] | number | undefined;
  readonly data: DataOptions;
  readonly maxLength?: number | undefined;
  readonly settings: TrainingSettings;
}

/** Everything that a run computes with, and what was found. */
export interface PreparedRun {
  readonly base: HfModel;
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  readonly examples: readonly EncodedExample[];
  readonly validation: readonly EncodedExample[] | undefined;
  /** present where a masked LM learns from plain text */
  readonly masking: Masking | undefined;
  /** names of the classes in the order of their ids; empty where the task has none */
  readonly labels: readonly string[];
  readonly dataSha256: string;
  readonly maxLength: number;
  /** what was guessed or begins at random, in words */
  readonly remarks: readonly string[];
}

/** Opens base and data, puts the method on the base and draws Φ's start. */
export async function prepareRun(request: RunRequest): Promise<PreparedRun> {
  const base = await readBase(directory(request.base));
  const { set, sha256 } = await readData(request.train, request.data);
  const remarks: string[] = [];
  const start = await startOf(request, base, set, remarks);
  const { adapted, phi, labels } = start;
  const tokenizer = await openTokenizer(request.base);
  const { sizes } = base.model;
  const maxLength = lengthLimit(request.maxLength, adapted, tokenizer, remarks);
  const encode = (examples: ExampleSet) =>
    encodeExamples(examples, targetOf(adapted.goal.task, labels), {
      tokenizer,
      maxLength,
      vocabularySize: sizes.vocabulary,
    });
  const encoded = encode(set);
  const masking =
    adapted.goal.task === "masked-lm" && !isLabelled(set) ? maskingOf(tokenizer, sizes.vocabulary) : undefined;
  const { examples, validation } = await validationOf(request, encoded, encode);
  remarks.push(
    ...adapted.newTensors
      .slice(0, 1)
      .map(() => `the head (${adapted.headModules.join(", ")}) starts at random from seed ${request.settings.seed}`),
  );
  return {
    base,
    adapted,
    phi,
    labels,
    maxLength,
    dataSha256: sha256,
    remarks,
    examples,
    masking,
    validation: masking ? maskedOnce(validation, masking, request.settings.seed) : validation,
  };
}

/** Φ's start: an adapter, or the method's own. */
async function startOf(request: RunRequest, base: HfModel, set: ExampleSet, remarks: string[]) {
  if (request.init === undefined) {
    const { methods } = request;
    if (!methods) throw new InputError("--method is missing; `petl methods` lists them");
    const goal = goalOf(request, base, set, remarks);
    const adapted = adapt(base, methods, goal.goal);
    return { adapted, phi: await initialPhi(adapted, request.settings.seed), labels: goal.labels };
  }
  const loaded = await loadAdapter(directory(request.init), base);
  const [given, own] = [request.methods, loaded.adapted.methods].map((uses) => uses?.map(({ name }) => name).join("+"));
  if (given !== undefined && given !== own) {
    throw new InputError(
      `--method ${given} does not go with --init ${request.init}, an adapter of method ${own}; leave one of them out`,
    );
  }
  if (request.task !== undefined && request.task !== loaded.adapted.goal.task) {
    throw new InputError(
      `--task ${request.task} does not go with --init ${request.init}, an adapter for ${loaded.adapted.goal.task}`,
    );
  }
  const { goal } = loaded.adapted;
  const names = loaded.labels ?? Array.from({ length: goal.labels }, (_, id) => `LABEL_${id}`);
  const { adapted, phi } =
    goal.trainsHead === false && goal.task !== "masked-lm" ? await withHead(base, loaded) : loaded;
  return { adapted, phi, labels: hasClasses(goal.task) ? names : [] };
}

/** An adapter without a head of its own is trained together with the base's head. */
async function withHead(base: HfModel, loaded: { readonly adapted: AdaptedModel; readonly phi: Phi }) {
  const { methods, goal } = loaded.adapted;
  const adapted = adapt(base, methods, { ...goal, trainsHead: true });
  const phi = await initialPhi(adapted, 0);
  const own = new Map(loaded.phi.layout.map((tensor) => [tensor.name, tensor]));
  for (const { name, offset } of phi.layout) {
    const placed = own.get(name);
    if (placed) phi.values.set(loaded.phi.values.subarray(placed.offset, placed.offset + placed.size), offset);
  }
  return { adapted, phi };
}

const hasClasses = (task: Task) => task === "classification" || task === "token-classification";

/** What the model is trained for, from the request, the base's head and the data. */
function goalOf(
  request: RunRequest,
  base: HfModel,
  set: ExampleSet,
  remarks: string[],
): { goal: Goal; labels: readonly string[] } {
  const task = request.task ?? guessed(base, set, remarks);
  const { pooling } = request;
  if (!hasClasses(task)) return { goal: { task, labels: 1, pooling }, labels: [] };
  const names = request.labels ?? baseLabels(base, task, set) ?? learnLabels(set).names;
  return { goal: { task, labels: names.length, pooling }, labels: names };
}

function guessed(base: HfModel, set: ExampleSet, remarks: string[]): Task {
  const { task, why } = guessTask(set);
  const found = task === "token-classification" && taskOf(base.config) === "masked-lm" ? "masked-lm" : task;
  remarks.push(`task: ${found}, since ${why}`);
  return found;
}

/** The classes of the base's own head, where it has one for the task and knows all labels of the data. */
function baseLabels(base: HfModel, task: Task, { examples }: ExampleSet): readonly string[] | undefined {
  const { config } = base;
  if (taskOf(config) !== task) return undefined;
  const names = config.id2label
    ? Object.values(config.id2label)
    : Array.from({ length: labelCount(config) }, (_, id) => `LABEL_${id}`);
  const { idOf } = labelMap(names);
  const known = examples.every((example) => {
    const labels =
      "labels" in example
        ? [...(example.labels ?? [])].filter((label) => label !== -100)
        : "label" in example
          ? [example.label]
          : [];
    return labels.every((label) => label !== undefined && idOf(label) !== undefined);
  });
  return known ? names : undefined;
}

const targetOf = (task: Task, labels: readonly string[]) =>
  task === "classification" || task === "token-classification" ? { task, labels: labelMap(labels) } : { task };

function maskingOf(tokenizer: Tokenizer | undefined, vocabulary: number): Masking {
  const maskId = tokenizer?.specialIds.mask_token;
  if (tokenizer && maskId !== undefined)
    return { maskId, vocabulary, specialIds: new Set(Object.values(tokenizer.specialIds)) };
  throw new InputError(
    "the base's tokenizer has no mask token, so plain text cannot train a masked LM; give rows with labels",
  );
}

/** Validation rows hide the same tokens every time, so that their losses can be compared. */
function maskedOnce(
  rows: readonly EncodedExample[] | undefined,
  masking: Masking,
  seed: number,
): readonly EncodedExample[] | undefined {
  return rows?.map((row, index) => maskTokens(row, masking, random(seed, `validation masking of row ${index}`)));
}

/** The longest input, in tokens: what was asked for, within what the model has positions for. */
function lengthLimit(
  asked: number | undefined,
  adapted: AdaptedModel,
  tokenizer: Tokenizer | undefined,
  remarks: string[],
): number {
  const virtual = adapted.methods.reduce((sum, use) => sum + (use.virtualTokens?.() ?? 0), 0);
  const possible = adapted.base.model.sizes.maxTokens - virtual;
  if (asked !== undefined && asked > possible) {
    throw new InputError(`--max-length ${asked} is beyond the ${possible} positions that this model has for text`);
  }
  const usual = Math.min(possible, tokenizer?.modelMaxLength ?? possible);
  if (asked === undefined && tokenizer) remarks.push(`texts longer than ${usual} tokens are cut (--max-length)`);
  return asked ?? usual;
}

async function validationOf(
  { validation, data, settings }: RunRequest,
  encoded: readonly EncodedExample[],
  encode: (set: ExampleSet) => readonly EncodedExample[],
): Promise<Pick<PreparedRun, "examples" | "validation">> {
  if (validation === undefined) return { examples: encoded, validation: undefined };
  if (typeof validation === "number") {
    const { kept, held } = holdOut(encoded, validation, settings.seed);
    return { examples: kept, validation: held };
  }
  return { examples: encoded, validation: encode((await readData(validation, data)).set) };
}
