/** Predicted and true class of each item. */
export interface Classified {
  readonly predicted: ArrayLike<number>;
  readonly actual: ArrayLike<number>;
}

/** The share of items whose class was predicted. */
export function accuracy({ predicted, actual }: Classified): number {
  let right = 0;
  for (let i = 0; i < actual.length; i++) if (predicted[i] === actual[i]) right++;
  return right / actual.length;
}

/** The mean over the classes that occur, among labels or predictions, of 2 · true positives / (labelled + predicted). */
export function f1Macro(items: Classified): number {
  const { right, labelled, predicted } = counts(items);
  const classes = [...new Set([...labelled.keys(), ...predicted.keys()])];
  const scores = classes.map((c) => (2 * (right.get(c) ?? 0)) / ((labelled.get(c) ?? 0) + (predicted.get(c) ?? 0)));
  return scores.reduce((sum, score) => sum + score, 0) / classes.length;
}

/**
 * Matthews' correlation for any number of classes (Gorodkin 2004, Comput. Biol. Chem. 28):
 * (c s − Σ pₖ tₖ) / √((s² − Σ pₖ²)(s² − Σ tₖ²)), with c right of s items, pₖ predicted and tₖ labelled as class k.
 * 0 where all items have, or get, one class.
 */
export function matthews(items: Classified): number {
  const { right, labelled, predicted } = counts(items);
  const s = items.actual.length;
  const c = [...right.values()].reduce((sum, n) => sum + n, 0);
  let [cross, squaredP, squaredT] = [0, 0, 0];
  for (const [k, t] of labelled) {
    cross += t * (predicted.get(k) ?? 0);
    squaredT += t * t;
  }
  for (const p of predicted.values()) squaredP += p * p;
  const deviation = Math.sqrt((s * s - squaredP) * (s * s - squaredT));
  return deviation === 0 ? 0 : (c * s - cross) / deviation;
}

function counts({ predicted, actual }: Classified) {
  const [right, labelled, given] = [new Map<number, number>(), new Map<number, number>(), new Map<number, number>()];
  const count = (map: Map<number, number>, key: number) => map.set(key, (map.get(key) ?? 0) + 1);
  for (let i = 0; i < actual.length; i++) {
    const [a, p] = [actual[i] ?? -1, predicted[i] ?? -1];
    count(labelled, a);
    count(given, p);
    if (a === p) count(right, a);
  }
  return { right, labelled, predicted: given };
}

/** Pearson's correlation; 0 where one side does not vary. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  let [cross, squaredA, squaredB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [(a[i] ?? 0) - meanA, (b[i] ?? 0) - meanB];
    cross += x * y;
    squaredA += x * x;
    squaredB += y * y;
  }
  const deviation = Math.sqrt(squaredA * squaredB);
  return deviation === 0 ? 0 : cross / deviation;
}

/** Spearman's correlation: Pearson's of the ranks, equal values sharing their mean rank. */
export const spearman = (a: ArrayLike<number>, b: ArrayLike<number>): number => pearson(ranks(a), ranks(b));

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => (values[i] ?? 0) - (values[j] ?? 0));
  const result = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1] ?? 0] === values[order[from] ?? 0]) to++;
    for (let k = from; k <= to; k++) result[order[k] ?? 0] = (from + to) / 2 + 1;
    from = to + 1;
  }
  return result;
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum / values.length;
}
