import { narrow } from "../graph/narrow.ts";
import { add } from "../graph/ops/add.ts";
import { gather } from "../graph/ops/gather.ts";
import { mul } from "../graph/ops/mul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { slice } from "../graph/ops/slice.ts";
import { input, scalar, type Value } from "../graph/value.ts";
import { type KeyValueCache, pastDim } from "../nn/cache.ts";
import { countedFromOne } from "../nn/dropout.ts";
import { project } from "../nn/linear.ts";
import { heads, type Model, type ModelInputs } from "../nn/model.ts";
import { pool } from "../nn/pooling.ts";
import type { Scope } from "../nn/scope.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { batchDim, elements, plus, times, tokensDim } from "../tensor/shape.ts";
import { announcementsOf, batchInputs } from "./announcements.ts";
import type { Base } from "./base.ts";
import { type Building, beginBuilding, type Noise, trained } from "./building.ts";
import type { Goal } from "./goal.ts";
import type { MethodUse } from "./method.ts";
import { moduleScope } from "./module-scope.ts";
import { normal } from "./parameter.ts";
import { behindPrompt, foretellingStates, promptLength, textStates } from "./prompted.ts";

/** The model's forward graph. */
export interface Forward {
  readonly inputs: ModelInputs;
  /** the last hidden states, [batch, tokens, hidden] */
  readonly hidden: Value;
  /** what each linear layer reads, by its path: [batch, tokens, in] */
  readonly layerInputs: ReadonlyMap<string, Value>;
  /**
   * [batch, labels], [batch, tokens, labels] or [batch, tokens, vocabulary]; [1, rows, vocabulary] of one chunk of chosen
   * rows, [batch, 1, vocabulary] behind a cache
   */
  readonly logits: Value;
  /** undefined where no rows were chosen */
  readonly chosen: ChosenStates | undefined;
  /** [batch, teacher's size] each: vectors of the whole text, through linear maps; none without a teacher */
  readonly taught: readonly Value[];
  /** the mean of what methods want small beside the loss, a scalar; undefined where they want nothing */
  readonly penalty: Value | undefined;
  /** Φ's tensors as the graph's inputs, in the layout's order */
  readonly phi: readonly Value[];
}

/** Hidden states of chosen rows, which are read chunk by chunk. */
export interface ChosenStates {
  /** [chunks, 1, rows, hidden] */
  readonly states: Value;
  /** an input of the graph that is computed for each chunk, [1, rows, hidden] */
  readonly chunk: Value;
  /** the chosen rows counted from 0 on, int64 [chunks, 1, rows], and those of a chunk, [1, rows] */
  readonly numbers: Value;
  readonly number: Value;
}

/** What a forward graph is built with. */
export interface ForwardOptions {
  readonly noise?: Noise | undefined;
  /**
   * int32 [chunks, 1, rows]: of a language model's positions, counted through all rows, those whose logits are wanted; in
   * front of a causal one's rows stands the end of its prompt, where it has one
   */
  readonly rows?: Value | undefined;
  /** whether rows may be several texts; the batch then brings `documents` */
  readonly packed?: boolean | undefined;
  /** keys and values of tokens in front of the ids; a language model's logits are then those of the last token alone */
  readonly cache?: KeyValueCache | undefined;
  /** whether the cache holds the methods' prompts already, being that of texts that go on */
  readonly continues?: boolean;
  /**
   * present where each row has an adapter of its own. By rows, Φ's tensors are fed as [batch, …]; by slots, as [slots, …], and
   * `slots` says which is whose, so that rows share a gradient
   */
  readonly mixed?: "rows" | "slots" | undefined;
}

/** Builds the forward graph, and notes on the way what the methods act on and train. */
export function build(base: Base, methods: readonly MethodUse[], goal: Goal, options: ForwardOptions = {}) {
  const { model } = base;
  const { noise, cache, continues = false, mixed } = options;
  const length = promptLength(methods);
  const unseen = (continues ? length : 0) + (cache?.layout.hidden ?? 0);
  const keys = cache ? plus(pastDim, plus(tokensDim, -unseen)) : tokensDim;
  const inputs = batchInputs(keys, options.packed);
  const prompted = behindPrompt(inputs, length, model.sizes.padId, continues);
  const building = beginBuilding(base, methods, goal, {
    noise,
    cache,
    mixed: mixed === "slots" ? { slots: input("slots", "int32", [batchDim]) } : mixed,
    promptedIds: prompted.inputIds === inputs.inputIds ? undefined : prompted.inputIds,
  });
  const root = moduleScope(building, "");
  const states = model.encode(root.at(model.prefix), prompted);
  const hidden = textStates(states, inputs);
  const encoded = { inputs, hidden, pooled: () => model.pool(root.at(model.prefix), states, prompted) };
  const foretold = length > 0 && heads[objectiveOf(goal.task).head].goesOn ? foretellingStates(states, inputs) : hidden;
  const chosen = options.rows && chosenStates(foretold, options.rows);
  const read = { ...encoded, hidden: chosen?.chunk ?? hidden };
  const ofChunk = noise && chosen ? { ...building, noise: { ...noise, rows: chosen.number } } : building;
  const logits = logitsOf(model, moduleScope(ofChunk, ""), read, goal, options);
  const taught = goal.teacher ? taughtVectors(building, encoded, goal.teacher.size) : [];
  const present = Object.entries(cache?.present ?? {});
  const narrowed = narrow([
    logits,
    ...taught,
    ...(chosen ? [chosen.states] : []),
    ...present.map(([, value]) => value),
  ]);
  for (const [name, value] of present) if (cache) cache.present[name] = narrowed(value);
  const phi = [...building.parameters.values()].map(({ fed }) => fed);
  const { layerInputs, penalties } = building;
  return {
    building,
    forward: {
      inputs,
      hidden,
      layerInputs,
      logits: narrowed(logits),
      chosen: chosen && { ...chosen, states: narrowed(chosen.states) },
      taught: taught.map(narrowed),
      penalty: meanOf(penalties),
      phi,
    },
  };
}

