import { InputError } from "../../errors.ts";
import { compilePattern } from "../../patterns/pattern.ts";

/** One of the library's steps that a pattern of the file decides: it splits a text, or replaces something in it. */
interface PatternStep {
  readonly pattern: RegExp;
  readonly config: {
    readonly type: string;
    readonly pattern: { readonly Regex?: string; readonly String?: string };
    readonly content?: string;
    readonly behavior?: string;
    readonly invert?: boolean;
  };
  normalize?: (text: string) => string;
  pre_tokenize_text?: (text: string) => string[];
  decode_chain?: (tokens: readonly string[]) => string[];
}

/** The library's steps: itself, or what a sequence holds, however deep. */
export function* innerSteps(step: unknown): Generator<unknown> {
  if (!(step instanceof Object)) return;
  yield step;
  for (const list of ["normalizers", "tokenizers", "decoders"] as const) {
    const inner: unknown = Reflect.get(step, list);
    if (Array.isArray(inner)) for (const each of inner) yield* innerSteps(each);
  }
}

export function isPatternStep(step: unknown): step is PatternStep {
  return step instanceof Object && "pattern" in step && step.pattern instanceof RegExp && hasPattern(step);
}

const hasPattern = (step: object): boolean =>
  "config" in step &&
  step.config instanceof Object &&
  "pattern" in step.config &&
  step.config.pattern instanceof Object;

/**
 * Lets a step find its pattern by a matcher that no pattern keeps busy, where the library would let JavaScript backtrack;
 * what it splits off and replaces is what the Rust library does.
 */
export function boundStep(step: PatternStep): void {
  const find = finder(step);
  const { content = "", type } = step.config;
  if (type === "Split") step.pre_tokenize_text = (text) => split(text, find(text), step.config);
  else if (step.normalize) step.normalize = (text) => replaced(text, find(text), content);
  else if (step.decode_chain)
    step.decode_chain = (tokens) => tokens.map((token) => replaced(token, find(token), content));
  else step.pre_tokenize_text = (text) => [replaced(text, find(text), content)];
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The places of a step's pattern; the library has written a regular expression of the file's in JavaScript's words. */
function finder({ pattern, config }: PatternStep): (text: string) => Iterable<Span> {
  const literal = config.pattern.String;
  return literal === undefined
    ? compilePattern(pattern.source, "javascript").findAll
    : (text) => literals(text, literal);
}

function* literals(text: string, literal: string): Generator<Span> {
  for (let start = text.indexOf(literal); start >= 0; start = text.indexOf(literal, start + literal.length))
    yield { start, end: start + literal.length };
}

/** A text may grow on its way, but not without end. */
const longestText = 2 ** 24;

function replaced(text: string, spans: Iterable<Span>, content: string): string {
  const pieces: string[] = [];
  let [at, length] = [0, text.length];
  for (const { start, end } of spans) {
    length += content.length - (end - start);
    if (length > longestText && length > 4 * text.length)
      throw new InputError(`the tokenizer makes more than ${longestText} characters of a text of ${text.length}`);
    pieces.push(text.slice(at, start), content);
    at = end;
  }
  return at === 0 && pieces.length === 0 ? text : `${pieces.join("")}${text.slice(at)}`;
}

interface Part extends Span {
  readonly found: boolean;
}

/** What a text is split into, by how what is found goes with what is around it. */
function split(
  text: string,
  spans: Iterable<Span>,
  { behavior = "Isolated", invert = false }: PatternStep["config"],
): string[] {
  const parts = partsOf(text, spans).map((part) => ({ ...part, found: part.found !== invert }));
  const joined = joins[behavior.toLowerCase()]?.(parts) ?? parts;
  return joined.filter(({ start, end }) => end > start).map(({ start, end }) => text.slice(start, end));
}

function partsOf(text: string, spans: Iterable<Span>): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const { start, end } of spans) {
    if (at < start) parts.push({ start: at, end: start, found: false });
    parts.push({ start, end, found: true });
    at = end;
  }
  return at < text.length ? [...parts, { start: at, end: text.length, found: false }] : parts;
}

const joins: Readonly<Record<string, (parts: readonly Part[]) => readonly Part[]>> = {
  removed: (parts) => parts.filter(({ found }) => !found),
  mergedwithprevious: (parts) => merged(parts, (part, before) => part.found && !before.found),
  mergedwithnext: (parts) => merged(parts, (part, before) => before.found && !part.found),
  contiguous: (parts) => merged(parts, (part, before) => part.found === before.found),
};

/** Puts a part to the one before it where that is asked for. */
function merged(parts: readonly Part[], together: (part: Part, before: Part) => boolean): readonly Part[] {
  const out: { start: number; end: number }[] = [];
  let before: Part | undefined;
  for (const part of parts) {
    const last = out.at(-1);
    if (last && before && together(part, before)) last.end = part.end;
    else out.push({ start: part.start, end: part.end });
    before = part;
  }
  return out.map((span) => ({ ...span, found: false }));
}
