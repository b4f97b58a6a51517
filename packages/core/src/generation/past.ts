import { InternalError } from "../errors.ts";
import { cacheNames, growingPast } from "../nn/cache.ts";
import type { Sizes } from "../nn/model.ts";
import type { HeldMove, HeldNumbers, HeldTensor } from "../runtime/held.ts";
import type { Engine } from "../runtime/session.ts";

/**
 * Keys and values of all tokens so far, which the engine holds: a run reads them where they lie and writes those of its own
 * tokens behind them, so that nothing of them is copied from token to token. They must be given back.
 */
export interface Past {
  /** the graph's inputs, once there is room */
  tensors(): Readonly<Record<string, HeldTensor>>;
  /** Places for the graph's outputs, so many tokens more. */
  room(more: number): Promise<Readonly<Record<string, HeldTensor>>>;
  /** So many tokens that a run has written there are of the past from now on. */
  grow(more: number): void;
  /** Makes a row of each of the given ones; a row may come several times, or not at all. */
  choose(rows: readonly number[]): Promise<void>;
  /** Where it lies. */
  lies(): Block;
  /** Takes another's rows behind its own; in front of those with fewer tokens zeros stand, for nobody to look at. */
  join(other: Past): Promise<void>;
  /** Forgets so many tokens in front of all rows. */
  forget(tokens: number): void;
  /** Gives the memory back. */
  release(): Promise<void>;
}

/**
 * Held numbers of tensors that stand one behind the other, each token by token, each token row by row. In front of the
 * tokens stand those that no mask shows.
 */
interface Block {
  readonly held: HeldNumbers | undefined;
  readonly rows: number;
  readonly tokens: number;
  /** places in front that are not used any more, and places of a tensor in all */
  readonly front: number;
  readonly places: number;
}

/** Rows that stand side by side in two blocks. */
interface Neighbours {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const { hidden } = growingPast;

/** For so many rows, without a token; nothing is held before there has to be room. */
export function emptyPast(engine: Pick<Engine, "hold">, sizes: Sizes, rows: number): Past {
  const { layers, keyValueHeads, headSize } = sizes;
  const names = Array.from({ length: layers }, (_, layer) => cacheNames(layer));
  const [inputs, outputs] = [names.flatMap(({ past }) => past), names.flatMap(({ present }) => present)];
  const width = keyValueHeads * headSize;
  const startOf = ({ places, rows: count }: Block, tensor: number, place: number) =>
    (tensor * places + place) * count * width;
  const tensorAt = (tensor: number, place: number, length: number): HeldTensor => {
    const { held, rows: count } = block;
    if (!held) throw new InternalError("a past holds nothing before it has room");
    return { held, start: startOf(block, tensor, place), shape: [length, count, keyValueHeads, headSize] };
  };
  let block: Block = { held: undefined, rows, tokens: 0, front: 0, places: 0 };
  let spare: HeldNumbers | undefined;

  /** The last tokens of rows in another block, and what stands in front of them. */
  const moves = (from: Block, to: Block, neighbours: readonly Neighbours[]): readonly HeldMove[] => {
    const pieces = hidden + Math.min(from.tokens, to.tokens);
    const places = ({ front, tokens }: Block) => front + hidden + tokens - pieces;
    return inputs.flatMap((_, tensor) =>
      neighbours.map((each) => ({
        pieces,
        length: each.count * width,
        from: { start: startOf(from, tensor, places(from)) + each.from * width, step: from.rows * width },
        to: { start: startOf(to, tensor, places(to)) + each.to * width, step: to.rows * width },
      })),
    );
  };
  /** Makes a block of rows of others, in the spare memory where it may be there that others have been. */
  const gather = async (
    next: Omit<Block, "held" | "front">,
    parts: readonly (readonly [Block, readonly Neighbours[]])[],
    memory: HeldNumbers | undefined,
  ): Promise<Block> => {
    const size = inputs.length * next.places * next.rows * width;
    const held = memory && memory.length >= size ? memory : await engine.hold(size);
    const made = { ...next, held, front: 0 };
    try {
      await held.copy(
        parts.flatMap(([from, neighbours]) =>
          from.held ? [{ from: from.held, moves: moves(from, made, neighbours) }] : [],
        ),
      );
    } catch (error) {
      if (held !== memory) await held.release();
      throw error;
    }
    return made;
  };
  const giveBack = async (...unused: readonly (HeldNumbers | undefined)[]) => {
    for (const held of new Set(unused)) await held?.release();
  };
  return {
    tensors: () => Object.fromEntries(inputs.map((name, i) => [name, tensorAt(i, block.front, hidden + block.tokens)])),
    async room(more) {
      const needed = hidden + block.tokens + more;
      if (!block.held || block.front + needed > block.places) {
        const { held, rows: count, tokens } = block;
        const places = needed + Math.ceil(needed / 2); // for some tokens more
        block = await gather({ rows: count, tokens, places }, [[block, [{ from: 0, to: 0, count }]]], undefined);
        await giveBack(held, spare);
        spare = undefined;
      }
      const place = block.front + hidden + block.tokens;
      return Object.fromEntries(outputs.map((name, i) => [name, tensorAt(i, place, more)]));
    },
    grow(more) {
      block = { ...block, tokens: block.tokens + more };
    },
    async choose(chosen) {
      const { held, rows: count, tokens, places } = block;
      if (chosen.length === count && chosen.every((from, to) => from === to)) return;
      const unused = spare;
      block = await gather({ rows: chosen.length, tokens, places }, [[block, neighboursIn(chosen)]], unused);
      spare = held;
      if (unused !== block.held) await giveBack(unused);
    },
    lies: () => block,
    async join(other) {
      const [own, more] = [block, other.lies()];
      const tokens = Math.max(own.tokens, more.tokens);
      const next = { rows: own.rows + more.rows, tokens, places: Math.max(own.places, more.places) };
      block = await gather(
        next,
        [
          [own, [{ from: 0, to: 0, count: own.rows }]],
          [more, [{ from: 0, to: own.rows, count: more.rows }]],
        ],
        undefined, // its zeros are what stands in front of shorter rows
      );
      await giveBack(own.held, spare);
      spare = undefined;
      await other.release();
    },
    forget(tokens) {
      block = { ...block, tokens: block.tokens - tokens, front: block.front + tokens };
    },
    async release() {
      const { held } = block;
      const unused = spare;
      block = { held: undefined, rows: 0, tokens: 0, front: 0, places: 0 };
      spare = undefined;
      await giveBack(held, unused);
    },
  };
}

/** Which of chosen rows stand side by side, before and behind. */
function neighboursIn(chosen: readonly number[]): readonly Neighbours[] {
  const found: { from: number; to: number; count: number }[] = [];
  for (const [to, from] of chosen.entries()) {
    const last = found.at(-1);
    if (last && last.from + last.count === from) last.count++;
    else found.push({ from, to, count: 1 });
  }
  return found;
}
