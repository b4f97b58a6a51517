import { filterNamed, iterated, testNamed } from "./filters.ts";
import type { NodeOf, TemplateNode } from "./nodes.ts";
import { bounded, operated, unary, valueLimits } from "./operators.ts";
import { textMethod } from "./text-methods.ts";
import {
  type Arguments,
  isCallable,
  isList,
  isMapping,
  isNamespace,
  isTrue,
  pythonText,
  pythonType,
  type TemplateValue,
} from "./values.ts";

/** What a template may do for one conversation. */
export const templateLimits = { steps: 200_000, depth: 200, ...valueLimits } as const;

/** Names with their values; those of an outer scope are seen, and not changed. */
interface Scope {
  readonly names: Map<string, TemplateValue>;
  readonly outer: Scope | undefined;
}

interface Run {
  steps: number;
  depth: number;
  /** what the template marks as the assistant's, between these two */
  readonly marks: readonly [string, string];
}

class Break extends Error {}
class Continue extends Error {}

/**
 * Runs a parsed template with Python's meaning of values: what is undefined is written as nothing and may be looped over,
 * but has no attributes; texts and numbers don't mix; a loop's names end with each turn.
 *
 * @param marks texts that are put around what stands in {% generation %}
 * @throws Error with Python's words, and where steps, texts or lists become too many
 * Source: Jinja 3.1, Template Designer Documentation
 */
export function runTemplate(
  program: TemplateNode,
  given: ReadonlyMap<string, TemplateValue>,
  marks: readonly [string, string],
): string {
  const run: Run = { steps: 0, depth: 0, marks };
  return block(run, bodyOf(program), { names: new Map(), outer: { names: new Map(given), outer: undefined } });
}

const bodyOf = (node: TemplateNode): readonly TemplateNode[] => ("body" in node ? node.body : []);

function block(run: Run, nodes: readonly TemplateNode[], scope: Scope): string {
  const pieces: string[] = [];
  let length = 0;
  for (const node of nodes) {
    const piece = statement(run, node, scope);
    length += piece.length;
    if (length > templateLimits.characters)
      throw new Error(`it writes more than ${templateLimits.characters} characters`);
    pieces.push(piece);
  }
  return pieces.join("");
}

function statement(run: Run, node: TemplateNode, scope: Scope): string {
  count(run);
  switch (node.type) {
    case "Set":
      set(run, node, scope);
      return "";
    case "Macro":
      scope.names.set(node.name.value, macro(run, node.args, node.body, scope));
      return "";
    case "Comment":
      return "";
    case "If":
      return block(run, isTrue(evaluate(run, node.test, scope)) ? node.body : node.alternate, scope);
    case "For":
      return loop(run, node, scope);
    case "Break":
      throw new Break();
    case "Continue":
      throw new Continue();
    case "FilterStatement":
      return pythonText(filtered(run, block(run, node.body, inside(scope)), node.filter, scope));
    case "CallStatement":
      return callBlock(run, node, scope);
    default:
      return pythonText(evaluate(run, node, scope));
  }
}

function count(run: Run): void {
  if (++run.steps > templateLimits.steps) throw new Error(`it takes more than ${templateLimits.steps} steps`);
}

const inside = (outer: Scope): Scope => ({ names: new Map(), outer });

function lookUp(scope: Scope | undefined, name: string): TemplateValue {
  for (let at = scope; at; at = at.outer) if (at.names.has(name)) return at.names.get(name);
  return undefined;
}

function set(run: Run, { assignee, value, body }: NodeOf<"Set">, scope: Scope): void {
  const given = value ? evaluate(run, value, scope) : block(run, body, inside(scope));
  if (assignee.type !== "MemberExpression") {
    bind(assignee, given, scope);
    return;
  }
  const object = evaluate(run, assignee.object, scope);
  if (!isNamespace(object)) throw new Error("cannot assign attribute on non-namespace object");
  object.attributes.set(nameOf(assignee.property), given);
}

/** Gives a name its value, or several theirs. */
function bind(target: TemplateNode, value: TemplateValue, { names }: Scope): void {
  if (target.type !== "TupleLiteral") {
    names.set(nameOf(target), value);
    return;
  }
  const items = iterated(value);
  if (items.length !== target.value.length)
    throw new Error(`${items.length} values to unpack, expected ${target.value.length}`);
  for (const [at, name] of target.value.entries()) names.set(nameOf(name), items[at]);
}

function nameOf(node: TemplateNode): string {
  if (node.type === "Identifier") return node.value;
  throw new Error(`a ${node.type} is no name`);
}

