import { InputError } from "../errors.ts";
import type { ExampleSet } from "./examples.ts";

/** A prompt and every completion that rows have for it. */
export interface Prompt {
  readonly prompt: string;
  readonly references: readonly string[];
}

/**
 * The prompts of a data set, each once, in the order in which they first come: E2E's rows say the same in several ways.
 * @throws InputError for rows that are no prompts with completions
 */
export function promptsOf({ name, examples }: ExampleSet): readonly Prompt[] {
  const references = new Map<string, string[]>();
  for (const example of examples) {
    if (example.kind !== "completion")
      throw new InputError(`${name} holds no completions to score texts by; its rows need "prompt" and "completion"`);
    const known = references.get(example.prompt);
    if (known) known.push(example.completion);
    else references.set(example.prompt, [example.completion]);
  }
  return [...references].map(([prompt, completions]) => ({ prompt, references: completions }));
}
