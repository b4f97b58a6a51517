import { z } from "zod";
import type { JobFolder } from "../../jobs/job-folder.ts";
import type { StoredEvent } from "../../jobs/job-record.ts";
import { jsonBody, parsedAs } from "../body.ts";
import { HttpError, noSuch } from "../http-error.ts";
import { flagsOf } from "../hyperparameters.ts";
import { checkpointsOf } from "../job-desk.ts";
import { pageOf } from "../pages.ts";
import { json, type Route, type RouteCall } from "../route.ts";
import type { Service } from "../service.ts";

const hyperparameters = z.record(z.string(), z.unknown());

const request = z.strictObject({
  model: z.string(),
  training_file: z.string(),
  validation_file: z.string().nullish(),
  hyperparameters: hyperparameters.nullish(),
  method: z
    .strictObject({
      type: z.literal("supervised"),
      supervised: z.strictObject({ hyperparameters: hyperparameters.nullish() }).nullish(),
    })
    .nullish(),
  suffix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, "is no name of letters, digits and . _ -")
    .nullish(),
  seed: z
    .int()
    .nonnegative()
    .max(2 ** 32 - 1)
    .nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  integrations: z.array(z.never()).nullish(),
});

/** Accepts a job; its adapter has the bytes that `petl train` with its flags would write. */
export const createJob: Route = {
  verb: "POST",
  path: "/v1/fine_tuning/jobs",
  access: "tenant",
  body: "json",
  async answer({ service, tenant, headers, body }) {
    const given = parsedAs(request, jsonBody(body));
    const { files, models, jobs, shelf } = service;
    const { adapter } = models.asked(given.model, tenant);
    if (given.hyperparameters && given.method?.supervised?.hyperparameters)
      throw new HttpError(400, "hyperparameters are said twice, in `method` and beside it", {
        param: "hyperparameters",
      });
    const said = given.hyperparameters ?? given.method?.supervised?.hyperparameters ?? {};
    const flags = flagsOf(said, given.seed ?? undefined, adapter !== null);
    const used = [given.training_file, ...(given.validation_file == null ? [] : [given.validation_file])];
    const data = used.map((id) => files.owned(id, tenant));
    const key = headers["idempotency-key"];
    const { job } = await jobs.accept(
      tenant,
      {
        model: given.model,
        training_file: given.training_file,
        flags,
        hyperparameters: said,
        data: data.map((file) => ({ path: files.pathOf(file), sha256: file.sha256 })),
        metadata: given.metadata ?? null,
        ...(given.validation_file != null && { validation_file: given.validation_file }),
        ...(adapter !== null && { init: await shelf.copyOf(adapter) }),
        ...(given.seed != null && { seed: given.seed }),
        ...(given.suffix != null && { suffix: given.suffix }),
      },
      typeof key === "string" ? { key, body } : undefined,
    );
    return json(await jobObject(service, job));
  },
};

export const listJobs: Route = {
  verb: "GET",
  path: "/v1/fine_tuning/jobs",
  access: "tenant",
  body: "none",
  async answer({ service, tenant, query }) {
    const all = service.jobs.ownedBy(tenant).map((job) => ({ id: job.record.id, job }));
    const page = pageOf(all, query, () => noSuch("job"));
    const data = "data" in page && Array.isArray(page.data) ? page.data : [];
    return json({ ...page, data: await Promise.all(data.map(({ job }) => jobObject(service, job))) });
  },
};

export const oneJob: Route = {
  verb: "GET",
  path: "/v1/fine_tuning/jobs/{id}",
  access: "tenant",
  body: "none",
  answer: async (call) => json(await jobObject(call.service, jobOf(call))),
};

export const cancelJob = changing("cancel");
export const pauseJob = changing("pause");
export const resumeJob = changing("resume");

function changing(change: "cancel" | "pause" | "resume"): Route {
  return {
    verb: "POST",
    path: `/v1/fine_tuning/jobs/{id}/${change}`,
    access: "tenant",
    body: "json",
    async answer(call) {
      const job = jobOf(call);
      await call.service.jobs[change](job);
      return json(await jobObject(call.service, job));
    },
  };
}

