import { random } from "../tensor/random.ts";
import { searchBeams } from "./beam-search.ts";
import type { Continuing } from "./continuing.ts";
import type { Decoding, NextToken } from "./decoder.ts";
import { nextToken } from "./sampling.ts";
import { withoutSuppressed } from "./suppressed.ts";
import { appendToken, begunTexts, type GeneratedToken, type Text, unrepeated } from "./texts.ts";

/**
 * Goes on with prompts, computed side by side, until each has ended: token by token, or with beams, whose tokens are
 * there only when their text has been found. What becomes of a prompt doesn't depend on the others; tokens are drawn
 * from a stream of their own for each prompt, `first` being the number of the first one.
 *
 * @throws InputError for prompts that are empty or longer than the model takes, and for stop texts without a tokenizer
 */
export async function* generateBatch(
  prompts: readonly Int32Array[],
  options: Continuing,
  first = 0,
): AsyncGenerator<GeneratedToken, void, void> {
  const texts = begunTexts(prompts, options);
  const decoding = await options.decoder.begin(
    texts.map(({ ids }) => ids),
    options.phi,
  );
  try {
    yield* options.settings.beams > 1
      ? searchBeams(texts, decoding, options)
      : tokenByToken(texts, decoding, options, first);
  } finally {
    await decoding.release();
  }
}

async function* tokenByToken(
  texts: readonly Text[],
  decoding: Decoding,
  { settings, signal, ...options }: Continuing,
  first: number,
): AsyncGenerator<GeneratedToken, void, void> {
  let open = texts;
  let tokens: readonly NextToken[] | undefined;
  while (open.length > 0) {
    if (signal?.aborted) throw signal.reason;
    const logits = await decoding.next(tokens);
    const chosen = open.map((text, at) => {
      const stream = random(settings.seed, `token of text ${first + text.row}`, text.ids.length - text.begun);
      const possible = withoutSuppressed(logits[at] ?? new Float32Array(), text, options);
      return nextToken(possible, unrepeated(text, settings), settings, stream);
    });
    for (const [at, text] of open.entries()) yield appendToken(text, chosen[at] ?? 0);
    tokens = open.flatMap(({ done }, row) => (done ? [] : [{ row, id: chosen[row] ?? 0 }]));
    open = open.filter(({ done }) => !done);
  }
}
