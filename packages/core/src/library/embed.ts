import { collate } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { pool } from "../nn/pooling.ts";
import { tensorsOf } from "../peft/phi.ts";
import { compile, type Program } from "../runtime/program.ts";
import { readSettings, type SettingInputs } from "../settings/settings.ts";
import { float32Of } from "../tensor/host-tensor.ts";
import { type StopSignal, throwIfStopped } from "../training/stop-signal.ts";
import { asking } from "./asking.ts";
import { requireModel, requireOptions } from "./check.ts";
import { shapeOf } from "./kept-programs.ts";
import type { OpenModel } from "./model.ts";
import { asRead } from "./predict.ts";
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
 * Calls that come together are answered together.
 *
 * @throws InputError for what is no text; the signal's reason
 */
export async function embed(
  model: OpenModel,
  texts: readonly TextInput[],
  options: EmbedOptions = {},
): Promise<readonly Float32Array[]> {
  const { base, adapted, phi } = requireModel(model);
  const set = textExamples(texts);
  const { signal, ...given } = requireOptions(options);
  throwIfStopped(signal);
  const { batch, maxLength } = readSettings(settings, given);
  const { rows } = asRead(model, set, maxLength);
  const compiled = () => compileVectors(model);
  const queue = base.asked.vectors(phi, () =>
    asking((some) =>
      base.programs.vectors.use(shapeOf(adapted), compiled, (program) => vectorsOf(some, program, model)),
    ),
  );
  return queue.ask(rows, { batch, signal });
}

function compileVectors({ base, adapted }: OpenModel): Promise<Program> {
  const { hidden, inputs } = adapted.forward();
  return compile(base.engine, { vectors: pool(base.sentences?.pooling ?? "mean", hidden, inputs.attentionMask) });
}

async function vectorsOf(
  rows: readonly EncodedExample[],
  program: Program,
  { base, adapted, phi }: OpenModel,
): Promise<readonly Float32Array[]> {
  const { items: _, labels: __, ...inputs } = collate(rows, adapted.base.model.sizes.padId);
  const { vectors } = await program.run({ ...tensorsOf(phi), ...inputs });
  const size = adapted.base.model.sizes.hidden;
  const values = vectors ? float32Of(vectors) : new Float32Array();
  return rows.map((_, row) => {
    const vector = values.slice(row * size, (row + 1) * size);
    return base.sentences?.normalized ? unit(vector) : vector;
  });
}

/** x / |x| */
function unit(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return norm === 0 ? vector : vector.map((value) => value / norm);
}
