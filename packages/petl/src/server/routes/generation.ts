import { randomInt } from "node:crypto";
import type { GeneratedToken } from "@petl/core";
import { type GenerateOptions, heads, idsOf, objectiveOf, trainedRow } from "@petl/core";
import { z } from "zod";
import type { BankPrompt } from "../../library/bank.ts";
import { HttpError, possible } from "../http-error.ts";
import { bankNameOf } from "../models.ts";
import { json, type Reply, type RouteCall } from "../route.ts";
import { inTurns, note } from "../service.ts";

/** What completions and chats are told alike. What would change the answer and is not done here is refused. */
export const generationFields = {
  model: z.string(),
  max_tokens: z.int().positive().nullish(),
  /** left out or 0: the likeliest token */
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().positive().nullish(),
  n: z.int().min(1).max(16).nullish(),
  seed: z.int().nonnegative().nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  presence_penalty: z.literal(0).nullish(),
  frequency_penalty: z.literal(0).nullish(),
  logit_bias: z.strictObject({}).nullish(),
  user: z.string().nullish(),
  metadata: z.unknown().optional(),
  store: z.boolean().nullish(),
};
const fields = z.object(generationFields);
type Fields = Readonly<z.infer<typeof fields>>;

/** How an answer is written, whole and in pieces. */
export interface AnswerShape {
  readonly id: string;
  /** of the whole and of its pieces */
  readonly objects: readonly [whole: string, piece: string];
  choice(index: number, text: string, finish: string): object;
  /** pieces that open a choice */
  opening(index: number): readonly object[];
  piece(index: number, text: string, finish: string | null): object;
}

/** Goes on with prompts, each `n` times, and answers at once or token by token. */
export async function answerGeneration(
  { service, tenant, signal }: RouteCall,
  given: Fields,
  prompts: readonly BankPrompt["prompt"][],
  most: number,
  shape: AnswerShape,
): Promise<Reply> {
  const { bank, models, gate, maxBatch } = service;
  const name = bankNameOf(models, given.model, tenant);
  const model = await possible(() => bank.model(name));
  const { task } = model.adapted.goal;
  if (!heads[objectiveOf(task).head].goesOn)
    throw new HttpError(422, `${given.model} is for ${task}, and does not go on with texts`, { param: "model" });
  const lengths = prompts.map((prompt, row) => idsOf(model, prompt, row).length);
  const promptTokens = lengths.reduce((sum, length) => sum + length, 0);
  const context = trainedRow(model.adapted);
  const tooLong = lengths.find((length) => length >= context);
  if (tooLong !== undefined) throw beyondContext(tooLong, context);
  const options = optionsOf(given);
  const rows = prompts.flatMap((prompt, at) =>
    Array.from({ length: given.n ?? 1 }, (_, copy) => ({
      row: { adapter: model, prompt },
      how: {
        ...options,
        maxTokens: Math.min(given.max_tokens ?? most, context - (lengths[at] ?? 0)),
        seed: options.seed + copy,
        signal,
      },
    })),
  );
  const head = { id: shape.id, created: Math.floor(Date.now() / 1000), model: given.model };
  const usageOf = (written: number) => {
    note(service, tenant, promptTokens, written, rows.length);
    return { prompt_tokens: promptTokens, completion_tokens: written, total_tokens: promptTokens + written };
  };
  if (given.stream) {
    const leave = gate.enter(rows.length);
    signal.addEventListener("abort", leave);
    const told = streamed(
      rows.map(({ row, how }) => bank.stream(row, how)),
      { ...head, object: shape.objects[1] },
      { shape, usageOf, withUsage: given.stream_options?.include_usage === true, leave },
    );
    return { kind: "events", events: await begun(told) };
  }
  const found = await gate.through(Math.min(rows.length, maxBatch), () =>
    inTurns(rows, maxBatch, (some) => Promise.all(some.map(({ row, how }) => whole(bank.stream(row, how)))), signal),
  );
  const usage = usageOf(found.reduce((sum, { tokens }) => sum + tokens, 0));
  const choices = found.map(({ text, finish }, index) => shape.choice(index, text, finish));
  return json({ ...head, object: shape.objects[0], choices, usage });
}

/** Positions may go on for ever, a server's memory does not: texts are as long as those that the base has seen. */
const beyondContext = (tokens: number, context: number): HttpError =>
  new HttpError(400, `a prompt has ${tokens} tokens; the model's context is ${context}, new ones included`, {
    code: "context_length_exceeded",
  });

function optionsOf(given: Fields): GenerateOptions & { readonly seed: number } {
  const { temperature, top_p: topP, top_k: topK, stop } = given;
  const draws = temperature !== 0 && topP !== 0;
  return {
    seed: given.seed ?? randomInt(2 ** 31),
    ...(draws && temperature != null && { temperature }),
    ...(draws && topP != null && { topP }),
    ...(draws && topK != null && { topK }),
    ...(stop != null && { stop: typeof stop === "string" ? [stop] : stop }),
  };
}

const finishOf = (end: GeneratedToken["end"]): string => (end === "length" ? "length" : "stop");

async function whole(tokens: AsyncIterable<GeneratedToken>) {
  let [text, count, finish] = ["", 0, "length"];
  for await (const token of tokens) {
    text += token.text;
    count++;
    if (token.end) finish = finishOf(token.end);
  }
  return { text, tokens: count, finish };
}

interface Telling {
  readonly shape: AnswerShape;
  readonly usageOf: (written: number) => object;
  readonly withUsage: boolean;
  readonly leave: () => void;
}

async function* streamed(
  rows: readonly AsyncIterable<GeneratedToken>[],
  head: object,
  { shape, usageOf, withUsage, leave }: Telling,
): AsyncGenerator<string, void, void> {
  const event = (rest: object) => `data: ${JSON.stringify({ ...head, ...rest })}\n\n`;
  const usage = withUsage ? { usage: null } : {};
  let written = 0;
  try {
    for (const [index, tokens] of rows.entries()) {
      let opened = false;
      for await (const { text, end } of tokens) {
        if (!opened) for (const choice of shape.opening(index)) yield event({ choices: [choice], ...usage });
        opened = true;
        written++;
        if (text !== "") yield event({ choices: [shape.piece(index, text, null)], ...usage });
        if (end) yield event({ choices: [shape.piece(index, "", finishOf(end))], ...usage });
      }
    }
    const counted = usageOf(written);
    if (withUsage) yield event({ choices: [], usage: counted });
    yield "data: [DONE]\n\n";
  } finally {
    leave();
  }
}

/** The same events, the first of which is there: what goes wrong before it is an ordinary error. */
async function begun(events: AsyncGenerator<string, void, void>): Promise<AsyncIterable<string>> {
  const first = await events.next();
  return (async function* () {
    try {
      if (!first.done) yield first.value;
      yield* events;
    } finally {
      await events.return();
    }
  })();
}
