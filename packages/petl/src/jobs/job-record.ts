import { z } from "zod";

/** What a job is, once and for all: written when it is accepted and never changed. */
export const jobRecord = z.strictObject({
  id: z.string().regex(/^ftjob-[0-9a-f]{24}$/),
  /** the tenant's name */
  owner: z.string(),
  /** seconds since 1970 */
  created: z.number(),
  /** the model as it was asked for */
  model: z.string(),
  /** the base as it was named, in the folder that the name is relative to */
  base: z.string(),
  folder: z.string(),
  base_sha256: z.string(),
  /** the adapter to start from */
  init: z.string().optional(),
  training_file: z.string(),
  validation_file: z.string().optional(),
  /** paths below the shared folder, and the SHA-256 of their bytes */
  data: z.array(z.strictObject({ path: z.string(), sha256: z.string() })),
  /** as they were given */
  hyperparameters: z.record(z.string(), z.unknown()),
  /** the flags of `petl train`, without base, data and out */
  flags: z.array(z.string()).readonly(),
  seed: z.int().optional(),
  suffix: z.string().optional(),
  metadata: z.unknown(),
  /** the adapter's name once it is there */
  result_name: z.string(),
  /** SHA-256 of the tenant's key for this request, and of the request */
  idempotency: z.strictObject({ key: z.string(), body: z.string() }).optional(),
});
export type JobRecord = Readonly<z.infer<typeof jobRecord>>;

/** Who works on a job; the number is the fence: of two claims the higher one counts. */
export const claimRecord = z.strictObject({
  attempt: z.int().positive(),
  host: z.string(),
  pid: z.int(),
  /** milliseconds since 1970 */
  since: z.number(),
});
export type Claim = Readonly<z.infer<typeof claimRecord>>;

/** How a job ended. Whoever writes it first has ended it. */
export const jobOutcome = z.strictObject({
  status: z.enum(["succeeded", "failed", "cancelled"]),
  /** seconds since 1970 */
  finished: z.number(),
  /** the attempt whose folder holds the result */
  attempt: z.int().positive().optional(),
  /** how many of its events count */
  events: z.int().nonnegative(),
  error: z.string().optional(),
  trained_tokens: z.number().optional(),
});
export type JobOutcome = Readonly<z.infer<typeof jobOutcome>>;

/** What is wanted of a job that has not ended. */
export const jobWish = z.strictObject({ wish: z.enum(["run", "pause"]) });

/** What happened to a job; the event's number is its place in the file. */
export const storedEvent = z.strictObject({
  created: z.number(),
  level: z.enum(["info", "warn", "error"]),
  type: z.enum(["message", "metrics"]),
  message: z.string(),
  data: z.record(z.string(), z.unknown()).optional(),
});
export type StoredEvent = Readonly<z.infer<typeof storedEvent>>;

const jobStates = ["queued", "validating_files", "running", "paused", "succeeded", "failed", "cancelled"] as const;
export type JobState = (typeof jobStates)[number];
