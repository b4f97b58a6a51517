import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { InputError } from "../../errors.ts";
import { readTable } from "./readers.ts";
import { walkStructure } from "./thrift.ts";

const sound = new Uint8Array(readFileSync(new URL("../../../golden/data/small-lz4.parquet", import.meta.url)));

/** A file whose footer is these bytes. */
function withFooter(footer: readonly number[]): Uint8Array {
  const length = new Uint8Array(Uint32Array.of(footer.length).buffer);
  return new Uint8Array([
    ...new TextEncoder().encode("PAR1"),
    ...footer,
    ...length,
    ...new TextEncoder().encode("PAR1"),
  ]);
}

/** Heads of fields: the field's number less the one before, and its type. */
const [text, list, structure, whole] = [0x18, 0x19, 0x1c, 0x16] as const;
const minusSix = [0xfa, 0xff, 0xff, 0xff, 0x0f];

/** A footer without rows, whose root "s" has the column "a" of so many columns. */
const footerOf = (children: number): readonly number[] => {
  const column = [0x48, 1, 97, 0x15, (children << 1) ^ (children >> 31), 0];
  return [0x15, 4, list, 0x2c, 0x48, 1, 115, 0x15, 2, 0, ...column, 0x16, 0, list, 0x0c, 0];
};

test.each<[string, readonly number[], RegExp]>([
  ["a text of a length below zero, which leads back", [text, ...minusSix, 0], /4294967290 bytes, where 1 are left/],
  ["a list of more values than bytes", [list, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x07, 0], /2147483647 values in 1 bytes/],
  ["lists of lists without end", [list, ...Array<number>(5000).fill(0x19), 0], /nested more than 32 deep/],
  ["structures of structures without end", Array<number>(5000).fill(structure), /nested more than 32 deep/],
  ["a number without an end", [whole, ...Array<number>(5000).fill(0xff), 0], /a number of more than 10 bytes/],
  ["a structure without an end", [whole, 2], /a structure without an end/],
  ["a type that Thrift does not know", [0x1e, 0], /the unknown type 14/],
  ["a column of columns below zero, which leads back", footerOf(-1), /a column of -1 columns, where the schema has 2/],
  ["a column of columns that do not follow", footerOf(1), /a schema of 2 columns, whose parts are 2/],
  ["no bytes at all", [], /without the footer of Parquet/],
])("a footer of %s is refused by the file's name", async (_, footer, reason) => {
  const error = await readTable("rows.parquet", withFooter(footer)).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(InputError);
  expect(String(error)).toMatch(/^InputError: rows\.parquet: no Parquet file that can be read: /);
  expect(String(error)).toMatch(reason);
});

test("a sound footer is walked to its last byte", () => {
  const view = new DataView(sound.buffer, sound.byteOffset, sound.byteLength);
  const end = sound.byteLength - 8;
  expect(walkStructure(new DataView(sound.buffer, sound.byteOffset, end), end - view.getUint32(end, true))).toBe(end);
});

test("maps and sets, which Parquet does not use, are walked over too", () => {
  const bytes = Uint8Array.of(0x1b, 1, 0x58, 4, 1, 65, 0x1a, 0x25, 2, 4, 0);
  expect(walkStructure(new DataView(bytes.buffer), 0)).toBe(bytes.length);
});
