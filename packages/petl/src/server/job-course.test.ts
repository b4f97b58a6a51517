import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTiny, testFolder, writeRows } from "../library/open-tiny.fake.ts";
import { type Serving, serve } from "./serve.ts";
import { smallServer, unwatched } from "./small-server.fake.ts";

const folder = testFolder();
const shared = join(folder, "shared");
let serving: Serving;
let file: string;

beforeAll(async () => {
  await (await openTiny(folder)).close();
  serving = await serve({ ...smallServer, base: join(folder, "base"), shared }, unwatched);
  const form = new FormData();
  form.set("purpose", "fine-tune");
  form.set("file", new Blob([readFileSync(writeRows(folder, "rows.csv"))]), "rows.csv");
  file = (await ask("/v1/files", form)).id;
});
afterAll(() => serving.end(2000));

async function ask(path: string, body?: unknown) {
  const sent = body instanceof FormData ? body : JSON.stringify(body);
  const response = await fetch(serving.url + path, body === undefined ? {} : { method: "POST", body: sent });
  expect(response.status, path).toBe(200);
  return response.json();
}

const jobs = "/v1/fine_tuning/jobs";

async function begun(steps: number): Promise<string> {
  const hyperparameters = {
    method: "lora",
    rank: 2,
    steps,
    batch: 4,
    threads: 1,
    log_every: 20,
    checkpoint_every: 100,
  };
  return (await ask(jobs, { model: "base", training_file: file, seed: 3, hyperparameters })).id;
}

interface JobEvent {
  readonly id: string;
  readonly message: string;
  readonly data: { readonly step?: number } | null;
}

/** A job's events as they come, from behind one of them. */
async function* followed(id: string, last?: string): AsyncGenerator<JobEvent, void, void> {
  const headers = { accept: "text/event-stream", ...(last !== undefined && { "last-event-id": last }) };
  const { body } = await fetch(`${serving.url}${jobs}/${id}/events`, { headers });
  let text = "";
  for await (const piece of (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const parts = (text + piece).split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}

/** Waits for the first steps behind one. */
async function trainsBehind(id: string, step: number): Promise<number> {
  for await (const { data } of followed(id)) if ((data?.step ?? 0) > step) return data?.step ?? 0;
  throw new Error("the job ended");
}

async function all(events: AsyncIterable<JobEvent>): Promise<readonly JobEvent[]> {
  const found: JobEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

const attempts = (id: string): readonly string[] => readdirSync(join(shared, "jobs", id, "attempts"));
const weights = (id: string): Buffer =>
  readFileSync(join(shared, "jobs", id, "attempts", attempts(id).at(-1) ?? "", "run", "adapter_model.safetensors"));

test("a job that was paused under way goes on when told, tells no step twice, and ends with the bytes of one that nobody disturbed", async () => {
  const [disturbed, other] = [await begun(800), await begun(800)];
  const before = await trainsBehind(disturbed, 0);
  expect((await ask(`${jobs}/${disturbed}/pause`, {})).status).toBe("paused");
  expect((await ask(`${jobs}/${disturbed}`)).status).toBe("paused");
  await all(followed(other));
  expect((await ask(`${jobs}/${disturbed}/resume`, {})).status).not.toBe("paused");
  const events = await all(followed(disturbed));
  expect(events.at(-1)?.message).toMatch(/has succeeded/);
  const steps = events.flatMap(({ data }) => data?.step ?? []);
  expect(steps).toEqual(Array.from({ length: 40 }, (_, at) => 20 * (at + 1)));
  expect(before).toBeLessThan(800);
  expect(attempts(disturbed)).toHaveLength(2);
  expect(weights(disturbed).equals(weights(other))).toBe(true);
  const [half] = events.slice(20);
  expect(await all(followed(disturbed, half?.id))).toEqual(events.slice(21));
}, 120_000);

test("a job that is cancelled while it trains ends at once, and nothing is told behind its end", async () => {
  const id = await begun(1_000_000);
  await trainsBehind(id, 0);
  expect((await ask(`${jobs}/${id}/cancel`, {})).status).toBe("cancelled");
  const events = await all(followed(id));
  expect(events.at(-1)?.message).toBe("The job was cancelled");
  await expect.poll(() => readdirSync(join(shared, "jobs", id, "claims")), { timeout: 30_000 }).toContain("1.released");
  expect(await all(followed(id))).toEqual(events);
  expect((await ask(`${jobs}/${id}`)).fine_tuned_model).toBeNull();
}, 120_000);
