import { readSettings, type SettingInputs } from "../settings/settings.ts";
import { compileRows } from "../training/row-program.ts";
import { type StopSignal, throwIfStopped } from "../training/stop-signal.ts";
import { asking } from "./asking.ts";
import { isBase, requireModel, requireOptions } from "./check.ts";
import { programKey } from "./kept-programs.ts";
import { headless, type OpenModel } from "./model.ts";
import type { OpenBase } from "./open-base.ts";
import { asRead } from "./predict.ts";
import { requireFinite } from "./require-finite.ts";
import { batchSettings, tokenSettings } from "./settings.ts";
import { type TextInput, textExamples } from "./texts.ts";

const settings = { ...batchSettings, maxLength: tokenSettings.maxLength };

export interface EmbedOptions extends SettingInputs<typeof settings> {
  /** once aborted, the work ends between two batches */
  readonly signal?: StopSignal | undefined;
}

/**
 * A vector for each text: of the last hidden states what the base's modules.json says, their mean over the text's tokens
 * where it says nothing (Reimers & Gurevych 2019, arXiv:1908.10084, section 3); of length 1 where the base's vectors are.
 * Calls that come together are answered together. A base gives vectors whatever head it has.
 *
 * @throws InputError for what is no text; RunError for vectors that are no numbers; the signal's reason
 */
export async function embed(
  model: OpenModel | OpenBase,
  texts: readonly TextInput[],
  options: EmbedOptions = {},
): Promise<readonly Float32Array[]> {
  const asked = isBase(model) ? await headless(model) : requireModel(model);
  const { base, adapted, phi } = asked;
  const set = textExamples(texts);
  const { signal, ...given } = requireOptions(options);
  throwIfStopped(signal);
  const { batch, maxLength } = readSettings(settings, given);
  const { rows } = asRead(asked, set, maxLength);
  const { pooling, vector } = textVector(base);
  const compile = () => compileRows(base.engine, adapted, pooling);
  const queue = base.asked.vectors(phi, () =>
    asking(async (some) => {
      const found = await base.programs.rows.use(programKey(pooling, adapted), compile, (program) =>
        program.run(phi, some),
      );
      return found.map(({ logits }) => vector(logits));
    }),
  );
  const vectors = await queue.ask(rows, { batch, signal });
  requireFinite(vectors, "number of the vector");
  return vectors;
}

/** How a base makes a vector of a text: what it takes of the last hidden states, and what becomes of that. */
export function textVector({ sentences }: Pick<OpenBase, "sentences">) {
  const { pooling = "mean", normalized = false } = sentences ?? {};
  return { pooling, vector: (pooled: Float32Array): Float32Array => (normalized ? unit(pooled) : pooled) };
}

/** x / |x| */
function unit(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return norm === 0 ? vector : vector.map((value) => value / norm);
}
