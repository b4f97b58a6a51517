import { InputError, parsedJson, type TrainingState } from "@petl/core";
import { z } from "zod";

const evaluationShape = z.looseObject({ examples: z.number(), loss: z.number() });
const facts = z.strictObject({
  run: z.string(),
  step: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
  seconds: z.number().nonnegative(),
  pending: z.boolean().default(false),
  evaluation: evaluationShape.optional(),
  best: z.strictObject({ score: z.number(), step: z.int(), since: z.int(), evaluation: evaluationShape }).optional(),
});

/** A run's state and the seconds that it has taken so far. */
export interface SavedState extends TrainingState {
  readonly seconds: number;
  /** the run that it is of */
  readonly run: string;
}

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** The files of a checkpoint: vectors as raw float32, everything else in state.json. */
export function stateFiles({
  step,
  tokens,
  seconds,
  run,
  values,
  moments,
  best,
  pending,
  evaluation,
}: SavedState): Readonly<Record<string, Uint8Array>> {
  const { values: _, ...known } = best ?? {};
  const state = { run, step, tokens, seconds, pending, evaluation, best: best && known };
  return {
    "state.json": new TextEncoder().encode(JSON.stringify(state)),
    "phi.f32": bytesOf(values),
    ...Object.fromEntries(moments.map((moment, i) => [`moment-${i + 1}.f32`, bytesOf(moment)])),
    ...(best && { "best.f32": bytesOf(best.values) }),
  };
}

/** The state that the files of a checkpoint hold. */
export function readState(files: Readonly<Record<string, Uint8Array>>): SavedState {
  const parsed = facts.safeParse(parsedJson(new TextDecoder().decode(files["state.json"])));
  if (!parsed.success) throw new InputError("the checkpoint's state.json is not one that this petl writes");
  const { best, ...rest } = parsed.data;
  const moments = Object.keys(files)
    .filter((name) => /^moment-\d+\.f32$/.test(name))
    .sort();
  return {
    ...rest,
    values: vector(files, "phi.f32"),
    moments: moments.map((name) => vector(files, name)),
    best: best && { ...best, values: vector(files, "best.f32") },
  };
}

function vector(files: Readonly<Record<string, Uint8Array>>, name: string): Float32Array {
  const bytes = files[name];
  if (!bytes) throw new InputError(`the checkpoint lacks ${name}`);
  return new Float32Array(bytes.slice().buffer);
}
