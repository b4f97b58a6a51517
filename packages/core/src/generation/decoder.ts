import { InputError, InternalError } from "../errors.ts";
import { uncopied } from "../graph/uncopied.ts";
import { growingPast, keyValueCache } from "../nn/cache.ts";
import { heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import { promptLength } from "../peft/prompted.ts";
import { heldCopy } from "../runtime/held-copy.ts";
import { compile } from "../runtime/program.ts";
import type { Engine, Fed } from "../runtime/session.ts";
import { int32 } from "../tensor/host-tensor.ts";
import { emptyPast, type Past } from "./past.ts";

/** A causal language model that computes every token once. */
export interface Decoder extends DecoderSteps {
  /** Begins with prompts side by side, for a model of Φ as it is now. */
  begin(prompts: readonly (readonly number[])[], phi: Phi): Promise<Decoding>;
}

/** A compiled decoder, step by step. */
export interface DecoderSteps {
  /** No token yet of so many rows, to be given back. */
  emptyPast(rows: number): Past;
  /** The logits of each row's next token. `model` is Φ as the graph takes it. */
  run(step: DecoderStep, model: Fed): Promise<readonly Float32Array[]>;
  release(): Promise<void>;
}

/** Rows side by side, each of as many tokens. */
export interface DecoderStep {
  /** prompts, padded in front, or each text's last token */
  readonly ids: readonly (readonly number[])[];
  /** 1 for a token that a row may look at, of those in the past and its own */
  readonly mask: readonly (readonly number[])[];
  /** keys and values of the tokens before; the rows' own come behind them */
  readonly past: Past;
  /** whether the rows are prompts */
  readonly first: boolean;
}

/** A token behind one of the rows that there were. */
export interface NextToken {
  readonly row: number;
  readonly id: number;
}

/** Texts under way. */
export interface Decoding {
  /**
   * The logits of the next token of each row: of the prompts first, then behind one more token. Each token makes a row; a
   * row before it may go on in several, or end.
   */
  next(tokens?: readonly NextToken[]): Promise<readonly Float32Array[]>;
  /** Gives back what the engine holds of them. */
  release(): Promise<void>;
}

/**
 * Compiles a model to go on with texts. One graph computes prompts and single tokens: its inputs are the tokens and the
 * keys and values of all before them, its outputs the logits of the last token and the keys and values of its own. Where a
 * method puts learned vectors in front of every text, single tokens have a graph of their own without them.
 *
 * @param mixed whether each row has an adapter of its own; Φ's tensors are then [slots, …], beside `slots`: texts go on for many steps, and several may be one adapter's
 */
export async function compileSteps(engine: Engine, adapted: AdaptedModel, mixed = false): Promise<DecoderSteps> {
  const { task } = adapted.goal;
  if (!heads[objectiveOf(task).head].goesOn)
    throw new InputError(`only causal language models go on with texts; this model is for ${task}`);
  const { sizes } = adapted.base.model;
  const program = (continues: boolean) => {
    const cache = keyValueCache(sizes, growingPast);
    const { logits } = adapted.forward({ cache, continues, mixed: mixed ? "slots" : undefined });
    const outputs = Object.entries({ logits, ...cache.present });
    const read = uncopied(outputs.map(([, value]) => value));
    const named = Object.fromEntries(outputs.map(([name, value], i) => [name, read[i] ?? value]));
    return compile(engine, named, { keepsWeights: true }); // a token reads every weight for one row
  };
  const beginning = await program(false);
  const prompt = promptLength(adapted.methods);
  const continuing = prompt > 0 ? await program(true) : beginning;
  return {
    emptyPast: (rows) => emptyPast(engine, sizes, rows),
    async run({ ids, mask, past, first }, model) {
      const more = (first ? prompt : 0) + (ids[0]?.length ?? 0);
      const room = await past.room(more);
      const results = await (first ? beginning : continuing).run(
        { ...model, ...past.tensors(), input_ids: table(ids), attention_mask: table(mask) },
        room,
      );
      past.grow(more);
      const { logits: found } = results;
      if (found?.dtype !== "float32") throw new InternalError("logits are float32");
      const size = found.data.length / ids.length;
      return ids.map((_, row) => found.data.subarray(row * size, (row + 1) * size));
    },
    async release() {
      await beginning.release();
      if (prompt > 0) await continuing.release();
    },
  };
}

/** Compiles a model to go on with texts, one Φ for all of them. */
export async function compileDecoder(engine: Engine, adapted: AdaptedModel): Promise<Decoder> {
  const { sizes } = adapted.base.model;
  const steps = await compileSteps(engine, adapted);
  return {
    ...steps,
    async begin(prompts, phi) {
      const model = await heldCopy(engine, tensorsOf(phi));
      const past = steps.emptyPast(prompts.length);
      const { ids, mask } = paddedLeft(prompts, sizes.padId);
      let keys: readonly (readonly number[])[] = mask;
      return {
        async next(tokens) {
          if (tokens) {
            keys = tokens.map(({ row }) => [...(keys[row] ?? []), 1]);
            await past.choose(tokens.map(({ row }) => row));
          }
          const given = tokens?.map(({ id }) => [id]) ?? ids;
          return steps.run({ ids: given, mask: keys, past, first: !tokens }, model.tensors);
        },
        async release() {
          await Promise.all([past.release(), model.release()]);
        },
      };
    },
  };
}

/** Prompts side by side, their ends in one column. */
export function paddedLeft(prompts: readonly (readonly number[])[], padId: number) {
  const longest = Math.max(...prompts.map(({ length }) => length));
  const front = (prompt: readonly number[], fill: number) =>
    Array.from({ length: longest - prompt.length }, () => fill);
  return {
    ids: prompts.map((prompt) => [...front(prompt, padId), ...prompt]),
    mask: prompts.map((prompt) => [...front(prompt, 0), ...prompt.map(() => 1)]),
  };
}

const table = (rows: readonly (readonly number[])[]) =>
  int32([rows.length, rows[0]?.length ?? 0], Int32Array.from(rows.flat()));
