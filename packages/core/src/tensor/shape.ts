/**
 * A length along one axis: a number, or a symbolic length whose value is known only when a batch arrives.
 * Symbolic lengths are polynomials in named symbols with integer coefficients, written canonically,
 * so that equal lengths are equal strings: `batch`, `batch*tokens`, `tokens+8`, `tokens+-1`.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** The two symbols that every model's inputs bring: rows of the batch, and (padded) tokens of a row. */
export const batchDim = "batch";
export const tokensDim = "tokens";

/** monomial (sorted symbols joined by `*`, empty for the constant) -> coefficient */
type Polynomial = ReadonlyMap<string, number>;

const isInteger = (factor: string) => /^-?\d+$/.test(factor);

function parse(dim: Dim): Polynomial {
  if (typeof dim === "number") return new Map([["", dim]]);
  const terms = new Map<string, number>();
  for (const term of dim.split("+")) {
    const factors = term.split("*");
    const coefficient = factors.filter(isInteger).reduce((product, factor) => product * Number(factor), 1);
    const monomial = factors
      .filter((factor) => !isInteger(factor))
      .sort()
      .join("*");
    terms.set(monomial, (terms.get(monomial) ?? 0) + coefficient);
  }
  return terms;
}

function print(terms: Polynomial): Dim {
  const present = [...terms].filter(([, coefficient]) => coefficient !== 0);
  const symbolic = present.filter(([monomial]) => monomial !== "").sort(([a], [b]) => (a < b ? -1 : 1));
  const constant = terms.get("") ?? 0;
  if (symbolic.length === 0) return constant;
  const texts = symbolic.map(([monomial, coefficient]) =>
    coefficient === 1 ? monomial : `${coefficient}*${monomial}`,
  );
  return [...texts, ...(constant === 0 ? [] : [String(constant)])].join("+");
}

/** a + b */
export function plus(a: Dim, b: Dim): Dim {
  const sum = new Map(parse(a));
  for (const [monomial, coefficient] of parse(b)) sum.set(monomial, (sum.get(monomial) ?? 0) + coefficient);
  return print(sum);
}

/** a · b */
export function times(a: Dim, b: Dim): Dim {
  const product = new Map<string, number>();
  for (const [left, m] of parse(a)) {
    for (const [right, n] of parse(b)) {
      const monomial = [...left.split("*"), ...right.split("*")].filter(Boolean).sort().join("*");
      product.set(monomial, (product.get(monomial) ?? 0) + m * n);
    }
  }
  return print(product);
}

/** Number of elements; 1 for a scalar. */
export function elements(shape: Shape): Dim {
  return shape.reduce<Dim>(times, 1);
}

/** The terms of a length: each a coefficient and the symbols it is multiplied with. */
export function termsOf(dim: Dim): readonly { readonly coefficient: number; readonly symbols: readonly string[] }[] {
  return [...parse(dim)].map(([monomial, coefficient]) => ({
    coefficient,
    symbols: monomial.split("*").filter(Boolean),
  }));
}

/** The length under given values of its symbols; undefined where one has no value. */
export function lengthUnder(dim: Dim, symbols: ReadonlyMap<string, number>): number | undefined {
  let sum = 0;
  for (const term of termsOf(dim)) {
    let product = term.coefficient;
    for (const symbol of term.symbols) product *= symbols.get(symbol) ?? Number.NaN;
    sum += product;
  }
  return Number.isNaN(sum) ? undefined : sum;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** NumPy's broadcasting: axes aligned from the right, length 1 stretches. Undefined where two lengths disagree. */
export function broadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - (rank - a.length)] ?? 1;
    const right = b[axis - (rank - b.length)] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return undefined;
    result.push(left === 1 ? right : left);
  }
  return result;
}

/** Axis counted from the front: -1 is the last one. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
