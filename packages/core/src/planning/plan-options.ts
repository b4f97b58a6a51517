import { z } from "zod";
import { InputError, type Schema, schemaProblems, suggestion } from "../errors.ts";
import { tasks } from "../objectives/objectives.ts";
import { methods } from "../peft/methods.ts";
import { choice, count, real } from "../settings/setting.ts";
import { readSettings, type SettingInputs } from "../settings/settings.ts";
import { isRecord } from "../values.ts";
import type { PlanRequest } from "./plan.ts";
import { planTargetOf } from "./target.ts";

/** What is planned for beside the target, by name: flags, help and checks follow. */
export const loadSettings = {
  batch: count(undefined, "examples in a micro-batch", { otherwise: "32" }),
  maxLength: count(undefined, "tokens of a row", { otherwise: "128" }),
  accumulate: count(undefined, "micro-batches in a step", { otherwise: "1" }),
  threads: count(undefined, "threads that share the work", { otherwise: "the machine's cores" }),
  task: choice(tasks, undefined, "the task of the head", "what the base is made for"),
  labels: count(undefined, "number of the head's labels", { otherwise: "2" }),
};

const optionSettings = {
  ...loadSettings,
  tokens: loadSettings.maxLength,
  ratio: real(undefined, "trained share of the base, without the head"),
  parameters: real(undefined, "trained parameters, without the head"),
  fileSize: real(undefined, "bytes of the adapter's file"),
  memory: real(undefined, "bytes of memory that training may take"),
};

/** A method by its name, or with options of its own. */
type ChosenMethod = string | { readonly name: string; readonly options: Readonly<Record<string, unknown>> };

/** What `plan` is told: at most one target, the load, the task, and the methods where not all are planned. */
export interface PlanOptions extends SettingInputs<typeof optionSettings> {
  /** the method that is planned, or several side by side, in their order (all of them) */
  readonly method?: ChosenMethod | readonly ChosenMethod[] | undefined;
  /** options of each of them */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

const record = z.record(z.string(), z.unknown());
const chosenSchema = z.union([z.string(), z.object({ name: z.string(), options: record })]);
const methodOptions: Schema<Pick<PlanOptions, "method" | "options">> = z.object({
  method: z.union([chosenSchema, z.array(chosenSchema).min(1)]).optional(),
  options: record.optional(),
});

/** @throws InputError with everything about the options that is not possible */
export function parsePlanOptions(given: unknown): PlanRequest {
  const { method, options, ...rest } = isRecord(given) ? given : {};
  const parsed = methodOptions.safeParse({ method, options });
  const problems = [...(parsed.success ? [] : schemaProblems(parsed.error.issues))];
  const read = gathered(problems, () => readSettings(optionSettings, isRecord(given) ? rest : given));
  if (!parsed.success || !read) throw new InputError(problems);
  const { tokens, maxLength, threads: _, ...asked } = read;
  if (tokens !== undefined && maxLength !== undefined && tokens !== maxLength)
    problems.push(`tokens ${tokens} and maxLength ${maxLength} both say how long rows are; leave one out`);
  const target = gathered(problems, () => planTargetOf(asked));
  const chosen = gathered(problems, () => chosenMethods(parsed.data));
  if (problems.length > 0) throw new InputError(problems);
  const { batch, accumulate, task, labels } = asked;
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

function chosenMethods({ method, options }: Pick<PlanOptions, "method" | "options">): PlanRequest["methods"] {
  if (method === undefined) {
    if (options !== undefined) throw new InputError("options are those of a method; name it with method");
    return undefined;
  }
  const asked = [method].flat();
  const problems: string[] = [];
  const chosen = asked.flatMap((each) => gathered(problems, () => methodWith(each, options)) ?? []);
  const repeated = chosen.find((each, at) => chosen.findIndex((other) => other.method === each.method) !== at);
  if (repeated) problems.push(`method names ${repeated.method.name} twice`);
  if (problems.length > 0) throw new InputError(problems);
  return chosen;
}

/** A method with its own options and those of all. */
function methodWith(asked: ChosenMethod, shared: Readonly<Record<string, unknown>> | undefined) {
  const { name, options } = typeof asked === "string" ? { name: asked, options: {} } : asked;
  const known = methods.find((each) => each.name === name);
  if (!known) {
    const names = methods.map((each) => each.name);
    throw new InputError(`there is no method "${name}"${suggestion(name, names)}; methods: ${names.join(", ")}`);
  }
  const given = { ...options, ...shared };
  known.use(given); // what it refuses is said once, and not as a note
  return { method: known, given };
}
