import { RunError } from "../errors.ts";
import { advance, type Beam, type Beams, begunBeams, type SearchRules } from "./beams.ts";
import type { Continuing } from "./continuing.ts";
import type { Decoding, NextToken } from "./decoder.ts";
import { withoutRepetition } from "./repetition.ts";
import { withoutSuppressed } from "./suppressed.ts";
import { appendToken, type GeneratedToken, type Text, unrepeated } from "./texts.ts";

/** The search for one text. */
interface Search {
  readonly text: Text;
  readonly rules: SearchRules;
  readonly beams: Beams;
}

/** Looks for the best ends of texts, all side by side; the tokens of each come when its search is over. */
export async function* searchBeams(
  texts: readonly Text[],
  decoding: Decoding,
  options: Continuing,
): AsyncGenerator<GeneratedToken, void, void> {
  let open: readonly Search[] = texts.map((text) => ({ text, rules: rulesOf(text, options), beams: begunBeams }));
  let tokens: readonly NextToken[] | undefined;
  while (open.length > 0) {
    if (options.signal?.aborted) throw options.signal.reason;
    const logits = await decoding.next(tokens);
    const starts = startsOf(open);
    const longer = open.map((one, i) => longerBy(one, logits.slice(starts[i], starts[i + 1]), options));
    for (const { text, beams } of longer) if (beams.done) yield* tokensOf(text, beams.ended[0]);
    tokens = longer.flatMap(({ beams: { running, done } }, i) =>
      done ? [] : running.map(({ from, ids }) => ({ row: (starts[i] ?? 0) + from, id: ids.at(-1) ?? 0 })),
    );
    open = longer.filter(({ beams }) => !beams.done);
  }
}

function rulesOf({ most, ends }: Text, { settings, decode }: Continuing): SearchRules {
  const { beams, lengthPenalty, earlyStopping, stop } = settings;
  return {
    beams,
    lengthPenalty,
    earlyStopping,
    most,
    endings: ends.length,
    ends: (ids) =>
      ids.length === most ||
      ends.includes(ids.at(-1) ?? -1) ||
      (stop.length > 0 && stop.some((end) => holds(decode, ids, end))),
  };
}

const holds = (decode: Continuing["decode"], ids: readonly number[], stop: string): boolean =>
  decode !== undefined && (decode(ids).includes(stop) || decode(ids, { specialTokens: true }).includes(stop));

/** The row of each search's first beam, and behind all of them the number of rows. */
function startsOf(searches: readonly Search[]): readonly number[] {
  const starts = [0];
  for (const { beams } of searches) starts.push((starts.at(-1) ?? 0) + beams.running.length);
  return starts;
}

/** One step of a search, by the logits behind each of its running beams. */
function longerBy(search: Search, logits: readonly Float32Array[], { settings, ...options }: Continuing): Search {
  const { text, rules, beams } = search;
  const scores = logits.map((row, i) =>
    withoutSuppressed(
      withoutRepetition(
        logProbabilities(row),
        [...unrepeated(text, settings), ...(beams.running[i]?.ids ?? [])],
        settings,
      ),
      { ids: [...text.ids, ...(beams.running[i]?.ids ?? [])], begun: text.begun },
      options,
    ),
  );
  return { ...search, beams: advance(beams, scores, rules) };
}

/** log softmax(logits) @throws RunError where one is NaN */
function logProbabilities(logits: Float32Array): Float32Array {
  let [largest, sum] = [Number.NEGATIVE_INFINITY, 0];
  for (const each of logits) if (each > largest) largest = each;
  for (const each of logits) sum += Math.exp(each - largest);
  const shift = largest + Math.log(sum);
  if (Number.isNaN(shift)) throw new RunError("a logit is NaN");
  return logits.map((each) => each - shift);
}

function* tokensOf(text: Text, best: Beam | undefined): Generator<GeneratedToken, void, void> {
  for (const id of best?.ids ?? []) yield appendToken(text, id);
}
