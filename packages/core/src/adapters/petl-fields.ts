import { z } from "zod";
import { parseStrictJson } from "../containers/json.ts";
import { InputError, schemaProblems, suggestion } from "../errors.ts";
import { type Pooling, poolings } from "../nn/pooling.ts";
import { isBias } from "../nn/scope.ts";
import { type Task, tasks } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { MethodUse } from "../peft/method.ts";
import { methods } from "../peft/methods.ts";

/** A label as its data have it. */
export type LabelName = string | number | boolean;

/** What petl says of an adapter beyond PEFT's fields. */
export interface AdapterInfo {
  /** how its user names the base: a hub id, a folder; null where nobody said it */
  readonly baseName: string | null;
  /** the labels in the order of their ids */
  readonly labels?: readonly LabelName[] | undefined;
  /** a digest of the base's weights, in whatever form the host makes one */
  readonly baseDigest?: string | undefined;
  readonly petlVersion?: string | undefined;
}

const optionValues = z.record(z.string(), z.unknown());
const text = z.string().max(10_000);

/**
 * petl's own fields. Python's PEFT warns of every field of adapter_config.json that it does not know, so where it can
 * read the adapter they stand as one JSON text, `petl`, in the metadata of adapter_model.safetensors, which it passes
 * over; where it cannot, they stand in adapter_config.json itself.
 */
const petlFields = z.looseObject({
  petl_method: z.union([text, z.array(text).min(1).max(100)]),
  petl_options: z.union([optionValues, z.array(optionValues).max(100)]),
  petl_task: z.enum(tasks),
  petl_labels: z
    .int()
    .positive()
    .max(2 ** 31),
  petl_pooling: z.enum(poolings),
  petl_trains_head: z.boolean(),
  petl_saved_modules: z.array(text).nullish(),
  petl_label_names: z.array(z.union([text, z.number(), z.boolean()])).nullish(),
  petl_base_digest: text.nullish(),
  petl_version: text.nullish(),
  /** the fields of adapter_config.json that describe the method in PEFT's way, as they were written */
  petl_written: z.record(z.string(), z.unknown()).nullish(),
});

/** What stands in an adapter_config.json of petl's own. */
export const ownFields = ["peft_type", "base_model_name_or_path", ...Object.keys(petlFields.shape)];

/** The same, parsed. */
export interface PetlFields {
  readonly methods: readonly MethodUse[];
  readonly task: Task;
  readonly labels: number;
  readonly pooling: Pooling;
  readonly trainsHead: boolean;
  readonly savedModules: readonly string[];
  readonly labelNames: readonly LabelName[] | undefined;
  readonly baseDigest: string | undefined;
  readonly written: Readonly<Record<string, unknown>> | undefined;
}

export function writePetlFields(
  { methods: uses, goal, layout }: AdaptedModel,
  { labels, baseDigest, petlVersion }: AdapterInfo,
): Readonly<Record<string, unknown>> {
  if (labels && labels.length !== goal.labels) {
    throw new InputError(`${labels.length} names of labels were given for a head of ${goal.labels}`);
  }
  const [names, options] = [uses.map(({ name }) => name), uses.map(({ options: own }) => own)];
  return {
    petl_method: names.length === 1 ? names[0] : names,
    petl_options: options.length === 1 ? options[0] : options,
    petl_task: goal.task,
    petl_labels: goal.labels,
    petl_pooling: goal.pooling ?? "default",
    petl_trains_head: goal.trainsHead ?? layout.some(({ part, role }) => part === "head" && !isBias(role)),
    ...(goal.savedModules && goal.savedModules.length > 0 ? { petl_saved_modules: goal.savedModules } : {}),
    ...(labels ? { petl_label_names: labels } : {}),
    ...(baseDigest === undefined ? {} : { petl_base_digest: baseDigest }),
    ...(petlVersion === undefined ? {} : { petl_version: petlVersion }),
  };
}

/** Throws one InputError with everything about them that is not as petl writes it. */
export function readPetlFields(json: unknown, place: string): PetlFields {
  const parsed = petlFields.safeParse(json);
  if (!parsed.success) {
    throw new InputError(schemaProblems(parsed.error.issues, `${place}: `));
  }
  const fields = parsed.data;
  const names = fields.petl_label_names?.length ?? fields.petl_labels;
  if (names !== fields.petl_labels) {
    throw new InputError(`${place}: ${names} names in petl_label_names, but petl_labels is ${fields.petl_labels}`);
  }
  return {
    methods: methodsOf(fields.petl_method, fields.petl_options, place),
    task: fields.petl_task,
    labels: fields.petl_labels,
    pooling: fields.petl_pooling,
    trainsHead: fields.petl_trains_head,
    savedModules: fields.petl_saved_modules ?? [],
    labelNames: fields.petl_label_names ?? undefined,
    baseDigest: fields.petl_base_digest ?? undefined,
    written: fields.petl_written ?? undefined,
  };
}

/** petl's fields in a safetensors file's metadata; undefined where another program wrote it. */
export function petlFieldsOf(metadata: Readonly<Record<string, string>>, place: string): PetlFields | undefined {
  const json = Object.hasOwn(metadata, "petl") ? metadata.petl : undefined;
  if (json === undefined) return undefined;
  const at = `${place}: petl in its metadata`;
  return readPetlFields(parseStrictJson(json, at, 20), at);
}

function methodsOf(
  given: string | readonly string[],
  givenOptions: Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[],
  place: string,
): readonly MethodUse[] {
  const names = typeof given === "string" ? [given] : given;
  const options: readonly Readonly<Record<string, unknown>>[] = isList(givenOptions) ? givenOptions : [givenOptions];
  if (names.length !== options.length) {
    throw new InputError(`${place}: ${names.length} names in petl_method, but ${options.length} in petl_options`);
  }
  return names.map((name, at) => {
    const method = methods.find((each) => each.name === name);
    if (method) return method.use(options[at] ?? {});
    const known = methods.map((each) => each.name);
    throw new InputError(
      `${place}: petl_method "${name}" is unknown${suggestion(name, known)}; petl's methods: ${known.join(", ")}`,
    );
  });
}

const isList = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value);
