import { createInterface } from "node:readline/promises";
import { type ChatMessage, generate, InputError, type OpenModel } from "@petl/core";
import { text } from "../flags/flags.ts";
import { generationFlags, givenSettings } from "./generation-flags.ts";
import { modelFlags, withModel } from "./open.ts";
import { type Context, defineVerb } from "./verb.ts";

export const chatVerb = defineVerb({
  name: "chat",
  group: "Ask and measure",
  summary: "a conversation in the terminal: a line is a turn, the answer comes token by token",
  flags: {
    base: modelFlags.base,
    adapter: modelFlags.adapter,
    system: text("TEXT", "what the model is told before the first turn"),
    ...generationFlags,
    offline: modelFlags.offline,
    threads: modelFlags.threads,
    activations: modelFlags.activations,
  },
  examples: [
    "chat --base Qwen/Qwen2.5-0.5B-Instruct",
    'chat --base my-base --adapter my-adapter --system "Answer in one sentence." --temperature 0.7',
  ],
  async run({ flags, json }, context) {
    const task = flags.adapter === undefined ? "causal-lm" : undefined;
    await withModel({ ...flags, task, labels: undefined }, context, async (model) => {
      if (!model.base.tokenizer?.chatTemplate)
        throw new InputError(
          `${model.base.name} has no chat template, so that it holds no conversations; petl generate goes on with a text`,
        );
      const first: readonly ChatMessage[] =
        flags.system === undefined ? [] : [{ role: "system", content: flags.system }];
      await converse(model, first, { ...givenSettings(flags), signal: context.signal }, context, json);
    });
  },
});

const commands = "/reset forgets what was said, /exit (or Ctrl-D) ends";

/** Turns until the lines end: each line is the user's, each answer is told as it comes and then remembered. */
async function converse(
  model: OpenModel,
  first: readonly ChatMessage[],
  given: object & { readonly signal: AbortSignal },
  context: Context,
  json: boolean,
): Promise<void> {
  if (process.stdin.isTTY) context.terminal.line(commands);
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: process.stdin.isTTY });
  lines.setPrompt("> ");
  const closed = () => lines.close();
  given.signal.addEventListener("abort", closed);
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    let said = first;
    if (process.stdin.isTTY) lines.prompt();
    for await (const line of lines) {
      if (line.trim() === "/exit") return;
      if (line.trim() === "/reset") said = first;
      else if (line.trim() !== "") {
        const asked = [...said, { role: "user", content: line }];
        said = [...asked, { role: "assistant", content: await answer(model, asked, given, context, json) }];
      }
      if (process.stdin.isTTY) lines.prompt();
    }
    given.signal.throwIfAborted();
  } finally {
    given.signal.removeEventListener("abort", closed);
    lines.close();
  }
}

/** The assistant's turn: for readers piece by piece, as JSON a line. */
async function answer(
  model: OpenModel,
  messages: readonly ChatMessage[],
  given: object,
  context: Context,
  json: boolean,
): Promise<string> {
  let content = "";
  for await (const { text: piece } of generate(model, { messages }, given)) {
    content += piece;
    if (!json) await context.write(piece);
  }
  await context.write(json ? `${JSON.stringify({ role: "assistant", content })}\n` : "\n");
  return content;
}
