import { type ExampleSet, InputError, type OpenModel, scoreTexts, type TextScores } from "@petl/core";
import { type FlagValues, flagName, pattern, toggle } from "../flags/flags.ts";
import { generationFlags, givenSettings } from "./generation-flags.ts";
import { rowFlags } from "./open.ts";
import type { Context } from "./verb.ts";

/** The flags that let a model's own texts be measured. */
export const scoringFlags = {
  generate: toggle(false, "go on with the rows' prompts and score the texts: exact match, BLEU, ROUGE-L"),
  answer: pattern("what of a text has to match exactly, the last that is found (default: all of it)"),
  lowercase: toggle(false, "BLEU without regard to case, as E2E's own scorer has it"),
  ...generationFlags,
  batch: rowFlags.batch,
};
type ScoringFlags = FlagValues<typeof scoringFlags>;

/** Scores what the model makes of the rows' prompts, and shows how far it is. */
export async function scored(
  model: OpenModel,
  rows: ExampleSet,
  { generate: _, answer, lowercase, batch, ...flags }: ScoringFlags,
  { terminal, signal }: Pick<Context, "terminal" | "signal">,
): Promise<TextScores> {
  const onText = (done: number, of: number) => terminal.progress({ what: "generating", done, of, unit: "texts" });
  const scores = await scoreTexts(model, rows, { ...givenSettings(flags), answer, lowercase, batch, signal, onText });
  terminal.done();
  return scores;
}

/** Flags of texts mean nothing where none are made. */
export function refuseWithoutTexts({ generate, answer, lowercase, ...flags }: ScoringFlags): void {
  const own = Object.entries({ answer, lowercase }).flatMap(([name, value]) => (value ? [name] : []));
  const given = [...own, ...Object.keys(givenSettings(flags))];
  if (generate || given.length === 0) return;
  throw new InputError(
    `${given.map((name) => `--${flagName(name)}`).join(", ")}: there are no texts without --generate`,
  );
}
