import { InputError } from "../errors.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { longestRow } from "../peft/longest-row.ts";
import type { Phi } from "../peft/phi.ts";
import type { Engine } from "../runtime/session.ts";
import { random } from "../tensor/random.ts";
import { compileDecoder } from "./decoder.ts";
import { nextToken } from "./sampling.ts";
import type { GenerationSettings } from "./settings.ts";
import { textStream } from "./text-stream.ts";

/** What a model goes on with. */
export interface Continuing {
  readonly engine: Engine;
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  readonly settings: GenerationSettings;
  /** tokens that end a text */
  readonly endIds: readonly number[];
  /** the text of tokens; without it there is none, and no stop texts */
  readonly decode?: ((ids: readonly number[]) => string) | undefined;
  /** ends the work between two tokens */
  readonly signal?: { throwIfAborted(): void } | undefined;
}

/** One more token of one of the texts. */
export interface GeneratedToken {
  /** which prompt it continues */
  readonly row: number;
  readonly id: number;
  /** the text that it makes sure, which may be empty; "" without a tokenizer */
  readonly text: string;
  /** why the text ends with this token; undefined where it goes on */
  readonly end: "end of text" | "stop text" | "length" | undefined;
}

/** A text under way. */
interface Row {
  readonly index: number;
  readonly seen: Set<number>;
  readonly text: ReturnType<typeof textStream> | undefined;
  count: number;
  readonly most: number;
  done: boolean;
}

/**
 * Goes on with prompts, computed side by side, token by token, until each has ended. What becomes of a prompt doesn't
 * depend on the others; tokens are drawn from a stream of their own for each prompt, `first` being the number of the
 * first one.
 *
 * @throws InputError for prompts that are empty or longer than the model takes, and for stop texts without a tokenizer
 */
export async function* generate(
  prompts: readonly Int32Array[],
  options: Continuing,
  first = 0,
): AsyncGenerator<GeneratedToken, void, void> {
  const { engine, adapted, phi, settings, endIds, signal } = options;
  const rows = rowsOf(prompts, options);
  const decoder = await compileDecoder(engine, adapted, phi);
  try {
    const decoding = decoder.begin(prompts);
    let last: readonly number[] | undefined;
    while (rows.some(({ done }) => !done)) {
      signal?.throwIfAborted();
      const logits = await decoding.next(last);
      const chosen = rows.map((row) => {
        if (row.done) return adapted.base.model.sizes.padId;
        const stream = random(settings.seed, `token of text ${first + row.index}`, row.count);
        return nextToken(logits[row.index] ?? new Float32Array(), row.seen, settings, stream);
      });
      for (const row of rows) if (!row.done) yield taken(row, chosen[row.index] ?? 0, endIds);
      last = chosen;
    }
  } finally {
    await decoder.release();
  }
}

/** Adds a token to its text. */
function taken(row: Row, id: number, endIds: readonly number[]): GeneratedToken {
  row.seen.add(id);
  row.count++;
  const { text, stopped } = row.text?.push(id) ?? { text: "", stopped: false };
  const end = endIds.includes(id)
    ? "end of text"
    : stopped
      ? "stop text"
      : row.count === row.most
        ? "length"
        : undefined;
  row.done = end !== undefined;
  const rest = row.done && !stopped ? (row.text?.finish() ?? "") : "";
  return { row: row.index, id, text: text + rest, end };
}

function rowsOf(prompts: readonly Int32Array[], { adapted, settings, decode }: Continuing): readonly Row[] {
  const longest = longestRow(adapted);
  const problems = prompts.flatMap(({ length }, row) => {
    if (length === 0) return [`prompt ${row + 1} is empty`];
    return length < longest
      ? []
      : [`prompt ${row + 1} has ${length} tokens; the model takes ${longest}, new ones included`];
  });
  if (!decode && settings.stop.length > 0) problems.push("stop texts need a tokenizer, which the base has not");
  if (problems.length > 0) throw new InputError(problems);
  return prompts.map((prompt, index) => ({
    ...{ index, seen: new Set(prompt), count: 0, done: false },
    most: Math.min(settings.maxTokens, longest - prompt.length),
    text: decode && textStream(decode, settings.stop),
  }));
}
