import { InputError } from "../errors.ts";
import type { MeasuredSetting } from "./setting.ts";

/** What a plan may be held to, and what of a setting is compared with it. */
export const targetKinds = {
  /** |Φ| / |Θ|, the head in neither */
  ratio: ({ counts }: MeasuredSetting) => counts.trained_parameters / counts.base_parameters,
  /** |Φ| without the head */
  parameters: ({ counts }: MeasuredSetting) => counts.trained_parameters,
  /** bytes of the adapter's weights on the disk */
  "file-size": (setting: MeasuredSetting) => setting.adapterBytes(),
  /** bytes while training */
  memory: (setting: MeasuredSetting) => setting.memory().total,
} as const;
type TargetKind = keyof typeof targetKinds;

/** What a plan is held to: the settings are the largest ones whose measure does not exceed the value. */
export interface PlanTarget {
  readonly kind: TargetKind;
  readonly value: number;
}

/** The ways in which a program names a target. */
interface TargetOptions {
  /** share of the base's parameters, above 0 and at most 1 */
  readonly ratio?: number | undefined;
  readonly parameters?: number | undefined;
  /** bytes */
  readonly fileSize?: number | undefined;
  /** bytes */
  readonly memory?: number | undefined;
}

const kindOf = { ratio: "ratio", parameters: "parameters", fileSize: "file-size", memory: "memory" } as const;

/**
 * The target among options; undefined where there is none.
 * @throws InputError for two of them, and for values that nothing can meet
 */
export function planTargetOf(options: TargetOptions): PlanTarget | undefined {
  const given = (["ratio", "parameters", "fileSize", "memory"] as const).flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [{ name, value }];
  });
  const problems = given.flatMap(({ name, value }) => problemOf(name, value));
  if (given.length > 1) problems.push(`${given.map(({ name }) => name).join(" and ")} are two targets; leave one out`);
  if (problems.length > 0) throw new InputError(problems);
  const [only] = given;
  return only && { kind: kindOf[only.name], value: only.value };
}

function problemOf(name: keyof typeof kindOf, value: unknown): readonly string[] {
  if (typeof value !== "number" || !Number.isFinite(value) || value <= 0)
    return [`${name} ${String(value)} is not possible: a number above 0 is needed`];
  if (name === "ratio" && value > 1)
    return [`ratio ${value} is more than the whole base; at most 1 (100 %) is possible`];
  if (name !== "ratio" && !Number.isInteger(value)) return [`${name} ${value} is not a whole number`];
  return [];
}
