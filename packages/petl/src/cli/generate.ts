import { type ExampleSet, InputError } from "@petl/core";
import { z } from "zod";
import { readData } from "../data.ts";
import { complete, generate, type PromptInput } from "../library/generate.ts";
import type { OpenModel } from "../library/model.ts";
import { count, number, text, texts } from "./flags.ts";
import { modelFlags, rowFlags, withModel } from "./open.ts";
import { type Context, defineVerb } from "./verb.ts";

const optional = (schema: z.ZodNumber, placeholder: string, help: string) =>
  number(schema.optional(), placeholder, help);

export const generateVerb = defineVerb({
  name: "generate",
  summary: "go on with texts, a JSON line for each",
  flags: {
    base: modelFlags.base,
    adapter: modelFlags.adapter,
    prompt: texts("TEXT", "a text to go on with; several may be given"),
    input: text("FILE", 'rows of {"prompt"} or {"input_ids"}'),
    maxTokens: count("new tokens at most (128)"),
    temperature: optional(
      z.number().nonnegative(),
      "X",
      "draw tokens; below 1 likely ones become likelier (0: take the likeliest)",
    ),
    topK: count("draw among the K likeliest tokens"),
    topP: optional(
      z.number().positive().max(1),
      "P",
      "draw among the likeliest tokens that have this probability together",
    ),
    repetitionPenalty: optional(
      z.number().positive(),
      "X",
      "above 1: tokens that are there already become less likely (1)",
    ),
    noRepeatNgramSize: count("no run of so many tokens comes twice"),
    beams: count("follow so many texts at once, in search of the likeliest one (1)"),
    lengthPenalty: number(
      z.number().optional(),
      "X",
      "texts of beams are compared by log-probability / tokens^X: above 0 longer ones gain (1)",
    ),
    earlyStopping: {
      schema: z.preprocess(
        (value) => (value === "true" || value === "false" ? value === "true" : value),
        z.union([z.boolean(), z.literal("never")], { error: "is none of true, false, never" }).optional(),
      ),
      placeholder: "WHEN",
      help: "end a search with as many ended texts as beams (true), when none running is worth more (false), or when none can become so (never) (false)",
    },
    seed: number(z.int().nonnegative().optional(), "N", "seed of what is drawn (0)"),
    stop: texts("TEXT", "a text that ends the generation; several may be given"),
    batch: rowFlags.batch,
    offline: modelFlags.offline,
    threads: modelFlags.threads,
  },
  examples: [
    'generate --base models/tiny-llama --prompt "Once upon a time" --max-tokens 50',
    "generate --base models/tiny-llama --adapter out --input prompts.jsonl --temperature 0.8 --top-p 0.9 --seed 1",
    "generate --base models/tiny-llama --adapter out --input prompts.jsonl --beams 10 --length-penalty 0.9 --no-repeat-ngram-size 4",
  ],
  async run({ flags, json }, context) {
    const { base, adapter, prompt, input, offline, threads, ...how } = flags;
    const all = { ...how, signal: context.signal };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const prompts = await promptsFrom({ prompt, input });
    const task = adapter === undefined ? "causal-lm" : undefined;
    await withModel({ base, adapter, offline, threads, task, labels: undefined }, context, async (model) => {
      const [only, ...others] = prompts;
      const read = !json && process.stdout.isTTY && others.length === 0 && model.base.tokenizer !== undefined;
      if (read && only !== undefined) return streamed(model, only, given, context);
      for await (const completion of complete(model, prompts, given)) await context.print(JSON.stringify(completion));
    });
  },
});

/** For readers: each piece of the text as soon as it is there. */
async function streamed(
  model: OpenModel,
  prompt: PromptInput,
  { batch: _, ...given }: object & { batch?: unknown },
  context: Context,
) {
  for await (const { text } of generate(model, prompt, given)) await context.write(text);
  await context.write("\n");
}

interface Prompts {
  readonly prompt: readonly string[];
  readonly input: string | undefined;
}

/** The prompts of the command line, or those of a file. */
async function promptsFrom({ prompt, input }: Prompts): Promise<readonly PromptInput[]> {
  if ((input === undefined) === (prompt.length === 0))
    throw new InputError("give prompts with --prompt, or a file with --input");
  if (input === undefined) return prompt;
  const { examples, name } = (await readData([input], {})).set;
  return examples.map((example) => promptOf(example, name));
}

/** What a row begins with; tokens that its mask leaves out are no part of it. */
function promptOf(example: ExampleSet["examples"][number], file: string): PromptInput {
  switch (example.kind) {
    case "text":
      return example.text;
    case "completion":
      return example.prompt;
    case "tokens":
      return example.inputIds.filter((_, token) => example.attentionMask?.[token] !== 0);
    case "words":
      throw new InputError(`${file} holds words; give rows of {"prompt"} or {"input_ids"}`);
  }
}
