import { gradients } from "../autodiff/gradients.ts";
import { type Batch, type NumberedBatch, sideBySide } from "../data/batches/collate.ts";
import { InternalError } from "../errors.ts";
import { add } from "../graph/ops/add.ts";
import { gather } from "../graph/ops/gather.ts";
import { mul } from "../graph/ops/mul.ts";
import { input, type Value } from "../graph/value.ts";
import { heads } from "../nn/model.ts";
import type { LossOptions } from "../objectives/objective.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { aloneBecause } from "../peft/alone-because.ts";
import { lengthOf, type Phi, type Placed } from "../peft/phi.ts";
import { promptLength } from "../peft/prompted.ts";
import { isWithin } from "../peft/targets.ts";
import { compile, type Program } from "../runtime/program.ts";
import type { Engine, Tensors } from "../runtime/session.ts";
import { float32, type HostTensor, int32 } from "../tensor/host-tensor.ts";
import { batchDim, tokensDim } from "../tensor/shape.ts";
import { inPieces, pieceRows } from "./long-rows.ts";
import {
  compileStep,
  fittedTo,
  type LossAndGradient,
  type LossScale,
  type StepOptions,
  type TrainingStep,
} from "./step.ts";

/** Why adapters of a kind are trained one after another; none where one step can be made for all. */
export function apartBecause(adapted: AdaptedModel): readonly string[] {
  const { task, teacher } = adapted.goal;
  const { head } = objectiveOf(task);
  const isWords = heads[head].from === "vocabulary";
  const outputs = adapted.base.model.headModules[head] ?? [];
  const noisyOutputs = drops(adapted) && adapted.targets.some((path) => isWithin(outputs, path));
  return [
    ...aloneBecause(adapted),
    ...(isWords && promptLength(adapted.methods) > 0
      ? ["a text's first word is foretold by the end of its prompt, which has no place among the rows' labels"]
      : []),
    ...(teacher ? ["a teacher's vectors are learnt"] : []),
    ...(adapted.forward().penalty ? ["what it keeps small beside the loss is one number for a whole batch"] : []),
    ...(isWords && noisyOutputs
      ? ["its output layer's dropout is drawn for the positions with a label, one behind the other"]
      : []),
  ];
}

const drops = ({ methods }: AdaptedModel): boolean =>
  methods.some(({ options }) => typeof options.dropout === "number" && options.dropout > 0);

/** What one of those that train together asks for. */
interface Asked {
  readonly batch: NumberedBatch;
  readonly phi: Phi;
  readonly scale: LossScale;
  readonly noise: number;
  readonly vector: Float32Array;
  resolve(result: LossAndGradient): void;
  reject(error: unknown): void;
}

/** How many train together, and how many scores of attention may then exist at once; all where left out. */
interface Joint extends Pick<StepOptions, "scoresAtOnce"> {
  readonly count: number;
}

/**
 * The steps of several trainings of one kind of adapter, which differ in Φ and rows alone: once each that still trains has
 * asked, all are computed at once. Rows read the Φ of their own training, so each gradient is its own, up to rounding what
 * the training's own step would give; one that is left alone is computed with that step itself.
 */
