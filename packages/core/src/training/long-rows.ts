import { inRowPieces, type RowPieces } from "../graph/row-pieces.ts";
import { input, type Value } from "../graph/value.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { promptLength } from "../peft/prompted.ts";
import { deviceOf } from "../runtime/devices.ts";
import { compile, type Program } from "../runtime/program.ts";
import type { Engine, Fed, Tensors } from "../runtime/session.ts";
import { int32 } from "../tensor/host-tensor.ts";
import { plus, tokensDim } from "../tensor/shape.ts";

/** The input that says which rows of queries are computed at a time. */
export const pieceRowsName = "piece_rows";

/** How many rows a micro-batch has, and tokens its longest. */
interface Widest {
  readonly batch: number;
  readonly tokens: number;
}

/** Attention's scores that may exist at once before they are computed in pieces: 2²⁶ numbers, 256 MiB. */
const mostScores = 2 ** 26;

/** Scores of a piece: 2²² numbers, 16 MiB. */
const scoresOfPiece = 2 ** 22;

/**
 * How many scores of attention may exist at once: undefined, which is all, as long as they take little memory. There are
 * tokens times tokens of them in every head; where they are too many they are computed in pieces, and once more for the
 * gradient.
 * @param waiting in how many layers they wait for the gradient: in all, in one where blocks are computed once more, or none
 */
export function scoresAtOnce(
  { base }: Pick<AdaptedModel, "base">,
  { batch, tokens }: Widest,
  waiting: number,
): number | undefined {
  const ofLayer = base.model.sizes.heads * batch * tokens ** 2;
  const all = (waiting + 2) * ofLayer; // of one more layer, scores and probabilities are at work
  return all > mostScores ? scoresOfPiece : undefined;
}

/** The pieces as a graph reads them. */
const rowPieces = ({ methods }: Pick<AdaptedModel, "methods">): RowPieces => ({
  rows: input(pieceRowsName, "int32", ["pieces", "piece"]),
  length: plus(tokensDim, promptLength(methods)),
});

type Adapted = Pick<AdaptedModel, "base" | "methods">;

/** The rows of a batch, [batch, tokens], in how many pieces of at most so many scores, and of how many rows each is. */
export function pieceLengths(
  { base, methods }: Adapted,
  [batch = 1, tokens = 1]: readonly number[],
  most: number,
): readonly [pieces: number, piece: number] {
  const rows = tokens + promptLength(methods);
  const room = Math.max(1, Math.floor(most / (base.model.sizes.heads * batch * rows)));
  const pieces = Math.ceil(rows / room);
  return [pieces, Math.ceil(rows / pieces)];
}

/** The numbers of the rows in each piece; behind the last row stands the last once more. */
export function pieceRows(adapted: Adapted, { input_ids }: Fed, most: number): Tensors {
  const ids = input_ids?.shape ?? [];
  const shape = pieceLengths(adapted, ids, most);
  const last = (ids[1] ?? 1) + promptLength(adapted.methods) - 1;
  const numbers = Int32Array.from({ length: shape[0] * shape[1] }, (_, row) => Math.min(row, last));
  return { [pieceRowsName]: int32(shape, numbers) };
}

/** Values by name, with attention computed in pieces. */
export function inPieces<Named extends Readonly<Record<string, Value | undefined>>>(
  values: Named,
  adapted: Adapted,
): Named {
  const given = Object.values(values).filter((value) => value !== undefined);
  const made = inRowPieces(given, rowPieces(adapted));
  const entries = Object.entries(values).map(([name, value]) => [name, value && made[given.indexOf(value)]]);
  return { ...values, ...Object.fromEntries(entries) };
}

/**
 * Compiles what is computed of batches without a gradient. A batch whose scores would be too many is computed in pieces, by
 * a program that is compiled when the first such batch comes.
 */
export async function compileForward(
  engine: Engine,
  adapted: Adapted,
  outputs: Readonly<Record<string, Value>>,
): Promise<Program> {
  const whole = await compile(engine, outputs);
  let pieces: Promise<Program> | undefined;
  return {
    async run(inputs, into, lenders) {
      const [batch = 1, tokens = 1] = inputs.input_ids?.shape ?? [];
      const most = scoresAtOnce(adapted, { batch, tokens }, 0);
      if (most === undefined || !deviceOf(engine.device).takesChunks) return whole.run(inputs, into, lenders);
      pieces ??= compile(engine, inPieces(outputs, adapted)).catch((error: unknown) => {
        pieces = undefined;
        throw error;
      });
      return (await pieces).run({ ...inputs, ...pieceRows(adapted, inputs, most) }, into, lenders);
    },
    async release() {
      await whole.release();
      await (await pieces)?.release();
    },
  };
}
