import type { ExampleSet } from "../data/rows/examples.ts";
import { promptsOf } from "../data/rows/prompts.ts";
import { InputError } from "../errors.ts";
import { corpusBleu } from "../scoring/bleu.ts";
import { exactMatch } from "../scoring/exact-match.ts";
import { rougeL } from "../scoring/rouge-l.ts";
import type { ScoredText } from "../scoring/scored-text.ts";
import { type CompletionOptions, complete } from "./generate.ts";
import type { OpenModel } from "./model.ts";

/** What the texts that a model makes of prompts are worth beside their completions. */
export interface TextScores {
  /** how many texts were made: one for each prompt, however many rows have it */
  readonly texts: number;
  /** the share of texts that say what a completion says, 0 to 1 */
  readonly exact_match: number;
  /** corpus BLEU, 0 to 100 */
  readonly bleu: number;
  /** mean ROUGE-L, 0 to 1 */
  readonly rouge_l: number;
}

export interface ScoreOptions extends CompletionOptions {
  /** what of a text is its answer, for the exact match; the whole text where left out */
  readonly answer?: RegExp | undefined;
  /** whether BLEU is without regard to case */
  readonly lowercase?: boolean | undefined;
  /** called for each text that is there, with the number of prompts */
  readonly onText?: (done: number, of: number) => void;
}

/**
 * Lets a model go on with the prompts of a data set and scores its texts by the completions of all rows with that prompt.
 * @throws InputError for rows that are no prompts with completions, and for prompts that don't fit
 */
export async function scoreTexts(
  model: OpenModel,
  rows: ExampleSet,
  { answer, lowercase, onText, ...options }: ScoreOptions = {},
): Promise<TextScores> {
  const prompts = promptsOf(rows);
  const texts: ScoredText[] = [];
  const wanted = prompts.map(({ prompt }) => prompt);
  for await (const { text } of complete(model, wanted, options)) {
    if (text === undefined)
      throw new InputError(`${model.base.name} has no tokenizer, and tokens are no text to score`);
    texts.push({ text, references: prompts[texts.length]?.references ?? [] });
    onText?.(texts.length, prompts.length);
  }
  return {
    texts: texts.length,
    exact_match: exactMatch(texts, answer),
    bleu: corpusBleu(texts, { lowercase }).score,
    rouge_l: rougeL(texts),
  };
}