/**
 * Notes what the methods act on and train without building the architecture's graph again: its announcements are made once
 * a model and told to every building, and only the head is built. What is noted is what {@link build} notes, in its order.
 */
export function survey(base: Base, methods: readonly MethodUse[], goal: Goal): Building {
  const { model } = base;
  const { inputs, hidden, tell } = announcementsOf(model);
  const promptedIds = promptLength(methods) > 0 ? inputs.inputIds : undefined;
  const building = beginBuilding(base, methods, goal, { promptedIds });
  tell(building);
  const root = moduleScope(building, "");
  const encoded = { inputs, hidden, pooled: () => model.pool(root.at(model.prefix), hidden, inputs) };
  logitsOf(model, root, encoded, goal, {});
  if (goal.teacher) taughtVectors(building, encoded, goal.teacher.size);
  return building;
}

const meanOf = (numbers: readonly Value[]): Value | undefined =>
  numbers.length === 0
    ? undefined
    : mul(
        numbers.map((number) => reshape(number, [])).reduce((sum, number) => add(sum, number)),
        scalar(1 / numbers.length),
      );

/** What an architecture makes of a batch. */
interface Encoded extends Pick<Forward, "inputs" | "hidden"> {
  /** Computes the vector that Hugging Face's class reads of a text: of a prompt's first token where it reads the first. */
  pooled(): Value;
}

function logitsOf(
  model: Model,
  root: Scope,
  { inputs, hidden, pooled }: Encoded,
  goal: Goal,
  options: ForwardOptions,
): Value {
  const { task, labels, pooling = "default" } = goal;
  const head = heads[objectiveOf(task).head];
  if (head.from === "vocabulary")
    return model.predictTokens(root, options.cache ? lastOf(hidden) : hidden, root.at(model.prefix));
  if (head.of === "tokens") return model.classifyTokens(root, hidden, labels);
  const usual = pooled();
  const vector = pooling === "default" ? usual : pool(pooling, hidden, inputs.attentionMask);
  return reshape(model.classify(root, vector, labels), [batchDim, labels]);
}

/**
 * The two vectors that heads read of a text, the one of Hugging Face's classes and the tokens' mean, each mapped to the
 * teacher's length. The maps are trained with the model and belong to nothing that is saved.
 * hidden: [batch, tokens, hidden] -> [batch, size]
 */
function taughtVectors(building: Building, { inputs, hidden, pooled }: Encoded, size: number): readonly Value[] {
  const { model } = building.base;
  const vectors = { default: pooled(), mean: pool("mean", hidden, inputs.attentionMask) };
  return Object.entries(vectors).map(([pooling, vector]) => {
    const map = trained(building, {
      name: `teacher.${pooling}.weight`,
      shape: [size, model.sizes.hidden],
      initial: normal(model.sizes.initializerRange),
      role: "weight",
      layer: undefined,
      part: "adapter",
      method: undefined,
      stored: undefined,
    });
    return reshape(project(vector, map), [batchDim, size]);
  });
}

/** The last token's hidden states.  [batch, tokens, hidden] -> [batch, 1, hidden] */
function lastOf(hidden: Value): Value {
  const tokens = hidden.shape[1] ?? 1;
  return slice(hidden, 1, plus(tokens, -1), tokens);
}

/** Chosen positions of all rows.  hidden: [batch, tokens, hidden], rows: [chunks, 1, rows] */
function chosenStates(hidden: Value, rows: Value): ChosenStates {
  const [batch = 1, tokens = 1, size = 1] = hidden.shape;
  const states = gather(reshape(hidden, [times(batch, tokens), size]), rows);
  const numbers = reshape(add(countedFromOne(elements(rows.shape)), scalar(-1, "int64")), rows.shape);
  return {
    states,
    chunk: input("states of a chunk", states.dtype, states.shape.slice(1)),
    numbers,
    number: input("numbers of a chunk's rows", numbers.dtype, numbers.shape.slice(1)),
  };
}
