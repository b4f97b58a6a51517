import fc from "fast-check";
import { expect, test } from "vitest";
import type { EncodedExample } from "../rows/encode.ts";
import { collate, sideBySide } from "./collate.ts";

const ids = (...values: number[]) => Int32Array.from(values);

test("rows stand side by side, padded on the right, masked and typed", () => {
  const rows: EncodedExample[] = [
    { inputIds: ids(5, 6, 7), tokenTypeIds: ids(0, 1, 1), target: { kind: "class", id: 2 } },
    { inputIds: ids(8), attentionMask: ids(1), target: { kind: "class", id: 0 } },
  ];
  expect(collate(rows, 9)).toEqual({
    input_ids: { dtype: "int32", shape: [2, 3], data: ids(5, 6, 7, 8, 9, 9) },
    attention_mask: { dtype: "int32", shape: [2, 3], data: ids(1, 1, 1, 1, 0, 0) },
    token_type_ids: { dtype: "int32", shape: [2, 3], data: ids(0, 1, 1, 0, 0, 0) },
    labels: { dtype: "int32", shape: [2], data: ids(2, 0) },
    items: 2,
  });
});

test("a mask that the row brings is kept", () => {
  const { attention_mask } = collate([{ inputIds: ids(1, 2, 3), attentionMask: ids(0, 1, 1) }], 0);
  expect(attention_mask.data).toEqual(ids(0, 1, 1));
});

test("token labels are padded with -100, and only labels that count are counted", () => {
  const rows: EncodedExample[] = [
    { inputIds: ids(1, 2, 3), target: { kind: "tokens", ids: ids(-100, 4, -100) } },
    { inputIds: ids(1, 2), target: { kind: "tokens", ids: ids(0, 1) } },
  ];
  const { labels, items } = collate(rows, 0);
  expect([labels, items]).toEqual([{ dtype: "int32", shape: [2, 3], data: ids(-100, 4, -100, 0, 1, -100) }, 3]);
});

test("numbers are float32, and rows without targets give no labels", () => {
  const { labels } = collate([{ inputIds: ids(1), target: { kind: "value", value: 2.5 } }], 0);
  expect(labels).toEqual({ dtype: "float32", shape: [1], data: Float32Array.of(2.5) });
  expect(collate([{ inputIds: ids(1) }], 0)).toMatchObject({ items: 0 });
  expect(collate([{ inputIds: ids(1) }], 0)).not.toHaveProperty("labels");
});

test("a batch of mixed targets is refused", () => {
  const rows: EncodedExample[] = [{ inputIds: ids(1), target: { kind: "class", id: 0 } }, { inputIds: ids(2) }];
  expect(() => collate(rows, 0)).toThrow("mixes rows");
});

test("the mask says exactly where every row's own ids stand", () => {
  const row = fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (rows) => {
      const batch = collate(
        rows.map((values) => ({ inputIds: Int32Array.from(values) })),
        77,
      );
      const width = batch.input_ids.shape[1]!;
      const back = rows.map((_, r) => {
        const cells = [...batch.input_ids.data].slice(r * width, (r + 1) * width).map(Number);
        return cells.filter((_cell, c) => Number(batch.attention_mask.data[r * width + c]) === 1);
      });
      expect(back).toEqual(rows);
      expect(width).toBe(Math.max(...rows.map((values) => values.length)));
    }),
  );
});

test("batches side by side are the batch of all their rows", () => {
  const row = (length: number, id: number) => ({
    inputIds: Int32Array.from({ length }, (_, at) => id + at),
    tokenTypeIds: new Int32Array(length).fill(1),
    target: { kind: "class", id } as const,
  });
  const [first, second] = [
    [row(2, 10), row(5, 20)],
    [row(7, 30), row(1, 40)],
  ];
  expect(sideBySide([collate(first, 3), collate(second, 3)], 3)).toEqual(collate([...first, ...second], 3));
});
