import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { complete, unadapted } from "@petl/core";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBase } from "../library/open-base.ts";
import { testFolder } from "../library/open-tiny.fake.ts";
import { writeTinyDecoder } from "../library/tiny-decoder.fake.ts";
import { type Serving, serve } from "./serve.ts";
import { smallServer, unwatched } from "./small-server.fake.ts";

const folder = testFolder();
const template =
  "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";
const messages = [{ role: "user", content: "a fine film" }] as const;
let serving: Serving;
let client: OpenAI;
let expected: string | undefined;
let model: string;

beforeAll(async () => {
  const base = await writeTinyDecoder(folder, ["a fine film", "so dull a song", "user: assistant:"]);
  writeFileSync(join(base, "chat_template.jinja"), template);
  const open = await openBase(base, { threads: 1 });
  for await (const { text } of complete(await unadapted(open), ["a fine"], { maxTokens: 5 })) expected = text;
  await open.close();
  serving = await serve({ ...smallServer, base, shared: join(folder, "shared") }, unwatched);
  client = new OpenAI({ baseURL: `${serving.url}/v1`, apiKey: "none", maxRetries: 0 });
  model = (await client.models.list()).data[0]?.id ?? "";
});
afterAll(() => serving.end(2000));

test("OpenAI's client lists models, goes on with texts and chats, at once and as a stream, and gets vectors", async () => {
  expect((await client.models.retrieve(model)).id).toBe(model);
  const asked = { model, prompt: ["a fine", "so dull"], max_tokens: 5, temperature: 0 };
  const { choices, usage } = await client.completions.create(asked);
  expect(choices.map(({ index }) => index)).toEqual([0, 1]);
  expect(choices[0]?.text).toBe(expected);
  expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
  const pieces: string[] = ["", ""];
  for await (const { choices: some } of await client.completions.create({ ...asked, stream: true }))
    for (const { index, text } of some) pieces[index] += text;
  expect(pieces).toEqual(choices.map(({ text }) => text));
  const chat = { model, messages: [...messages], max_tokens: 6, temperature: 0 };
  const whole = await client.chat.completions.create(chat);
  let streamed = "";
  for await (const {
    choices: [choice],
  } of await client.chat.completions.create({ ...chat, stream: true }))
    streamed += choice?.delta.content ?? "";
  expect(streamed).toBe(whole.choices[0]?.message.content);
  const { data } = await client.embeddings.create({ model, input: ["a fine film", "a"] });
  expect(data.map(({ embedding }) => embedding.length)).toEqual([32, 32]);
  const long = client.completions.create({ model, prompt: Array.from({ length: 5000 }, () => 5), max_tokens: 1 });
  await expect(long).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
  const { choices: ended } = await client.completions.create({ model, prompt: "a", max_tokens: 10 ** 9, stop: "q" });
  expect(["length", "stop"]).toContain(ended[0]?.finish_reason); // at the context's end, not never
  await expect(client.models.retrieve("nobody")).rejects.toMatchObject({ status: 404 });
});

test("OpenAI's client uploads rows, follows a fine-tuning job to its adapter, asks it and deletes it", async () => {
  const rows =
    `${JSON.stringify({ messages: [...messages, { role: "assistant", content: "so dull a song" }] })}\n`.repeat(4);
  const file = await client.files.create({ purpose: "fine-tune", file: await toFile(Buffer.from(rows), "rows.jsonl") });
  expect(await (await client.files.content(file.id)).text()).toBe(rows);
  const hyperparameters = { n_epochs: 2, batch_size: 2, method: "lora", rank: 2, threads: 1, checkpoint_every: 2 };
  const { id, status } = await client.fineTuning.jobs.create({ model, training_file: file.id, hyperparameters });
  expect(["queued", "validating_files", "running"]).toContain(status);
  let job = await client.fineTuning.jobs.retrieve(id);
  while (!["succeeded", "failed", "cancelled"].includes(job.status)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    job = await client.fineTuning.jobs.retrieve(id);
  }
  expect(job.status, JSON.stringify(job.error)).toBe("succeeded");
  const events = [];
  for await (const event of client.fineTuning.jobs.listEvents(id, { limit: 2 })) events.push(event);
  expect(events.filter(({ message }) => message.includes("succeeded"))).toHaveLength(1);
  const adapter = job.fine_tuned_model ?? "";
  const checkpoints = [];
  for await (const each of client.fineTuning.jobs.checkpoints.list(id))
    checkpoints.push([each.step_number, each.fine_tuned_model_checkpoint]);
  expect(checkpoints).toEqual([
    [4, adapter],
    [2, null],
  ]);
  const answer = await client.chat.completions.create({ model: adapter, messages: [...messages], max_tokens: 3 });
  expect(answer.model).toBe(adapter);
  await expect(client.fineTuning.jobs.cancel(id)).rejects.toMatchObject({ status: 409 });
  expect((await client.models.delete(adapter)).deleted).toBe(true);
  expect((await client.models.list()).data.map((each) => each.id)).toEqual([model]);
}, 240_000);
