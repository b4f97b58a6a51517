import {
  adapt,
  type Base,
  countParameters,
  type Goal,
  InputError,
  type Json,
  methods,
  sizedOptions,
  sizeWithin,
  usualOptions,
} from "@petl/core";

/** The options of each method where all are held to a number of trained parameters, with a remark on how near each comes. */
interface EqualBudget {
  readonly options: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly remarks: readonly string[];
}

/**
 * Every method at its largest size that trains at most so many parameters, the head not counted. A method without a size
 * stays as it is.
 * @throws InputError that names all methods that train more at size 1
 */
export function equalBudget(base: Base, goal: Goal, names: readonly string[], most: number): EqualBudget {
  const asked = methods.filter(({ name }) => names.includes(name));
  const found = asked.map((method) => {
    const { name, size } = method;
    const fitting = sizeWithin(base, goal, method, most, (value) => sizedOptions(method, value));
    if (fitting && fitting.size === undefined)
      return { name, problem: `${name} trains ${counted(fitting.trained)} parameters at ${size?.option} 1` };
    const options = fitting?.size === undefined ? usualOptions(name) : sizedOptions(method, fitting.size);
    const trained = fitting?.trained ?? countParameters(adapt(base, [method.use(options)], goal)).trained_parameters;
    const called = fitting ? `${name} with ${size?.option} ${fitting.size}` : `${name}, which has no size,`;
    return {
      name,
      options,
      remark: `${called} trains ${counted(trained)} parameters, ${shareOf(trained, most)} of the budget`,
    };
  });
  const problems = found.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) throw new InputError([...problems, `\`parameters\` ${most} is too few for them`]);
  return {
    options: Object.fromEntries(found.flatMap(({ name, options }) => (options ? [[name, options] as const] : []))),
    remarks: found.flatMap(({ remark }) => remark ?? []),
  };
}

const counted = (count: number): string => count.toLocaleString("en-US");
const shareOf = (trained: number, most: number): string => `${Number(((100 * trained) / most).toPrecision(3))} %`;
