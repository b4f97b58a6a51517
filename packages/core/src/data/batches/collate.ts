import { InternalError } from "../../errors.ts";
import { float32, type HostTensor, int32 } from "../../tensor/host-tensor.ts";
import type { EncodedExample } from "../rows/encode.ts";
import { ignoredLabel } from "../rows/examples.ts";
import type { Target } from "../rows/target.ts";

/** Rows side by side, padded on the right to the longest of them. */
export interface Batch {
  /** [batch, tokens], the padding token behind a row's end. */
  readonly input_ids: HostTensor;
  /** [batch, tokens], 1 where a row has a token that it may attend to, 0 behind its end. */
  readonly attention_mask: HostTensor;
  /** [batch, tokens], 0 where the rows have none; models without token types leave it aside. */
  readonly token_type_ids: HostTensor;
  /** [batch, tokens], of which text of its row each token is, from 1, and 0 behind the row's end; absent where rows are one text. */
  readonly documents?: HostTensor;
  /**
   * What the rows are trained to give: int32 [batch] for a class, float32 [batch] for numbers, float32 [batch, labels]
   * for any number of classes, int32 [batch, tokens] for classes of tokens, [batch, 1 + tokens] behind
   * a prompt, -100 where none counts. Absent where the rows have no targets.
   */
  readonly labels?: HostTensor;
  /** float32 [batch, size], the teacher's vectors; absent where the rows have none. */
  readonly teacher?: HostTensor;
  /** Number of things with a label, which the loss is the mean over: rows, or tokens. 0 without targets. */
  readonly items: number;
}

/** A batch of a data set's rows. */
export interface NumberedBatch extends Batch {
  /** which rows these are, by their places; left out where nobody asks */
  readonly rows?: readonly number[];
}

/** One batch from its rows. Targets must be of one kind, and of all rows or none. */
export function collate(examples: readonly EncodedExample[], padId: number): Batch {
  const tokens = Math.max(0, ...examples.map(({ inputIds }) => inputIds.length));
  const padded = (rows: readonly (Int32Array | undefined)[], fill: number) => pad(rows, tokens, fill);
  return {
    input_ids: padded(
      examples.map((example) => example.inputIds),
      padId,
    ),
    attention_mask: padded(
      examples.map((example) => example.attentionMask ?? new Int32Array(example.inputIds.length).fill(1)),
      0,
    ),
    token_type_ids: padded(
      examples.map((example) => example.tokenTypeIds),
      0,
    ),
    ...(examples.some(({ documents }) => documents) && {
      documents: padded(
        examples.map(({ documents, inputIds }) => documents ?? inputIds.map(() => 1)),
        0,
      ),
    }),
    ...teachers(examples),
    ...targets(
      examples.map((example) => example.target),
      tokens,
    ),
  };
}

/** Batches of one kind as one, each behind the other, padded on the right to the longest row of all. */
export function sideBySide(batches: readonly Batch[], padId: number): Batch {
  const tokens = Math.max(0, ...batches.map(({ input_ids }) => input_ids.shape[1] ?? 0));
  const rows = (of: (batch: Batch) => HostTensor | undefined, fill: number): HostTensor =>
    pad(
      batches.flatMap((batch) => rowsOf(of(batch))),
      tokens,
      fill,
    );
  const labels = batches.flatMap((batch) => batch.labels ?? []);
  return {
    input_ids: rows((batch) => batch.input_ids, padId),
    attention_mask: rows((batch) => batch.attention_mask, 0),
    token_type_ids: rows((batch) => batch.token_type_ids, 0),
    ...(batches.some(({ documents }) => documents) && { documents: rows((batch) => batch.documents, 0) }),
    ...(labels.length > 0 && { labels: joinedLabels(labels, tokens) }),
    items: batches.reduce((sum, { items }) => sum + items, 0),
  };
}

function rowsOf(tensor: HostTensor | undefined): readonly Int32Array[] {
  if (tensor?.dtype !== "int32") throw new InternalError("a batch's tokens should be int32");
  const [rows = 0, length = 0] = tensor.shape;
  return Array.from({ length: rows }, (_, row) => tensor.data.subarray(row * length, (row + 1) * length));
}

function joinedLabels(all: readonly HostTensor[], tokens: number): HostTensor {
  const [first] = all;
  const rows = all.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  if (first?.dtype === "int32" && first.shape.length === 2) return pad(all.flatMap(rowsOf), tokens, ignoredLabel);
  const numbers = all.flatMap(({ data }) => Array.from(data, Number));
  const wholeShape = [rows, ...(first?.shape.slice(1) ?? [])];
  return first?.dtype === "int32"
    ? int32(wholeShape, Int32Array.from(numbers))
    : float32(wholeShape, Float32Array.from(numbers));
}

function teachers(examples: readonly EncodedExample[]): Pick<Batch, "teacher"> {
  const vectors = examples.flatMap(({ teacher }) => (teacher ? [teacher] : []));
  const [first] = vectors;
  if (!first) return {};
  if (vectors.length !== examples.length) throw new InternalError("a batch mixes rows with and without a teacher");
  return { teacher: stacked(vectors) };
}

/** Vectors of one length: [rows, length]. */
function stacked(vectors: readonly Float32Array[]): HostTensor {
  const length = vectors[0]?.length ?? 0;
  const data = new Float32Array(vectors.length * length);
  for (const [row, vector] of vectors.entries()) data.set(vector, row * length);
  return float32([vectors.length, length], data);
}

function pad(rows: readonly (Int32Array | undefined)[], tokens: number, fill: number): HostTensor {
  const data = new Int32Array(rows.length * tokens).fill(fill);
  for (const [row, values] of rows.entries()) if (values) data.set(values, row * tokens);
  return int32([rows.length, tokens], data);
}

function targets(all: readonly (Target | undefined)[], tokens: number): Pick<Batch, "labels" | "items"> {
  const given = all.filter((target) => target !== undefined);
  if (given.length === 0) return { items: 0 };
  const [classes, values, rows] = [ofKind(given, "class"), ofKind(given, "value"), ofKind(given, "tokens")];
  const count = all.length;
  if (classes.length === count) {
    const ids = Int32Array.from(classes, ({ id }) => id);
    return { labels: int32([count], ids), items: count };
  }
  if (values.length === count) {
    const numbers = Float32Array.from(values, ({ value }) => value);
    return { labels: float32([count], numbers), items: count };
  }
  const sets = ofKind(given, "classes").map(({ has }) => has);
  if (sets.length === count) return { labels: stacked(sets), items: count };
  if (rows.length !== count) throw new InternalError("a batch mixes rows with and without targets, or their kinds");
  const labels = rows.map(({ ids }) => ids);
  const items = labels.reduce((sum, ids) => sum + ids.filter((id) => id !== ignoredLabel).length, 0);
  return { labels: pad(labels, Math.max(tokens, ...labels.map(({ length }) => length)), ignoredLabel), items };
}

function ofKind<K extends Target["kind"]>(all: readonly Target[], kind: K): Extract<Target, { kind: K }>[] {
  return all.filter((target): target is Extract<Target, { kind: K }> => target.kind === kind);
}
