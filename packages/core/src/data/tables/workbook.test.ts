import { expect, test } from "vitest";
import { smallWorkbook, workbookOf } from "./workbook.fake.ts";
import { readWorkbook } from "./workbook.ts";

test("the first sheet's first row names the columns; texts, numbers and truth values are such, empty cells null", () => {
  const table = readWorkbook("t.xlsx", smallWorkbook());
  expect(table.columns).toEqual(["text", "label", "note"]);
  expect(table.rows).toEqual([
    { text: "a film", label: 5, note: null },
    { text: "b < c", label: true, note: 0.5 },
  ]);
  expect(table.placeOf(0)).toBe("t.xlsx row 3");
});

test("a sheet is read by its name, and one that is not there is refused with those that are", () => {
  expect(readWorkbook("t.xlsx", smallWorkbook(), { sheet: "The & other" }).rows).toEqual([{ text: "x" }]);
  expect(() => readWorkbook("t.xlsx", smallWorkbook(), { sheet: "Row" })).toThrow(
    't.xlsx has no sheet "Row"; did you mean "Rows"?; its sheets: Rows, The & other',
  );
});

test("a workbook without rows, with a name twice or with cells beyond the header is refused", () => {
  const of = (rows: string) => () => readWorkbook("t.xlsx", workbookOf({ A: rows }));
  const row = (...cells: string[]) => `<row>${cells.map((cell) => `<c t="str"><v>${cell}</v></c>`).join("")}</row>`;
  expect(of("")).toThrow("t.xlsx has no rows");
  expect(of(row("text"))).toThrow("t.xlsx has a header and no rows");
  expect(of(row("a", "a") + row("1", "2"))).toThrow('t.xlsx row 1: the header names "a" twice');
  expect(of(row("a") + row("1", "2"))).toThrow("t.xlsx row 2: a cell stands right of the last named column");
});