export function jointSteps(
  engine: Engine,
  adapted: AdaptedModel,
  options: StepOptions,
  joint: Joint,
): readonly TrainingStep[] {
  const training = new Set(Array.from({ length: joint.count }, (_, number) => number));
  const waiting = new Map<number, Asked>();
  const programs = joinedPrograms(engine, adapted, options, joint.scoresAtOnce);
  let working = false;
  const work = async () => {
    if (working) return;
    working = true;
    while (waiting.size > 0 && waiting.size === training.size) {
      const asked = [...waiting].sort(([a], [b]) => a - b).map(([, each]) => each);
      waiting.clear();
      try {
        const results = await programs.run(asked);
        for (const [at, { resolve, reject }] of asked.entries()) {
          const result = results[at];
          if (result) resolve(result);
          else reject(new InternalError("a training without a result"));
        }
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
      await Promise.resolve();
    }
    working = false;
    if (training.size === 0) await programs.release();
  };
  const begin = () => {
    void work(); // what goes wrong goes to those who asked
  };
  return [...training].map((number) => ({
    run: (batch, phi, scale, noise, vector) =>
      new Promise((resolve, reject) => {
        waiting.set(number, { batch, phi, scale, noise, vector, resolve, reject });
        begin();
      }),
    async release() {
      training.delete(number);
      waiting.get(number)?.reject(new InternalError("a training was ended during its step"));
      waiting.delete(number);
      if (training.size === 0) await work();
      else begin();
    },
  }));
}

/** Compiled for as many trainings as there are; once half of them have ended, anew for those that go on. */
function joinedPrograms(engine: Engine, adapted: AdaptedModel, options: StepOptions, atOnce: Joint["scoresAtOnce"]) {
  const together = fittedTo(engine, { ...options, scoresAtOnce: atOnce });
  let joined: { readonly places: number; readonly program: Program } | undefined;
  let single: TrainingStep | undefined;
  const programFor = async (count: number): Promise<{ readonly places: number; readonly program: Program }> => {
    if (joined && joined.places >= count && joined.places < 2 * count) return joined;
    await joined?.program.release();
    joined = { places: count, program: await compileJoined(engine, adapted, together, count) };
    return joined;
  };
  return {
    async run(asked: readonly Asked[]): Promise<readonly LossAndGradient[]> {
      const [only, ...others] = asked;
      if (only && others.length === 0) {
        single ??= await compileStep(engine, adapted, options);
        return [await single.run(only.batch, only.phi, only.scale, only.noise, only.vector)];
      }
      const { places, program } = await programFor(asked.length);
      return collected(await program.run(fed(asked, places, adapted, together)), asked, adapted.layout);
    },
    async release() {
      const held = [joined?.program, single];
      joined = undefined;
      single = undefined;
      for (const each of held) await each?.release();
    },
  };
}

const rowsOf = (place: number): string => `rows of ${place}`;
const scaleOf = (place: number): string => `scale of ${place}`;
const lossOf = (place: number): string => `loss of ${place}`;
const gradientOf = (name: string): string => `gradient of ${name}`;

/** What each row is dropped by: the step of its own training. */
const ownNoise = {
  key: input("noise of rows", "int64", [batchDim]),
  row: input("numbers of rows", "int64", [batchDim]),
  tokens: input("tokens of rows", "int64", [batchDim]),
};

/** The noise of rows side by side: each training's key, and each row's place in its training's own batch. */
function noiseOf(asked: readonly Asked[]): Tensors {
  const rows = asked.flatMap(({ batch, noise }) => {
    const [count = 0, tokens = 0] = batch.input_ids.shape;
    return Array.from({ length: count }, (_, row) => ({ key: noise, row, tokens }));
  });
  const numbers = (of: (row: (typeof rows)[number]) => number): HostTensor => {
    return { dtype: "int64", shape: [rows.length], data: BigInt64Array.from(rows, (row) => BigInt(of(row))) };
  };
  return {
    "noise of rows": numbers(({ key }) => key),
    "numbers of rows": numbers(({ row }) => row),
    "tokens of rows": numbers(({ tokens }) => tokens),
  };
}

/** The losses of the rows of each place, and the gradient of their sum with respect to all Φ: [places, …] of each tensor. */
function compileJoined(
  engine: Engine,
  adapted: AdaptedModel,
  { dropout, labelSmoothing, classWeights, packed, recompute = false, scoresAtOnce }: StepOptions,
  places: number,
): Promise<Program> {
  const { task, labels: outputs } = adapted.goal;
  const objective = objectiveOf(task);
  const { logits: whole, phi } = adapted.forward({ mixed: "slots", packed, noise: { key: ownNoise, dropout } });
  const { logits } = scoresAtOnce ? inPieces({ logits: whole }, adapted) : { logits: whole };
  const isWords = heads[objective.head].from === "vocabulary"; // all logits are there, in no chunks
  const labels = isWords ? input("labels", "int32", [batchDim, tokensDim]) : objective.labels(outputs);
  const terms: LossOptions = { labelSmoothing, classWeights };
  const losses = Array.from({ length: places }, (_, place) => {
    const rows = input(rowsOf(place), "int32", [rowsOf(place)]);
    const sum = objective.loss(gather(logits, rows), gather(labels, rows), terms);
    return mul(sum, input(scaleOf(place), "float32", []));
  });
  const sum = losses.reduce((all, each) => add(all, each));
  const slopes = gradients(sum, [...phi], { recompute });
  const results = {
    ...Object.fromEntries(losses.map((loss, place) => [lossOf(place), loss])),
    ...Object.fromEntries(slopes.flatMap((slope, at) => gradientOutput(adapted.layout[at], slope))),
  };
  return compile(engine, results, { repeats: recompute });
}

const gradientOutput = (placed: Placed | undefined, slope: Value | undefined) =>
  placed && slope ? [[gradientOf(placed.name), slope] as const] : [];

/** Everything that is read: the rows of all, whose they are, and each Φ. A place that nobody has reads a row and counts for nothing. */
function fed(
  asked: readonly Asked[],
  places: number,
  adapted: AdaptedModel,
  { scoresAtOnce }: Pick<StepOptions, "scoresAtOnce">,
): Tensors {
  const { layout, base } = adapted;
  const counts = asked.map(({ batch: own }) => own.input_ids.shape[0] ?? 0);
  const { items: _items, ...batch }: Batch = sideBySide(
    asked.map((each) => each.batch),
    base.model.sizes.padId,
  );
  const slots = counts.flatMap((count, place) => Array.from({ length: count }, () => place));
  let next = 0;
  const ownRows = Array.from({ length: places }, (_, place) => {
    const first = next;
    next += counts[place] ?? 0;
    const rows = Int32Array.from({ length: counts[place] ?? 1 }, (_row, row) =>
      place < counts.length ? first + row : 0,
    );
    return [rowsOf(place), int32([rows.length], rows)] as const;
  });
  const scales = ownRows.map((_, place) => {
    return [scaleOf(place), float32([], Float32Array.of(asked[place]?.scale.loss ?? 0))] as const;
  });
  const pools = layout.map(({ name, shape, offset, size }) => {
    const values = new Float32Array(places * size);
    for (const [place, { phi }] of asked.entries())
      values.set(phi.values.subarray(offset, offset + size), place * size);
    return [name, float32([places, ...shape], values)] as const;
  });
  const rows = { slots: int32([slots.length], Int32Array.from(slots)) };
  const pieces = scoresAtOnce ? pieceRows(adapted, batch, scoresAtOnce) : {};
  return { ...batch, ...rows, ...noiseOf(asked), ...pieces, ...Object.fromEntries([...ownRows, ...scales, ...pools]) };
}

/** Each training's loss and gradient, in the memory that it lent. */
function collected(results: Tensors, asked: readonly Asked[], layout: readonly Placed[]): readonly LossAndGradient[] {
  return asked.map(({ vector }, place) => {
    const gradient = vector.length === lengthOf(layout) ? vector : new Float32Array(lengthOf(layout));
    for (const { name, offset, size } of layout) {
      const all = results[gradientOf(name)]?.data;
      if (all instanceof Float32Array) gradient.set(all.subarray(place * size, (place + 1) * size), offset);
    }
    return { loss: Number(results[lossOf(place)]?.data[0]), teacherLoss: 0, penalty: 0, gradient };
  });
}
