import { adapt, type Base, type Budget, type Goal, InputError, methods, type Study, usualOptions } from "@petl/core";

/** The methods that a study looks at, with a remark on each that it leaves out. */
interface OwnMethods {
  readonly names: readonly string[];
  readonly remarks: readonly string[];
}

/** A study's own methods, less those that find nothing to train in this base. */
export function ownMethods(study: Study, budget: Budget, base: Base, goal: Goal): OwnMethods {
  const own = study.methods?.[budget] ?? [];
  const reasons = new Map(own.map((name) => [name, refusalOf(name, base, goal)]));
  return {
    names: own.filter((name) => reasons.get(name) === undefined),
    remarks: own.flatMap((name) => reasons.get(name)?.map((reason) => `left out: ${reason}`) ?? []),
  };
}

function refusalOf(name: string, base: Base, goal: Goal): readonly string[] | undefined {
  try {
    const use = methods.find((method) => method.name === name)?.use(usualOptions(name));
    if (use) adapt(base, [use], goal);
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
}
