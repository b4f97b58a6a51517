import { InputError, InternalError } from "../errors.ts";
import { addedTo, keyValueCache } from "../nn/cache.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import { promptLength } from "../peft/prompted.ts";
import { compile } from "../runtime/program.ts";
import type { Engine } from "../runtime/session.ts";
import { float32, int32, sizeOf } from "../tensor/host-tensor.ts";

/** A causal language model that computes every token once. */
export interface Decoder {
  /** Begins with prompts side by side. */
  begin(prompts: readonly Int32Array[]): Decoding;
  release(): Promise<void>;
}

/** Texts under way. */
export interface Decoding {
  /** The logits of the next token of each row: of the prompts first, then behind one more token of each row. */
  next(tokens?: readonly number[]): Promise<readonly Float32Array[]>;
}

/**
 * Compiles a model to go on with texts. One graph computes prompts and single tokens: its inputs are the tokens and the
 * keys and values of all before them, its outputs the logits of the last token and the tokens' own keys and values. Where
 * a method puts learned vectors in front of every text, single tokens have a graph of their own without them.
 */
export async function compileDecoder(engine: Engine, adapted: AdaptedModel, phi: Phi): Promise<Decoder> {
  const { task } = adapted.goal;
  if (task !== "causal-lm")
    throw new InputError(`only causal language models go on with texts; this model is for ${task}`);
  const program = (continues: boolean) => {
    const cache = keyValueCache(adapted.base.model.sizes);
    const { logits } = adapted.forward({ cache, continues });
    return compile(engine, { logits, added: addedTo(cache) });
  };
  const beginning = await program(false);
  const prompted = promptLength(adapted.methods) > 0;
  const continuing = prompted ? await program(true) : beginning;
  const fixed = tensorsOf(phi);
  return {
    async release() {
      await beginning.release();
      if (prompted) await continuing.release();
    },
    begin(prompts) {
      const past = growing(adapted, prompts.length);
      const { ids, mask } = paddedLeft(prompts, adapted.base.model.sizes.padId);
      let keys: readonly (readonly number[])[] = mask;
      return {
        async next(tokens) {
          const given = tokens?.map((id) => [id]) ?? ids;
          if (tokens) keys = keys.map((row) => [...row, 1]);
          const { logits: found, added } = await (tokens ? continuing : beginning).run({
            ...fixed,
            ...{ input_ids: table(given), attention_mask: table(keys), past: past.tensor() },
          });
          if (found?.dtype !== "float32" || added?.dtype !== "float32") throw new InternalError("logits are float32");
          past.append(added.data);
          const size = found.data.length / prompts.length;
          return prompts.map((_, row) => found.data.slice(row * size, (row + 1) * size));
        },
      };
    },
  };
}

/** Keys and values of all tokens so far, in memory that doubles when it is full. */
function growing({ base }: AdaptedModel, rows: number) {
  const { layers, keyValueHeads, headSize } = base.model.sizes;
  const perToken = [2 * layers, rows, keyValueHeads, headSize];
  let values = new Float32Array(0);
  let used = 0;
  return {
    tensor: () => float32([used / sizeOf(perToken), ...perToken], values.subarray(0, used)),
    append(more: Float32Array) {
      if (used + more.length > values.length) {
        const larger = new Float32Array(Math.max(2 * values.length, used + more.length));
        larger.set(values.subarray(0, used));
        values = larger;
      }
      values.set(more, used);
      used += more.length;
    },
  };
}

/** Prompts side by side, their ends in one column. */
function paddedLeft(prompts: readonly Int32Array[], padId: number) {
  const longest = Math.max(...prompts.map(({ length }) => length));
  const front = (prompt: Int32Array, fill: number) => Array.from({ length: longest - prompt.length }, () => fill);
  return {
    ids: prompts.map((prompt) => [...front(prompt, padId), ...prompt]),
    mask: prompts.map((prompt) => [...front(prompt, 0), ...Array.from(prompt, () => 1)]),
  };
}

const table = (rows: readonly (readonly number[])[]) =>
  int32([rows.length, rows[0]?.length ?? 0], Int32Array.from(rows.flat()));
