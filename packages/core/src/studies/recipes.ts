import { InputError } from "../errors.ts";
import type { Method } from "../peft/method.ts";
import { methods } from "../peft/methods.ts";
import type { Budget, Fit, FitRows, Json, Setup } from "./study.ts";

interface Size {
  /** trainings of every cell */
  readonly seeds: number;
  /** training rows that are drawn; all where undefined */
  readonly rows: number | undefined;
  readonly steps: number;
  /** rates that are tried, as factors of the one that a method declares */
  readonly tries: readonly number[];
}

/** How long and how finely each budget looks. */
export const budgetSizes: Readonly<Record<Budget, Size>> = {
  quick: { seeds: 2, rows: 300, steps: 48, tries: [1, 4, 16] },
  standard: { seeds: 3, rows: 2000, steps: 150, tries: [1, 2, 4, 8, 16] },
  paper: { seeds: 3, rows: undefined, steps: 1500, tries: [0.25, 0.5, 1, 2, 4, 8] },
};

/** Options that differ from the method's own defaults: what papers compare, at sizes that suit small bases too. */
const usual: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  lora: { rank: 8, targets: "all-linear" },
  bottleneck: { size: 16 },
};

/**
 * LoRA at some rank whose alpha is held, so that its scale alpha / rank falls as the rank rises: one rate then suits all
 * ranks (Hu et al. 2021, section 4.1), where with the same scale for all a large one moves further a step.
 */
export const rankedLora = (rank: number, targets: string): PartialFit => ({
  method: "lora",
  options: { rank, alpha: 16, targets },
});

/** The options with which a study uses a method where it varies none of them. */
export const usualOptions = (method: string): Readonly<Record<string, Json>> => usual[method] ?? {};

/** The options of a method at a size; the scale alpha / rank stays 2. */
export function sizedOptions({ name, size, options }: Method, value: number): Readonly<Record<string, Json>> {
  const sized = size ? { [size.option]: value } : {};
  return {
    ...usualOptions(name),
    ...sized,
    ...(size?.option === "rank" && "alpha" in options && { alpha: 2 * value }),
  };
}

/** The rate that a method declares, times four where steps are few. */
export const usualRate = (method: string, { budget }: Pick<Setup, "budget">): number =>
  rounded(declaredRate(method) * (budget === "paper" ? 1 : 4));

/** The rates that are tried where one is chosen. */
export const triedRates = (
  method: string,
  { budget }: Pick<Setup, "budget">,
  factors: readonly number[] = budgetSizes[budget].tries,
): readonly number[] => factors.map((factor) => rounded(declaredRate(method) * factor));

/** A training with the budget's steps. */
export function fitOf(
  setup: Pick<Setup, "budget">,
  {
    method,
    options = usualOptions(method),
    lr = usualRate(method, setup),
    rows = "all",
    schedule = "linear",
  }: PartialFit,
): Fit {
  return { method, options, lr, steps: budgetSizes[setup.budget].steps, batch: 16, schedule, rows };
}

interface PartialFit {
  readonly method: string;
  readonly options?: Readonly<Record<string, Json>>;
  readonly lr?: number;
  readonly rows?: FitRows;
  readonly schedule?: Fit["schedule"];
}

export const seedsOf = ({ seeds }: Pick<Setup, "seeds">): readonly number[] =>
  Array.from({ length: seeds }, (_, seed) => seed);

/** The rate that a method declares. */
export function declaredRate(name: string): number {
  const method = methods.find((each) => each.name === name);
  if (method) return method.rate;
  throw new InputError(`there is no method "${name}"`);
}

const rounded = (value: number) => Number(value.toPrecision(3));
