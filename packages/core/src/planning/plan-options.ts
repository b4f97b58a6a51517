import { z } from "zod";
import { InputError, suggestion } from "../errors.ts";
import { tasks } from "../objectives/objectives.ts";
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
const planOptions = z.object(fields);

/** What `plan` is told: at most one target, the load, the task, and the method where only one is planned. */
export type PlanOptions = Readonly<z.input<typeof planOptions>>;

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
    problems.push(...parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message.toLowerCase()}`));
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

type Given = z.output<typeof planOptions>;

function chosenMethod(method: Given["method"], options: Given["options"]): PlanRequest["methods"] {
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
