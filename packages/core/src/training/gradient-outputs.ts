import { InternalError } from "../errors.ts";
import { addedRows } from "../graph/ops/scatter-nd.ts";
import type { Value } from "../graph/value.ts";
import { type Placed, viewsOf } from "../peft/phi.ts";
import type { Tensors } from "../runtime/session.ts";

/** How the gradients of Φ's tensors leave the graph and become one vector of Φ's layout. */
export interface GradientOutputs {
  /** the graph's outputs, by name */
  readonly outputs: Readonly<Record<string, Value>>;
  /** tables whose gradient leaves the graph as rows, by name */
  readonly tables: readonly string[];
  /** The parts of a vector that outputs are written into, by their names. */
  lend(vector: Float32Array): Readonly<Record<string, Float32Array>>;
  /** The whole gradient, in the memory of the vector that was lent: zeros at first, or what was collected last. */
  collect(results: Tensors, vector: Float32Array): Float32Array;
}

/**
 * Each gradient is written into its place in the vector, but that of a table whose rows were only looked up: a batch
 * touches few of them, so these rows leave the graph, and the host adds them to zeros. Otherwise the engine would fill
 * and copy tables as large as the vocabulary at every step; and memory of rows that no batch has named is never touched.
 */
export function gradientOutputs(layout: readonly Placed[], slopes: readonly Value[]): GradientOutputs {
  const tensors = layout.flatMap((placed, i) => {
    const slope = slopes[i];
    return slope ? [{ placed, slope, sparse: addedRows(slope) }] : [];
  });
  const named = new Map<string, ArrayLike<number | bigint>>();
  const whole = tensors.filter(({ sparse }) => !sparse).map(({ placed: { name } }) => name);
  return {
    tables: tensors.flatMap(({ placed: { name }, sparse }) => (sparse ? [name] : [])),
    outputs: Object.fromEntries(
      tensors.flatMap(({ placed: { name }, slope, sparse }) =>
        sparse
          ? [[rowsOf(name), sparse.rows] as const, [updatesOf(name), sparse.updates] as const]
          : [[gradientOf(name), slope] as const],
      ),
    ),
    lend(vector) {
      const views = viewsOf(layout, vector);
      return Object.fromEntries(whole.flatMap((name) => (views[name] ? [[gradientOf(name), views[name]]] : [])));
    },
    collect(results, vector) {
      const [first] = whole;
      const gradient = first === undefined ? vector : new Float32Array(float32Of(results, gradientOf(first)).buffer);
      for (const { placed, sparse } of tensors) {
        if (!sparse) continue;
        const table = gradient.subarray(placed.offset, placed.offset + placed.size);
        const width = placed.size / (placed.shape[0] ?? 1);
        const rows = results[rowsOf(placed.name)]?.data ?? [];
        clearRows(table, named.get(placed.name) ?? [], width);
        addRows(table, rows, width, float32Of(results, updatesOf(placed.name)));
        named.set(placed.name, rows);
      }
      return gradient;
    },
  };
}

const gradientOf = (name: string) => `gradient of ${name}`;
const rowsOf = (name: string) => `rows of ${name}`;
const updatesOf = (name: string) => `updates of ${name}`;

function float32Of(results: Tensors, name: string): Float32Array {
  const data = results[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new InternalError(`"${name}" should be float32`);
}

function clearRows(table: Float32Array, rows: ArrayLike<number | bigint>, width: number): void {
  for (let i = 0; i < rows.length; i++) table.fill(0, Number(rows[i]) * width, (Number(rows[i]) + 1) * width);
}

/** Adds updates to rows of a table, in their order; a row that is named twice receives both. */
function addRows(table: Float32Array, rows: ArrayLike<number | bigint>, width: number, updates: Float32Array): void {
  for (let i = 0; i < rows.length; i++) {
    const at = Number(rows[i]) * width;
    for (let column = 0; column < width; column++) table[at + column]! += updates[i * width + column]!;
  }
}
