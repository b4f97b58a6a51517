import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { InputError } from "../../errors.ts";

/** One turn of a conversation; templates may read more of it than role and content. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
}

/** What a template writes of a conversation. */
export interface TemplateOptions {
  /** up to where the assistant's next turn begins */
  readonly reply?: boolean | undefined;
  /** the functions that the assistant may call */
  readonly tools?: readonly unknown[] | undefined;
  /** U+E000 in front of what stands in `{% generation %}` and U+E001 behind it */
  readonly marks?: boolean | undefined;
}

/**
 * Writes a conversation as one text.
 * @throws InputError with what the template says of conversations that it refuses, or where it does too much
 */
export type ChatTemplate = (messages: readonly ChatMessage[], options?: TemplateOptions) => string;

/** Templates come with checkpoints, from anyone: what one may be, and do for one conversation. */
const limits = { source: 65_536, blanks: 1000, steps: 200_000, characters: 4_000_000, items: 10_000 } as const;

/**
 * A checkpoint's Jinja template as Python's `apply_chat_template` renders it, without the clock: `strftime_now` is not
 * defined, since what a model is trained on must not depend on the day.
 *
 * @param tokens special tokens by their names, `bos_token`
 * @throws InputError for a template that can't be parsed or is too large
 */
export function chatTemplate(source: string, tokens: Readonly<Record<string, string>>): ChatTemplate {
  if (source.length > limits.source)
    throw new InputError(`the chat template has ${source.length} characters; ${limits.source} are allowed`);
  if (new RegExp(`\\s{${limits.blanks}}`).test(source))
    throw new InputError(`the chat template holds ${limits.blanks} blanks in a row`);
  const read = (text: string) =>
    attempt("can't be read", () => parse(tokenize(text, { lstrip_blocks: true, trim_blocks: true })));
  const program = read(source);
  const marked = withMarks(source);
  const marking = marked === source ? program : read(marked);
  return (messages, { reply = false, tools, marks = false } = {}) =>
    attempt("failed", () => {
      const scope = new Environment();
      const given = {
        ...globals,
        ...tokens,
        messages,
        tools: tools ?? null,
        documents: null,
        add_generation_prompt: reply,
      };
      for (const [name, value] of Object.entries(given)) scope.set(name, value);
      const text = bounded(new Interpreter(scope)).run(marks ? marking : program).value;
      if (typeof text === "string") return text;
      throw new Error("it wrote no text");
    });
}

/** The template with marks in place of the tags around what the assistant generates. */
const withMarks = (source: string): string =>
  source.replace(
    /\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}/g,
    (_, left: string, end: string | undefined, right: string) => {
      const mark = end ? "\uE001" : "\uE000";
      return `{%${left} if true %}{{ "${mark}" }}{% endif ${right}%}`;
    },
  );

const globals = {
  ...{ true: true, false: false, none: null, True: true, False: false, None: null },
  raise_exception(reason: unknown): never {
    throw new Error(String(reason));
  },
  range(first: number, end?: number, step = 1) {
    const [start, stop] = end === undefined ? [0, first] : [first, end];
    const length = Math.max(0, Math.ceil((stop - start) / step));
    if (length <= limits.items) return Array.from({ length }, (_, i) => start + i * step);
    throw new Error(`it counts to ${length}; ${limits.items} is the most`);
  },
};

/** What is used of the library's interpreter, whose declarations Node's rules don't resolve. */
interface TemplateInterpreter {
  evaluate(statement: unknown, scope: unknown): { readonly value: unknown };
  run(program: unknown): { readonly value: unknown };
}

/** An interpreter that ends after so many steps, and with values that are too large. */
function bounded(interpreter: TemplateInterpreter): TemplateInterpreter {
  const evaluate = interpreter.evaluate.bind(interpreter);
  let steps = 0;
  interpreter.evaluate = (statement, scope) => {
    if (++steps > limits.steps) throw new Error(`it takes more than ${limits.steps} steps`);
    const result = evaluate(statement, scope);
    const { value } = result;
    if (typeof value === "string" && value.length > limits.characters)
      throw new Error(`it writes more than ${limits.characters} characters`);
    if (Array.isArray(value) && value.length > limits.items)
      throw new Error(`it makes a list of more than ${limits.items} items`);
    return result;
  };
  return interpreter;
}

/** Everything that a template throws is the user's to mend. */
function attempt<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new InputError(`the chat template ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
