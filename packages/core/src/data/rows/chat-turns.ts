import type { ChatMessage, ChatTemplate } from "../tokenizer/chat-template.ts";
import type { Example } from "./examples.ts";

type Conversation = Extract<Example, { kind: "messages" }>;

/** Places of a text, from its first character up to the one behind its last. */
type Span = readonly [from: number, to: number];

/** A conversation as one text, with what of it is learnt. */
interface LearntText {
  readonly text: string;
  readonly spans: readonly Span[];
}

/**
 * What is learnt of a conversation: of each turn of the assistant what stands behind the generation prompt, up to the
 * turn's end; where the template marks it with `{% generation %}`, exactly that. Turns of weight 0 and those in front of
 * `learntFrom` are not learnt, nor those that the template writes in another way once more follow: `turnByTurn` makes
 * conversations of their own of these.
 */
export function learntSpans(example: Conversation, template: ChatTemplate): LearntText {
  const { messages, tools } = example;
  const marked = markedSpans(example, template);
  if (marked) return marked;
  const text = template(messages, { tools });
  const spans = learntTurns(example).map((turn) => turnSpan(example, turn, text, template));
  return { text, spans: spans.filter((span) => span !== undefined) };
}

/**
 * The conversations that are trained on for one: itself; or, where the template writes earlier turns otherwise than the
 * last one (Qwen 3 leaves out their thinking), one for each turn that is learnt, ending with it.
 */
export function turnByTurn(example: Conversation, template: ChatTemplate): readonly Conversation[] {
  const turns = learntTurns(example);
  if (turns.length === 0 || markedSpans(example, template)) return [example];
  const text = template(example.messages, { tools: example.tools });
  if (turns.every((turn) => turnSpan(example, turn, text, template))) return [example];
  return turns.map((turn) => ({ ...example, messages: example.messages.slice(0, turn + 1), learntFrom: turn }));
}

/** The numbers of the messages that are to be learnt. */
const learntTurns = ({ messages, learntFrom = 0 }: Conversation): readonly number[] =>
  [...messages.keys()].filter((turn) => turn >= learntFrom && isLearnt(messages[turn]));

const isLearnt = (message: (ChatMessage & { readonly weight?: unknown }) | undefined) =>
  message?.role === "assistant" && message.weight !== 0;

/** Where a turn stands in the whole text; undefined where the whole does not begin with the text up to the turn. */
function turnSpan(
  { messages, tools }: Conversation,
  turn: number,
  whole: string,
  template: ChatTemplate,
): Span | undefined {
  const write = (some: readonly ChatMessage[], reply = false) => template(some, { tools, reply });
  const upTo = messages.slice(0, turn + 1);
  const last = turn === messages.length - 1;
  const [bare, before] = turn === 0 ? ["", ""] : [write(messages.slice(0, turn)), write(messages.slice(0, turn), true)];
  const written = last ? whole : write(upTo);
  const closed = last ? whole : closedTurn(written, write(upTo, true), generationPrompt(bare, before));
  if (!whole.startsWith(closed)) return undefined;
  const common = shared(before, written);
  const begin = turn > 0 && common >= bare.length ? common : contentStart(upTo, written, write);
  return [Math.min(begin, closed.length), closed.length];
}

/** What a template writes to ask for a reply. */
const generationPrompt = (bare: string, asking: string): string =>
  asking.startsWith(bare) ? asking.slice(bare.length) : "";

/**
 * The text up to the end of its last turn, as it stands where more turns follow: without what is written behind all turns,
 * as Phi 3's end token, and with the end of a turn that is not the last one, as gpt-oss has one.
 */
function closedTurn(written: string, asking: string, prompt: string): string {
  if (prompt !== "" && asking.endsWith(prompt)) return asking.slice(0, -prompt.length);
  return written.slice(0, shared(written, asking));
}

/** Where the last message's own content begins: what stands in front is the same whatever the content is. */
function contentStart(
  messages: readonly ChatMessage[],
  written: string,
  write: (messages: readonly ChatMessage[]) => string,
): number {
  const saying = (content: string) =>
    write([...messages.slice(0, -1), { ...messages.at(-1), role: "assistant", content }]);
  return shared(written, saying("a").slice(0, shared(saying("a"), saying("b"))));
}

/** What the template marks itself; undefined where it marks nothing. */
function markedSpans(example: Conversation, template: ChatTemplate): LearntText | undefined {
  const { messages, tools } = example;
  const marked = template(messages, { tools, marks: true });
  const parts = marked.split(marks);
  if (parts.length < 3) return undefined;
  const learnt = learntTurns(example);
  const turns = messages.flatMap((message, turn) => (message.role === "assistant" ? [turn] : []));
  // a template may mark several parts of a turn: how many there are up to a turn's end says whose they are
  const marksUpTo = (turn: number) =>
    (template(messages.slice(0, turn + 1), { tools, marks: true }).split(marks).length - 1) / 2;
  const ends = learnt.length === turns.length ? [] : turns.map((turn) => ({ turn, end: marksUpTo(turn) }));
  const spans: Span[] = [];
  let length = 0;
  for (const [place, part] of parts.entries()) {
    const owner = ends.find(({ end }) => (place - 1) / 2 < end);
    if (place % 2 === 1 && (!owner || learnt.includes(owner.turn))) spans.push([length, length + part.length]);
    length += part.length;
  }
  return { text: parts.join(""), spans };
}

const marks = /[\uE000\uE001]/u;

/** How many characters two texts begin with in common. */
function shared(a: string, b: string): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count++;
  return count;
}