function loop(run: Run, node: NodeOf<"For">, scope: Scope): string {
  const { loopvar, body, defaultBlock } = node;
  const select = node.iterable.type === "SelectExpression" ? node.iterable : undefined;
  const all = iterated(evaluate(run, select ? select.lhs : node.iterable, scope));
  const items = all.filter((item) => {
    if (!select) return true;
    const turn = inside(scope);
    bind(loopvar, item, turn);
    return isTrue(evaluate(run, select.test, turn));
  });
  if (items.length === 0) return block(run, defaultBlock, inside(scope));
  const pieces: string[] = [];
  let length = 0;
  for (const [at, item] of items.entries()) {
    const turn = inside(scope);
    turn.names.set("loop", loopState(items, at));
    bind(loopvar, item, turn);
    try {
      pieces.push(block(run, body, turn));
    } catch (error) {
      if (error instanceof Break) break;
      if (!(error instanceof Continue)) throw error;
    }
    length += pieces.at(-1)?.length ?? 0;
    if (length > templateLimits.characters)
      throw new Error(`it writes more than ${templateLimits.characters} characters`);
  }
  return pieces.join("");
}

function loopState(items: readonly TemplateValue[], at: number): TemplateValue {
  const { length } = items;
  const cycle = { call: ({ positional }: Arguments) => positional[at % positional.length] };
  return new Map<string, TemplateValue>([
    ...([
      ["index", at + 1],
      ["index0", at],
      ["revindex", length - at],
      ["revindex0", length - at - 1],
    ] as const),
    ...([
      ["first", at === 0],
      ["last", at === length - 1],
      ["length", length],
    ] as const),
    ...([
      ["previtem", items[at - 1]],
      ["nextitem", items[at + 1]],
      ["cycle", cycle],
    ] as const),
  ]);
}

/** What a macro or a call's block is: its parameters, seen by its body beside the names around its definition. */
function macro(
  run: Run,
  parameters: readonly TemplateNode[],
  body: readonly TemplateNode[],
  scope: Scope,
  caller?: TemplateValue,
): TemplateValue {
  return {
    call({ positional, named }) {
      if (++run.depth > templateLimits.depth)
        throw new Error(`macros call one another more than ${templateLimits.depth} deep`);
      const own = inside(scope);
      if (caller !== undefined) own.names.set("caller", caller);
      own.names.set("varargs", positional.slice(parameters.length));
      own.names.set("kwargs", new Map([...named].filter(([name]) => name !== "caller")));
      if (named.has("caller")) own.names.set("caller", named.get("caller"));
      for (const [at, parameter] of parameters.entries()) {
        const name = parameter.type === "KeywordArgumentExpression" ? parameter.key.value : nameOf(parameter);
        const usual = parameter.type === "KeywordArgumentExpression" ? evaluate(run, parameter.value, own) : undefined;
        own.names.set(name, at < positional.length ? positional[at] : named.has(name) ? named.get(name) : usual);
      }
      const text = block(run, body, own);
      run.depth--;
      return text;
    },
  };
}

/** The name of the call that stands for {% generation %}. */
export const generation = "generation";

function callBlock(run: Run, { call, callerArgs, body }: NodeOf<"CallStatement">, scope: Scope): string {
  const caller = macro(run, callerArgs ?? [], body, scope);
  if (call.callee.type === "Identifier" && call.callee.value === generation && isCallable(caller)) {
    const text = pythonText(caller.call({ positional: [], named: new Map() }));
    return `${run.marks[0]}${text}${run.marks[1]}`;
  }
  const { positional, named } = argumentsOf(run, call.args, scope);
  return pythonText(
    called(evaluate(run, call.callee, scope), { positional, named: new Map([...named, ["caller", caller]]) }),
  );
}

function called(callee: TemplateValue, given: Arguments): TemplateValue {
  if (isCallable(callee)) return bounded(callee.call(given));
  throw new Error(
    callee === undefined ? "what is undefined is called" : `'${pythonType(callee)}' object is not callable`,
  );
}

function argumentsOf(run: Run, nodes: readonly TemplateNode[], scope: Scope): Arguments {
  const positional: TemplateValue[] = [];
  const named = new Map<string, TemplateValue>();
  for (const node of nodes) {
    if (node.type === "SpreadExpression") positional.push(...iterated(evaluate(run, node.argument, scope)));
    else if (node.type === "KeywordArgumentExpression") named.set(node.key.value, evaluate(run, node.value, scope));
    else if (node.type === "KeywordSpreadExpression") {
      const more = evaluate(run, node.argument, scope);
      if (isMapping(more)) for (const [name, value] of more) named.set(name, value);
    } else positional.push(evaluate(run, node, scope));
    if (positional.length > templateLimits.items)
      throw new Error(`it calls with more than ${templateLimits.items} values`);
  }
  return { positional, named };
}

function evaluate(run: Run, node: TemplateNode, scope: Scope): TemplateValue {
  count(run);
  return bounded(valueOfNode(run, node, scope));
}