/** What happened to a job: a list, newest first, or a stream, oldest first, where one is asked for. */
export const jobEvents: Route = {
  verb: "GET",
  path: "/v1/fine_tuning/jobs/{id}/events",
  access: "tenant",
  body: "none",
  async answer(call) {
    const job = jobOf(call);
    const { headers, query, service, signal } = call;
    if (headers.accept?.includes("text/event-stream") || query.get("stream") === "true") {
      const last = headers["last-event-id"];
      return { kind: "events", events: followed(job, typeof last === "string" ? last : undefined, service, signal) };
    }
    await settled(service, job);
    const all = eventObjects(job, await job.events());
    return json(pageOf([...all].reverse(), query, () => noSuch("job")));
  },
};

export const jobCheckpoints: Route = {
  verb: "GET",
  path: "/v1/fine_tuning/jobs/{id}/checkpoints",
  access: "tenant",
  body: "none",
  async answer(call) {
    const job = jobOf(call);
    const { id, result_name } = job.record;
    const [events, files] = [await job.events(), await settled(call.service, job)];
    const all = (await checkpointsOf(job)).map(({ step, created }, at) => ({
      id: `ftckpt-${id.slice(6)}-${step}`,
      object: "fine_tuning.job.checkpoint",
      created_at: created,
      // those before the last are there to go on from, and cannot be asked
      fine_tuned_model_checkpoint: at === 0 && files.length > 0 ? result_name : null,
      fine_tuning_job_id: id,
      step_number: step,
      metrics: { step, ...events.findLast(({ data }) => data?.step === step && "train_loss" in data)?.data },
    }));
    return json(pageOf(all, call.query, () => noSuch("job"), 10));
  },
};

const jobOf = ({ service, tenant, params: { id = "" } }: RouteCall): JobFolder => service.jobs.owned(id, tenant);

/** Until a job that has succeeded can be asked. */
async function settled({ jobs }: Service, job: JobFolder): Promise<readonly string[]> {
  return (await job.outcome())?.status === "succeeded" ? jobs.results(job) : [];
}

/** OpenAI's shape of a job. */
async function jobObject(service: Service, job: JobFolder): Promise<object> {
  const { record } = job;
  const result_files = await settled(service, job);
  const [outcome, status] = [await job.outcome(), await job.state()];
  const error =
    outcome?.status === "failed" ? { code: "training_failed", message: outcome.error ?? "", param: null } : null;
  return {
    id: record.id,
    object: "fine_tuning.job",
    created_at: record.created,
    model: record.model,
    status,
    fine_tuned_model: outcome?.status === "succeeded" ? record.result_name : null,
    finished_at: outcome?.finished ?? null,
    result_files,
    organization_id: record.owner,
    error,
    training_file: record.training_file,
    validation_file: record.validation_file ?? null,
    hyperparameters: record.hyperparameters,
    seed: record.seed ?? 0,
    user_provided_suffix: record.suffix ?? null,
    method: { type: "supervised", supervised: { hyperparameters: record.hyperparameters } },
    trained_tokens: outcome?.trained_tokens ?? null,
    metadata: record.metadata,
    integrations: [],
    estimated_finish: null,
  };
}

const eventObjects = (job: JobFolder, events: readonly StoredEvent[]) =>
  events.map(({ created, ...event }, at) => ({
    id: `ftevent-${job.record.id.slice(6)}-${String(at + 1).padStart(8, "0")}`,
    object: "fine_tuning.job.event",
    created_at: created,
    ...event,
    data: event.data ?? null,
  }));

/** Milliseconds between looks at a job that is followed, and between signs of life. */
const [lookEvery, lifeEvery] = [200, 15_000];

async function* followed(
  job: JobFolder,
  last: string | undefined,
  service: Service,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const begun = eventObjects(job, await job.events()).findIndex(({ id }) => id === last) + 1;
  let [told, quiet] = [begun, 0];
  while (!signal.aborted && !service.ending.aborted) {
    const outcome = await job.outcome();
    await settled(service, job);
    const all = eventObjects(job, await job.events());
    for (const event of all.slice(told)) yield `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
    quiet = all.length > told ? 0 : quiet + lookEvery;
    told = all.length;
    if (outcome) return;
    if (quiet % lifeEvery === 0 && quiet > 0) yield ": the job goes on\n\n";
    await new Promise((resolve) => setTimeout(resolve, lookEvery));
  }
}
