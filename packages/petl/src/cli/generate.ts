import { complete, type ExampleSet, generate, InputError, type OpenModel, type PromptInput } from "@petl/core";
import { text, texts } from "../flags/flags.ts";
import { generationFlags, givenSettings } from "./generation-flags.ts";
import { modelFlags, rowFlags, withModel } from "./open.ts";
import { type Context, defineVerb } from "./verb.ts";

export const generateVerb = defineVerb({
  name: "generate",
  group: "Ask and measure",
  summary: "go on with texts, a JSON line for each",
  flags: {
    base: modelFlags.base,
    adapter: modelFlags.adapter,
    prompt: texts("TEXT", "a text to go on with; several may be given"),
    input: text("FILE", 'rows of {"prompt"}, {"messages"} or {"input_ids"}'),
    ...generationFlags,
    batch: rowFlags.batch,
    offline: modelFlags.offline,
    threads: modelFlags.threads,
    device: modelFlags.device,
    activations: modelFlags.activations,
  },
  examples: [
    'generate --base models/tiny-llama --prompt "Once upon a time" --max-tokens 50',
    "generate --base models/tiny-llama --adapter out --input prompts.jsonl --temperature 0.8 --top-p 0.9 --seed 1",
    "generate --base models/tiny-llama --adapter out --input prompts.jsonl --beams 10 --length-penalty 0.9 --no-repeat-ngram-size 4 --repetition-ignores-prompt",
  ],
  async run({ flags, json }, context) {
    const given = { ...givenSettings(flags), batch: flags.batch, signal: context.signal };
    const prompts = await promptsFrom(flags);
    const task = flags.adapter === undefined ? "causal-lm" : undefined;
    await withModel({ ...flags, task, labels: undefined }, context, async (model) => {
      const [only, ...others] = prompts;
      const read = !json && process.stdout.isTTY && others.length === 0 && model.base.tokenizer !== undefined;
      if (read && only !== undefined) return streamed(model, only, given, context);
      for await (const { finishReason, ...completion } of complete(model, prompts, given))
        await context.print(JSON.stringify({ ...completion, finish_reason: finishReason }));
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
  for await (const { text: piece } of generate(model, prompt, given)) await context.write(piece);
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
  const { readInput } = await import("../data/read-data.ts"); // a prompt of --prompt needs none of it
  const { examples, name } = (await readInput(input)).set;
  return examples.map((example) => promptOf(example, name));
}

/** What a row begins with; tokens that its mask leaves out are no part of it. */
function promptOf(example: ExampleSet["examples"][number], file: string): PromptInput {
  switch (example.kind) {
    case "text":
      return example.text;
    case "completion":
      return example.prompt;
    case "messages":
      return { messages: example.messages, tools: example.tools };
    case "tokens":
      return example.inputIds.filter((_, token) => example.attentionMask?.[token] !== 0);
    case "words":
      throw new InputError(`${file} holds words; give rows of {"prompt"} or {"input_ids"}`);
  }
}
