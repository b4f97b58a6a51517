import { sameShape } from "../tensor/shape.ts";
import { FusedMatMul } from "./ops/matmul.ts";
import { slice } from "./ops/slice.ts";
import { rewritten } from "./rewritten.ts";
import { input, type Node, type Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

/** An input in place of several: what is fed of them, one behind the other along the second last axis. */
export interface JoinedInput {
  readonly name: string;
  readonly of: readonly string[];
}

/**
 * The same values, where several products of one value with matrices of each row's own, which nothing else reads, are one:
 *   x [A₁; A₂]ᵀ = [x A₁ᵀ, x A₂ᵀ]    x: [batch, tokens, k], Aᵢ: [batch, nᵢ, k]
 */
export function joinedProducts(values: readonly Value[]): {
  readonly values: readonly Value[];
  readonly joined: readonly JoinedInput[];
} {
  const groups = groupsOf(nodesOf(values));
  const partOf = new Map(groups.flatMap((group) => group.parts.map((part) => [part.matrix, { group, part }] as const)));
  const products = new Map<Group, Value>();
  const made = rewritten(values, ({ operator, inputs: [x, matrix], attributes }) => {
    const found = operator === FusedMatMul && x && matrix ? partOf.get(matrix) : undefined;
    if (!found || !x) return undefined;
    const { group, part } = found;
    const product = products.get(group) ?? FusedMatMul.apply([x, group.matrix], attributes).outputs[0] ?? x;
    products.set(group, product);
    return [slice(product, -1, part.start, part.end)];
  });
  return { values: made, joined: groups.map(({ name, of }) => ({ name, of })) };
}

interface Group extends JoinedInput {
  readonly matrix: Value;
  readonly parts: readonly { readonly matrix: Value; readonly start: number; readonly end: number }[];
}

function groupsOf(nodes: readonly Node[]): readonly Group[] {
  const reads = new Map<Value, number>();
  for (const value of nodes.flatMap(({ inputs }) => inputs)) reads.set(value, (reads.get(value) ?? 0) + 1);
  const alike: Factors[][] = [];
  for (const factors of nodes.flatMap((node) => factorsOf(node) ?? [])) {
    if (reads.get(factors.matrix) !== 1) continue;
    const group = alike.find(([first]) => first && areTogether(first, factors));
    if (group) group.push(factors);
    else alike.push([factors]);
  }
  return alike.flatMap((group) => (group.length > 1 ? [asOne(group)] : []));
}

/** alpha · x Aᵀ, with an A of each row that is fed */
interface Factors {
  readonly x: Value;
  readonly matrix: Value;
  readonly name: string;
  readonly alpha: unknown;
}

function factorsOf({ operator, inputs: [x, matrix], attributes }: Node): Factors | undefined {
  const { transA, transB, transBatchB, alpha } = attributes;
  if (operator !== FusedMatMul || transA === 1 || transB !== 1 || transBatchB === 1) return undefined;
  if (!x || matrix?.source.kind !== "input" || matrix.shape.length !== 3) return undefined;
  return { x, matrix, name: matrix.source.name, alpha };
}

const areTogether = (a: Factors, b: Factors): boolean =>
  a.x === b.x && a.alpha === b.alpha && sameShape(a.matrix.shape.toSpliced(1, 1), b.matrix.shape.toSpliced(1, 1));

function asOne(group: readonly Factors[]): Group {
  let length = 0;
  const parts = group.map(({ matrix }) => {
    const start = length;
    length += Number(matrix.shape[1]);
    return { matrix, start, end: length };
  });
  const of = group.map((factors) => factors.name);
  const name = of.join(" + ");
  const [batch = 1, , inner = 1] = group[0]?.matrix.shape ?? [];
  return { name, of, parts, matrix: input(name, group[0]?.matrix.dtype ?? "float32", [batch, length, inner]) };
}
