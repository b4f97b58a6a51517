import { type HfModel, readBase } from "../checkpoints/hf-model.ts";
import { memoryFolder } from "../containers/folder.ts";
import { InputError, suggestion } from "../errors.ts";
import { isRecord } from "../values.ts";
import { type PlacedPlan, type Plan, planMethods } from "./plan.ts";
import { type PlanOptions, parsePlanOptions } from "./plan-options.ts";
import { type BaseShape, shapedConfig } from "./shaped-config.ts";

/** What a plan is made for: a base, the content of a config.json, or a shape alone. */
export type PlanSource<OwnBase = HfModel, OwnConfig = Readonly<Record<string, unknown>>> =
  | { readonly base: OwnBase }
  | { readonly config: OwnConfig }
  | BaseShape;

/** What a host adds: names of bases and files, and petl's version, which adapters carry. */
export interface PlanHost {
  readonly version?: string;
  read(named: { readonly base: string } | { readonly config: string }): Promise<HfModel>;
}

/**
 * What every method would train, write and take, as `petl plan --json` prints it: for each the largest setting that meets
 * the target, counts, bytes on the disk and while training.
 *
 * @throws InputError for arguments that are not possible, every problem at once
 */
export async function plan(source: PlanSource, options: PlanOptions = {}): Promise<Plan> {
  const placed = await planFor(source, options, {
    read: async () => {
      throw new InputError(
        "names of bases and files are known to the package petl alone; give a base or a configuration",
      );
    },
  });
  return placed.plan;
}

/** The same on a host that knows names, with what a picture of it needs. */
export async function planFor(
  source: PlanSource<HfModel | string, Readonly<Record<string, unknown>> | string>,
  options: PlanOptions,
  host: PlanHost,
): Promise<PlacedPlan> {
  const problems: string[] = [];
  const request = await settled(problems, async () => parsePlanOptions(options));
  const base = await settled(problems, () => baseOf(source, host));
  if (!request || !base) throw new InputError(problems);
  return planMethods(base, { ...request, petlVersion: host.version });
}

/** What comes of work; where the caller got something wrong, its problems join the others. */
async function settled<T>(problems: string[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

const shapeNames = ["layers", "hidden", "heads", "feedForward", "vocabulary", "positions", "architecture"];

async function baseOf(source: Parameters<typeof planFor>[0], host: PlanHost): Promise<HfModel> {
  requireSource(source);
  if ("base" in source) return typeof source.base === "string" ? host.read({ base: source.base }) : source.base;
  if ("config" in source && typeof source.config === "string") return host.read({ config: source.config });
  const config = "config" in source ? source.config : shapedConfig(source);
  return readBase(memoryFolder("config", { "config.json": JSON.stringify(config) }), { weights: false });
}

const ways = "give { base }, { config } or { layers, hidden, … }";

/** @throws InputError unless exactly one of base, config and a shape is given, and nothing else */
function requireSource(source: unknown): void {
  if (typeof source !== "object" || source === null) throw new InputError(`nothing to plan for: ${ways}`);
  const names = Object.entries(source).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const known = ["base", "config", ...shapeNames];
  const shape = names.filter((name) => shapeNames.includes(name));
  const chosen = [
    ...names.filter((name) => known.includes(name) && !shape.includes(name)),
    ...(shape.length > 0 ? ["a shape"] : []),
  ];
  const alone = chosen.length === 1 && shape.length > 0;
  const problems = [
    ...names
      .filter((name) => !known.includes(name))
      .map((name) => `a plan is made for no "${name}"${suggestion(name, known)}; ${ways}`),
    ...(chosen.length > 1 ? [`${chosen.join(" and ")} say the same in two ways; leave one out`] : []),
    ...(chosen.length === 0 ? [`nothing to plan for: ${ways}`] : []),
    ...(alone ? ["layers", "hidden"].filter((name) => !names.includes(name)).map((name) => `${name} is missing`) : []),
  ];
  if (problems.length > 0) throw new InputError(problems);
  if ("base" in source && !isBase(source.base)) throw new InputError(`base is neither a name nor an open base`);
  if ("config" in source && !(typeof source.config === "string" || isRecord(source.config)))
    throw new InputError("config is neither a path nor the content of a config.json");
}

const isBase = (value: unknown): boolean =>
  (typeof value === "string" && value !== "") || (isRecord(value) && "model" in value && "config" in value);
