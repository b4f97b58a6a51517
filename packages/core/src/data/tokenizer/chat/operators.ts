import { isIn, order } from "./filters.ts";
import { isEqual, isFloat, isList, isTrue, numberOf, pythonText, pythonType, type TemplateValue } from "./values.ts";

/** What a template may make of values: characters of a text, items of a list. */
export const valueLimits = { characters: 4_000_000, items: 10_000 } as const;

/** A value that is not too large. */
export function bounded(value: TemplateValue): TemplateValue {
  if (typeof value === "string" && value.length > valueLimits.characters)
    throw new Error(`it writes more than ${valueLimits.characters} characters`);
  if (isList(value) && value.length > valueLimits.items)
    throw new Error(`it makes a list of more than ${valueLimits.items} items`);
  return value;
}

/** Python's operators of one value. */
export function unary(operator: string, value: TemplateValue): TemplateValue {
  if (operator === "not") return !isTrue(value);
  const found = numberOf(value);
  if (found === undefined) throw new Error(`bad operand type for unary ${operator}: '${pythonType(value)}'`);
  const result = operator === "-" ? -found : found;
  return isFloat(value) ? { float: result } : result;
}

/** Python's operators of two values that are both computed. */
export function operated(operator: string, a: TemplateValue, b: TemplateValue): TemplateValue {
  switch (operator) {
    case "==":
      return isEqual(a, b);
    case "!=":
      return !isEqual(a, b);
    case "in":
      return isIn(a, b);
    case "not in":
      return !isIn(a, b);
    case "~":
      return pythonText(a) + pythonText(b);
    case "<":
      return order(a, b) < 0;
    case "<=":
      return order(a, b) <= 0;
    case ">":
      return order(a, b) > 0;
    case ">=":
      return order(a, b) >= 0;
    default:
      return computed(operator, a, b);
  }
}

function computed(operator: string, a: TemplateValue, b: TemplateValue): TemplateValue {
  if (operator === "+" && typeof a === "string" && typeof b === "string") return a + b;
  if (operator === "+" && isList(a) && isList(b)) return bounded([...a, ...b]);
  if (operator === "*" && typeof b === "number" && (typeof a === "string" || isList(a))) return repeated(a, b);
  if (operator === "%" && typeof a === "string") return formatted(a, isList(b) ? b : [b]);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (operator === "+" && (typeof a === "string" || isList(a)))
    throw new Error(`can only concatenate ${pythonType(a)} (not "${pythonType(b)}") to ${pythonType(a)}`);
  if (x === undefined || y === undefined)
    throw new Error(`unsupported operand type(s) for ${operator}: '${pythonType(a)}' and '${pythonType(b)}'`);
  const result = arithmetic[operator]?.(x, y);
  if (result === undefined) throw new Error(`the operator ${operator} is not known`);
  if (!Number.isFinite(result)) throw new Error(y === 0 ? "division by zero" : "a number is too large");
  return isFloat(a) || isFloat(b) || operator === "/" || !Number.isInteger(result) ? { float: result } : result;
}

const arithmetic: Readonly<Record<string, (x: number, y: number) => number>> = {
  "+": (x, y) => x + y,
  "-": (x, y) => x - y,
  "*": (x, y) => x * y,
  "/": (x, y) => x / y,
  "//": (x, y) => Math.floor(x / y),
  "%": (x, y) => x - y * Math.floor(x / y),
  "**": (x, y) => x ** y,
};

function repeated(value: string | readonly TemplateValue[], times: number): TemplateValue {
  const length = value.length * Math.max(0, times);
  if (length > (typeof value === "string" ? valueLimits.characters : valueLimits.items))
    throw new Error(`it repeats a value ${times} times`);
  if (typeof value === "string") return value.repeat(Math.max(0, times));
  return Array.from({ length: Math.max(0, times) }, () => value).flat();
}

/** Python's `%` on texts, with %s, %d and %%. */
function formatted(form: string, values: readonly TemplateValue[]): string {
  let at = 0;
  return form.replace(/%(.)/g, (_, kind: string) => {
    if (kind === "%") return "%";
    if (kind !== "s" && kind !== "d") throw new Error(`unsupported format character '${kind}'`);
    if (at >= values.length) throw new Error("not enough arguments for format string");
    return pythonText(values[at++]);
  });
}
