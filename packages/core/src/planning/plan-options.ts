import { z } from "zod";
import { InputError, type Schema, schemaProblems, suggestion } from "../errors.ts";
import { type Task, tasks } from "../objectives/objectives.ts";
import { methods } from "../peft/methods.ts";
import type { PlanRequest } from "./plan.ts";
import { targetOf } from "./target.ts";

const count = z.int().positive().optional();
const record = z.record(z.string(), z.unknown());

const fields = {
  ratio: z.number().optional(),
  parameters: z.number().optional(),
  fileSize: z.number().optional(),
  memory: z.number().optional(),
  batch: count,
  tokens: count,
  maxLength: count,
  accumulate: count,
  threads: count,
  task: z.enum(tasks).optional(),
  labels: count,
  method: z.union([z.string(), z.object({ name: z.string(), options: record })]).optional(),
  options: record.optional(),
};
const planOptions: Schema<PlanOptions> = z.object(fields);

/** What `plan` is told: at most one target, the load, the task, and the method where only one is planned. */
export interface PlanOptions {
  /** trained parameters / parameters of the base, without the head */
  readonly ratio?: number | undefined;
  /** trained parameters, without the head */
  readonly parameters?: number | undefined;
  /** bytes of the adapter's file */
  readonly fileSize?: number | undefined;
  /** bytes of memory that training may take */
  readonly memory?: number | undefined;
  /** examples in a micro-batch (32) */
  readonly batch?: number | undefined;
  /** tokens of a row, as maxLength (128) */
  readonly tokens?: number | undefined;
  readonly maxLength?: number | undefined;
  /** micro-batches in a step (1) */
  readonly accumulate?: number | undefined;
  readonly threads?: number | undefined;
  /** as the base's head says, else classification */
  readonly task?: Task | undefined;
  /** classes of the head (2) */
  readonly labels?: number | undefined;
  /** the one method that is planned (all of them) */
  readonly method?: string | { readonly name: string; readonly options: Readonly<Record<string, unknown>> } | undefined;
  /** that method's options */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/** @throws InputError with everything about the options that is not possible */
export function parsePlanOptions(given: unknown): PlanRequest {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new InputError(`options of a plan are an object, not ${JSON.stringify(given) ?? String(given)}`);
  const names = Object.keys(fields);
  const unknown = Object.keys(given).filter((name) => !names.includes(name));
  const problems = unknown.map(
    (name) => `plan has no option "${name}"${suggestion(name, names)}; its options: ${names.join(", ")}`,
  );
  const parsed = planOptions.safeParse(given);
  if (!parsed.success) {
    problems.push(...schemaProblems(parsed.error.issues));
    throw new InputError(problems);
  }
  const { method, options, tokens, maxLength, threads: _, ...rest } = parsed.data;
  if (tokens !== undefined && maxLength !== undefined && tokens !== maxLength)
    problems.push(`tokens ${tokens} and maxLength ${maxLength} both say how long rows are; leave one out`);
  const target = gathered(problems, () => targetOf(rest));
  const chosen = gathered(problems, () => chosenMethod(method, options));
  if (problems.length > 0) throw new InputError(problems);
  const { batch, accumulate, task, labels } = rest;
  return { target, batch, accumulate, task, labels, tokens: tokens ?? maxLength, methods: chosen };
}

function gathered<T>(problems: string[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

function chosenMethod(method: PlanOptions["method"], options: PlanOptions["options"]): PlanRequest["methods"] {
  if (method === undefined) {
    if (options !== undefined) throw new InputError("options are those of a method; name it with method");
    return undefined;
  }
  const name = typeof method === "string" ? method : method.name;
  const known = methods.find((each) => each.name === name);
  if (!known) {
    const names = methods.map((each) => each.name);
    throw new InputError(`there is no method "${name}"${suggestion(name, names)}; methods: ${names.join(", ")}`);
  }
  const given = typeof method === "string" ? (options ?? {}) : { ...method.options, ...options };
  known.use(given); // what it refuses is said once, and not as a note
  return [{ method: known, given }];
}
