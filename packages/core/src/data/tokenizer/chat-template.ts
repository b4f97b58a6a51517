import { parse, tokenize } from "@huggingface/jinja";
import { InputError } from "../../errors.ts";
import { generation, templateLimits as running, runTemplate } from "./chat/interpreter.ts";
import type { TemplateNode } from "./chat/nodes.ts";
import { strftime } from "./chat/strftime.ts";
import {
  type Arguments,
  asValue,
  type Callable,
  isList,
  isMapping,
  pythonText,
  type TemplateValue,
} from "./chat/values.ts";

/** One turn of a conversation; templates may read more of it than role and content. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
}

/** A part of a message's content. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** What a template writes of a conversation. */
interface TemplateOptions {
  /** up to where the assistant's next turn begins */
  readonly reply?: boolean | undefined;
  /** the functions that the assistant may call, as JSON schemas */
  readonly tools?: readonly unknown[] | null | undefined;
  /** U+E000 in front of what stands in `{% generation %}` and U+E001 behind it */
  readonly marks?: boolean | undefined;
  /** what the template takes for the present; the clock's where left out */
  readonly now?: Date | undefined;
}

/**
 * Writes a conversation as one text.
 * @throws InputError with what the template says of conversations that it refuses, or where it does too much
 */
export type ChatTemplate = (messages: readonly ChatMessage[], options?: TemplateOptions) => string;

/** Templates come with checkpoints, from anyone: what one may be. */
const limits = { source: 65_536, blanks: 1000 } as const;

/** Around what the template says that the assistant generates. */
const marked = ["\ue000", "\ue001"] as const;
const unmarked = ["", ""] as const;

/**
 * A checkpoint's Jinja template as Python's `apply_chat_template` renders it.
 *
 * @param tokens special tokens by their names, `bos_token`
 * @throws InputError for a template that can't be parsed or is too large
 */
export function chatTemplate(source: string, tokens: Readonly<Record<string, string>>): ChatTemplate {
  if (source.length > limits.source)
    throw new InputError(`the chat template has ${source.length} characters; ${limits.source} are allowed`);
  if (new RegExp(`\\s{${limits.blanks}}`).test(source))
    throw new InputError(`the chat template holds ${limits.blanks} blanks in a row`);
  const program = attempt("can't be read", () => parsed(withCalls(source.replace(/\r\n?/g, "\n"))));
  return (messages, options = {}) =>
    attempt("failed", () =>
      runTemplate(program, namesOf(messages, tokens, options), options.marks ? marked : unmarked),
    );
}

function parsed(source: string): TemplateNode {
  return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })) as unknown as TemplateNode;
}

/** The tag {% generation %}, which the library leaves out, as a block of a call that the interpreter knows. */
const withCalls = (source: string): string =>
  source
    .replace(/\{%([-+]?)\s*generation\s*([-+]?)%\}/g, `{%$1 call ${generation}() $2%}`)
    .replace(/\{%([-+]?)\s*endgeneration\s*([-+]?)%\}/g, "{%$1 endcall $2%}");

/** What a template's names stand for, as transformers gives them. */
function namesOf(
  messages: readonly ChatMessage[],
  tokens: Readonly<Record<string, string>>,
  { reply = false, tools, now }: TemplateOptions,
): ReadonlyMap<string, TemplateValue> {
  return new Map<string, TemplateValue>([
    ...Object.entries(globals),
    ["strftime_now", { call: ({ positional: [form] }) => strftime(pythonText(form), now ?? new Date()) }],
    ...Object.entries(tokens),
    ["messages", messages.map((message) => asValue(withoutNulls(message)))],
    ["tools", tools?.length ? asValue(tools) : null],
    ["documents", null],
    ["add_generation_prompt", reply],
  ]);
}

/** Rows of a table have a field for what any of them has: those that a message has not are null there. */
function withoutNulls(message: ChatMessage): object {
  return Object.fromEntries(
    Object.entries(message).filter(([name, value]) => name === "content" || (value !== null && value !== undefined)),
  );
}

const macro = (call: (given: Arguments) => TemplateValue): Callable => ({ call });

const globals: Readonly<Record<string, TemplateValue>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: macro(({ positional: [reason] }) => {
    throw new Error(pythonText(reason));
  }),
  range: macro(({ positional }) => rangeOf(positional)),
  namespace: macro(({ positional: [first], named }) => {
    const given = isMapping(first) ? [...first] : [];
    return { attributes: new Map([...given, ...named]) };
  }),
  dict: macro(({ positional: [first], named }) => {
    const pairs = isMapping(first) ? [...first] : isList(first) ? first.map(pairOf) : [];
    return new Map([...pairs, ...named]);
  }),
};

function pairOf(value: TemplateValue): readonly [string, TemplateValue] {
  if (isList(value) && value.length === 2) return [pythonText(value[0]), value[1]];
  throw new Error("dict needs pairs");
}

function rangeOf(bounds: readonly TemplateValue[]): readonly number[] {
  const numbers = bounds.map((bound) => {
    if (typeof bound === "number") return bound;
    throw new Error("range needs whole numbers");
  });
  const [start = 0, stop = 0, step = 1] = numbers.length === 1 ? [0, ...numbers] : numbers;
  if (step === 0) throw new Error("range() arg 3 must not be zero");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length <= running.items) return Array.from({ length }, (_, i) => start + i * step);
  throw new Error(`it counts to ${length}; ${running.items} is the most`);
}

/** Everything that a template throws is the user's to mend. */
function attempt<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new InputError(`the chat template ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
