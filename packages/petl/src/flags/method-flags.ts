import { InputError, type Method, type MethodUse, methods } from "@petl/core";
import { methodSuggestion } from "./other-names.ts";

/** An option of methods as the command line has it. */
interface MethodFlag {
  /** camelCase */
  readonly name: string;
  readonly help: string;
  readonly placeholder: string | undefined;
  /** whether it is a switch that is on where nothing is said */
  readonly isOn: boolean;
  /** left out of the help: an option under its method's name, for methods that must differ */
  readonly hidden: boolean;
}

const names = methods.map(({ name }) => name);
const prefixed = (method: string, option: string) =>
  `${method.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())}${option[0]?.toUpperCase()}${option.slice(1)}`;

/** Every option of every method, under its own name and behind its method's: `--targets`, `--bitfit-targets`. */
export function methodFlags(): readonly MethodFlag[] {
  const shared = [...new Set(methods.flatMap(({ options }) => Object.keys(options)))];
  return [
    ...shared.map((name) => {
      const having = methods.filter((method) => name in method.options);
      const option = having[0]?.options[name];
      const help = `${having.map((method) => method.name).join(", ")}: ${option?.help ?? ""}`;
      const isOn = option?.initial === true;
      return { name, help, placeholder: option?.placeholder, isOn, hidden: false };
    }),
    ...methods.flatMap((method) =>
      Object.entries(method.options).map(([name, { help, placeholder, initial }]) => {
        return { name: prefixed(method.name, name), help, placeholder, isOn: initial === true, hidden: true };
      }),
    ),
  ];
}

/**
 * The methods of `--method lora+bitfit` with their options. An option goes to each of them that has it; behind a
 * method's name (`bitfitTargets`) it goes to that one alone.
 * @throws InputError: unknown methods, options of none of them, values that they refuse
 */
export function chooseMethods(text: string, options: Readonly<Record<string, unknown>>): readonly MethodUse[] {
  const chosen = text.split("+").map(methodNamed);
  const repeated = chosen.find((method, i) => chosen.indexOf(method) !== i);
  if (repeated) throw new InputError(`\`method\` ${text} names ${repeated.name} twice`);
  const problems = Object.keys(options).flatMap((name) => refusal(name, chosen) ?? []);
  if (problems.length > 0) throw new InputError(problems);
  return chosen.map((method) => method.use(givenTo(method, options)));
}

/** Those of the given options that are a method's own, under its names. */
export function givenTo(method: Method, options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.keys(method.options).flatMap((name) => {
      const value = options[prefixed(method.name, name)] ?? options[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function methodNamed(name: string): Method {
  const known = methods.find((method) => method.name === name);
  if (known) return known;
  throw new InputError(`there is no method "${name}"${methodSuggestion(name, names)}; methods: ${names.join(", ")}`);
}

/** Why an option can't be used with the chosen methods. */
function refusal(name: string, chosen: readonly Method[]): string | undefined {
  const takes = (method: Method) =>
    name in method.options || Object.keys(method.options).some((option) => prefixed(method.name, option) === name);
  if (chosen.some(takes)) return undefined;
  const own = chosen.flatMap(({ options }) => Object.keys(options).map((option) => `\`${option}\``));
  const list = own.length > 0 ? `; its options: ${[...new Set(own)].join(", ")}` : ", which has none";
  const having = methods.filter(takes).map((method) => method.name);
  return `\`${name}\` is no option of ${chosen.map((method) => method.name).join("+")}${list}; ${having.join(", ")} ${having.length === 1 ? "has" : "have"} it`;
}

/** Methods with all their options, as flags would say them: what `chooseMethods` makes the same methods of. */
export function writtenMethods(uses: readonly MethodUse[]): Readonly<Record<string, unknown>> {
  const options = uses.flatMap(({ name, options: values }) =>
    Object.entries(values).map(
      ([option, value]) => [uses.length === 1 ? option : prefixed(name, option), value] as const,
    ),
  );
  return { method: uses.map(({ name }) => name).join("+"), ...Object.fromEntries(options) };
}
