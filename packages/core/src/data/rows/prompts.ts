import { InputError } from "../../errors.ts";
import type { ChatMessage } from "../tokenizer/chat-template.ts";
import type { Example, ExampleSet } from "./examples.ts";

/** What a model is to go on with, and every text that rows have for it. */
export interface Prompt {
  readonly prompt: string | Conversation;
  readonly references: readonly string[];
}

/** Turns that the assistant is to go on with. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** what the assistant may call */
  readonly tools?: readonly unknown[] | undefined;
}

/**
 * The prompts of a data set, each once, in the order in which they first come: E2E's rows say the same in several ways.
 * Of a conversation the assistant's last turn is the text, and all in front of it the prompt.
 *
 * @throws InputError for rows that are neither prompts with completions nor conversations that end with the assistant
 */
export function promptsOf({ name, examples }: ExampleSet): readonly Prompt[] {
  const found = new Map<string, { readonly prompt: Prompt["prompt"]; readonly references: string[] }>();
  for (const example of examples) {
    const asked = askedOf(example);
    if (!asked)
      throw new InputError(
        `${name} holds no completions to score texts by; its rows need "prompt" and "completion", or "messages" whose last is the assistant's`,
      );
    const key = JSON.stringify(asked.prompt);
    const known = found.get(key);
    if (known) known.references.push(asked.text);
    else found.set(key, { prompt: asked.prompt, references: [asked.text] });
  }
  return [...found.values()];
}

function askedOf(example: Example): { readonly prompt: Prompt["prompt"]; readonly text: string } | undefined {
  if (example.kind === "completion") return { prompt: example.prompt, text: example.completion };
  if (example.kind !== "messages") return undefined;
  const { role, content } = example.messages.at(-1) ?? {};
  if (role !== "assistant" || typeof content !== "string") return undefined;
  return { prompt: { messages: example.messages.slice(0, -1) }, text: content };
}
