import { InputError, refuse, type Schema, schemaProblems } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import type { Model, ModelInputs, Sizes } from "../nn/model.ts";
import type { Scope } from "../nn/scope.ts";
import { type SizeFields, sizeProblems, usualFields } from "./size-fields.ts";

/** A kind of base model, named as config.json's `model_type`; its members are explained at {@link Model}. */
export interface ArchitectureRule<Config>
  extends Pick<
    Model,
    "modelType" | "conventions" | "prefix" | "poolerModule" | "headModules" | "classes" | "adapterHub"
  > {
  /** the architecture from which it has the names of its modules; left out where they are its own */
  readonly namedLike?: string;
  /** left out where a checkpoint has each tensor under one name */
  otherNames?(config: Config): Model["otherNames"];
  /** the fields of config.json that the computation depends on */
  readonly config: Schema<Config>;
  sizes(config: Config): Sizes;
  /** its names of sizes that depend on one another; the usual ones where left out */
  readonly sizeFields?: SizeFields;
  /** what else of a configuration doesn't go together, each beginning with its field */
  problems?(config: Config): readonly string[];
  encode(base: Scope, config: Config, inputs: ModelInputs): Value;
  pool(base: Scope, config: Config, hidden: Value, inputs: ModelInputs): Value;
  classify(head: Scope, config: Config, pooled: Value, labels: number): Value;
  classifyTokens(head: Scope, config: Config, hidden: Value, labels: number): Value;
  predictTokens(head: Scope, config: Config, hidden: Value, base: Scope): Value;
}

export interface Architecture extends Pick<Model, "modelType" | "classes" | "adapterHub"> {
  /** the architecture from which it has the names of its modules, itself where they are its own */
  readonly namedLike: string;
  /** The model that a config.json describes. */
  model(config: unknown): Model;
}

/**
 * Declares an architecture: one file in models, one line in models/models.ts. It names every module and tensor as
 * Hugging Face does and knows no method; methods act at the sites that its scopes announce.
 */
export function defineArchitecture<Config>(rule: ArchitectureRule<Config>): Architecture {
  return {
    modelType: rule.modelType,
    classes: rule.classes,
    namedLike: rule.namedLike ?? rule.modelType,
    ...(rule.adapterHub && { adapterHub: rule.adapterHub }),
    model(json) {
      const parsed = rule.config.safeParse(json);
      if (!parsed.success) {
        throw new InputError(schemaProblems(parsed.error.issues, "config.json: "));
      }
      const config = parsed.data;
      const sizes = rule.sizes(config);
      const problems = [...sizeProblems(sizes, rule.sizeFields ?? usualFields), ...(rule.problems?.(config) ?? [])];
      refuse(problems.map((problem) => `config.json: ${problem}`));
      return {
        ...rule,
        sizes,
        otherNames: rule.otherNames?.(config) ?? {},
        encode: (base, inputs) => rule.encode(base, config, inputs),
        pool: (base, hidden, inputs) => rule.pool(base, config, hidden, inputs),
        classify: (head, pooled, labels) => rule.classify(head, config, pooled, labels),
        classifyTokens: (head, hidden, labels) => rule.classifyTokens(head, config, hidden, labels),
        predictTokens: (head, hidden, base) => rule.predictTokens(head, config, hidden, base),
      };
    },
  };
}