function valueOfNode(run: Run, node: TemplateNode, scope: Scope): TemplateValue {
  const of = (inner: TemplateNode) => evaluate(run, inner, scope);
  switch (node.type) {
    case "IntegerLiteral":
    case "StringLiteral":
      return node.value;
    case "FloatLiteral":
      return { float: node.value };
    case "ArrayLiteral":
    case "TupleLiteral":
      return node.value.map(of);
    case "ObjectLiteral":
      return new Map([...node.value].map(([key, value]) => [pythonText(of(key)), of(value)]));
    case "Identifier":
      return lookUp(scope, node.value);
    case "MemberExpression":
      return member(run, node, scope);
    case "CallExpression":
      return called(of(node.callee), argumentsOf(run, node.args, scope));
    case "FilterExpression":
      return filtered(run, of(node.operand), node.filter, scope);
    case "TestExpression":
      return testNamed(node.test.value)(of(node.operand), undefined) !== node.negate;
    case "SelectExpression":
      return isTrue(of(node.test)) ? of(node.lhs) : undefined;
    case "Ternary":
      return isTrue(of(node.condition)) ? of(node.trueExpr) : of(node.falseExpr);
    case "UnaryExpression":
      return unary(node.operator.value, of(node.argument));
    case "BinaryExpression":
      return binary(run, node, scope);
    default:
      throw new Error(`a ${node.type} has no value`);
  }
}

function filtered(
  run: Run,
  value: TemplateValue,
  filter: NodeOf<"FilterExpression">["filter"],
  scope: Scope,
): TemplateValue {
  if (filter.type === "Identifier")
    return bounded(filterNamed(filter.value)(value, { positional: [], named: new Map() }));
  return bounded(filterNamed(nameOf(filter.callee))(value, argumentsOf(run, filter.args, scope)));
}

function member(
  run: Run,
  { object: inner, property, computed }: NodeOf<"MemberExpression">,
  scope: Scope,
): TemplateValue {
  const object = evaluate(run, inner, scope);
  if (computed && property.type === "SliceExpression") return sliced(run, object, property, scope);
  const key = computed || property.type === "IntegerLiteral" ? evaluate(run, property, scope) : nameOf(property);
  if (object === undefined)
    throw new Error(`${inner.type === "Identifier" ? `'${inner.value}'` : "a value"} is undefined`);
  if (isMapping(object)) return mappingMember(object, key);
  if (isNamespace(object)) return object.attributes.get(pythonText(key));
  if (typeof key === "number" && isList(object)) return object.at(key);
  if (typeof key === "number" && typeof object === "string") return [...object].at(key);
  return typeof object === "string" && typeof key === "string" ? textMethod(object, key) : undefined;
}

function mappingMember(mapping: ReadonlyMap<string, TemplateValue>, key: TemplateValue): TemplateValue {
  if (typeof key !== "string") return undefined;
  if (mapping.has(key)) return mapping.get(key);
  const methods: Readonly<Record<string, (given: Arguments) => TemplateValue>> = {
    get: ({ positional: [name, usual = null] }) =>
      mapping.has(pythonText(name)) ? mapping.get(pythonText(name)) : usual,
    items: () => [...mapping].map(([name, value]) => [name, value]),
    keys: () => [...mapping.keys()],
    values: () => [...mapping.values()],
  };
  const call = Object.hasOwn(methods, key) ? methods[key] : undefined;
  return call && { call };
}

function sliced(
  run: Run,
  object: TemplateValue,
  { start, stop, step }: NodeOf<"SliceExpression">,
  scope: Scope,
): TemplateValue {
  const bound = (node: TemplateNode | undefined) => {
    const value = node ? evaluate(run, node, scope) : undefined;
    if (value == null || typeof value === "number") return value ?? undefined;
    throw new Error("slice indices must be integers or None");
  };
  const [first, last, by = 1] = [bound(start), bound(stop), bound(step)];
  if (by === 0) throw new Error("slice step cannot be zero");
  const items = iterated(object);
  const { length } = items;
  const place = (index: number) =>
    Math.min(by > 0 ? length : length - 1, Math.max(by > 0 ? 0 : -1, index < 0 ? length + index : index));
  const from = first === undefined ? (by > 0 ? 0 : length - 1) : place(first);
  const to = last === undefined ? (by > 0 ? length : -1) : place(last);
  const kept: TemplateValue[] = [];
  for (let at = from; by > 0 ? at < to : at > to; at += by) kept.push(items[at]);
  return typeof object === "string" ? kept.join("") : kept;
}

function binary(
  run: Run,
  { operator: { value: operator }, left, right }: NodeOf<"BinaryExpression">,
  scope: Scope,
): TemplateValue {
  const a = evaluate(run, left, scope);
  if (operator === "and") return isTrue(a) ? evaluate(run, right, scope) : a;
  if (operator === "or") return isTrue(a) ? a : evaluate(run, right, scope);
  return operated(operator, a, evaluate(run, right, scope));
}
