import { batchDim, type Dim, lengthUnder, tokensDim } from "../tensor/shape.ts";
import { type Body, isBody, partsOf } from "./body.ts";
import type { Node, Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

/** Where the part of a graph ends that gives the same for a row whenever it is asked. */
interface FrozenCut {
  /** Values to keep: float32, of each row of the batch some vectors, or some for each of its tokens. */
  readonly kept: readonly Value[];
  /** the share of the graph's products that need not be made again where they are kept */
  readonly savedShare: number;
}

/** What kinds of inputs a graph has. */
interface Inputs {
  /** whether an input is the batch's rows and always the same for a row */
  isRow(name: string): boolean;
  /** whether it may differ from run to run */
  isMoving(name: string): boolean;
}

/** Lengths at which products and bytes are compared; their ratio hardly depends on them. */
const usualLengths = new Map([
  [batchDim, 1],
  [tokensDim, 64],
  ["chunks", 1],
  ["rows", 64],
]);
const lengthOf = (dim: Dim): number => lengthUnder(dim, usualLengths) ?? 1;

/**
 * Finds the cheapest set of values that separates what depends on moving inputs from what does not: those that a moving
 * node reads and that cost products to make. One that is made of others in few operations, or that has no rows of its own,
 * gives way to those where that keeps no more numbers.
 *
 * @returns undefined where nothing that costs products stays the same
 */
export function frozenCut(outputs: readonly Value[], inputs: Inputs): FrozenCut | undefined {
  const nodes = nodesOf(outputs);
  const { moving, costly } = kindsOf(nodes, inputs);
  const frontier = new Set<Value>();
  for (const node of nodes) {
    if (!node.outputs.some((value) => moving.has(value))) continue;
    for (const operand of node.inputs) if (costly.has(operand) && !moving.has(operand)) frontier.add(operand);
  }
  const operandsOf = ({ source }: Value): readonly Value[] =>
    source.kind === "node" ? [...new Set(source.node.inputs)].filter((operand) => costly.has(operand)) : [];
  const kept = cheapest(frontier, operandsOf);
  if (kept.length === 0) return undefined;
  const left = new Set(nodesWithout(outputs, new Set(kept)));
  const total = sum(nodes.map(productsOf));
  return { kept, savedShare: total === 0 ? 0 : sum(nodes.filter((node) => !left.has(node)).map(productsOf)) / total };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

/** A node's products, those of a graph inside it with them. */
function productsOf(node: Node): number {
  const products = node.operator.products(node);
  const body = bodyOf(node);
  return (products === undefined ? 0 : lengthOf(products)) + (body ? sum(partsOf(body).nodes.map(productsOf)) : 0);
}

/** What depends on moving inputs, and what depends on rows and has cost products. */
function kindsOf(nodes: readonly Node[], inputs: Inputs) {
  const [moving, rows, costly] = [new Set<Value>(), new Set<Value>(), new Set<Value>()];
  for (const node of nodes) {
    for (const operand of node.inputs) {
      if (operand.source.kind !== "input") continue;
      if (inputs.isRow(operand.source.name)) rows.add(operand);
      else if (inputs.isMoving(operand.source.name)) moving.add(operand);
    }
    const any = (values: ReadonlySet<Value>) => node.inputs.some((operand) => values.has(operand));
    const ofRows = any(rows);
    const costs = any(costly) || (ofRows && node.operator.products(node) !== undefined);
    for (const value of node.outputs) {
      if (any(moving)) moving.add(value);
      if (ofRows) rows.add(value);
      if (costs && !moving.has(value)) costly.add(value);
    }
  }
  return { moving, costly };
}

/** The values of a frontier, each in the place of those it is made of, as long as that keeps no more numbers. */
function cheapest(frontier: ReadonlySet<Value>, operandsOf: (value: Value) => readonly Value[]): readonly Value[] {
  const kept = new Set(frontier);
  for (let changed = true; changed; ) {
    changed = false;
    for (const value of kept) {
      const operands = operandsOf(value);
      const more = sum(operands.filter((operand) => !kept.has(operand)).map(numbersOf));
      const cheap =
        value.source.kind === "node" && value.source.node.operator.products(value.source.node) === undefined;
      const gives = !isKeepable(value) || (cheap && operands.every(isKeepable) && more <= numbersOf(value));
      if (!gives) continue;
      kept.delete(value);
      for (const operand of operands) kept.add(operand);
      changed = true;
      break;
    }
  }
  return [...kept];
}

const numbersOf = ({ shape }: Value): number => shape.reduce((product: number, dim) => product * lengthOf(dim), 1);

/** Whether each row has a part of its own: one vector, or one for each of its tokens. */
const isKeepable = ({ dtype, shape: [rows, ...others] }: Value): boolean =>
  dtype === "float32" &&
  rows === batchDim &&
  others.filter((dim) => dim === tokensDim).length <= 1 &&
  others.every((dim) => dim === tokensDim || typeof dim === "number");

/** The nodes that outputs need where some values are given. */
function nodesWithout(outputs: readonly Value[], given: ReadonlySet<Value>): readonly Node[] {
  const found = new Set<Node>();
  const open = [...outputs];
  for (let value = open.pop(); value; value = open.pop()) {
    if (value.source.kind !== "node" || given.has(value) || found.has(value.source.node)) continue;
    found.add(value.source.node);
    open.push(...value.source.node.inputs);
  }
  return [...found];
}

const bodyOf = ({ attributes }: Node): Body | undefined => Object.values(attributes).find(isBody);
