import { strToU8, unzipSync, zipSync } from "fflate";
import { expect, test } from "vitest";
import { readTable } from "./readers.ts";
import { smallWorkbook, workbookOf } from "./workbook.fake.ts";
import { readWorkbook } from "./workbook.ts";
import { dateText } from "./workbook-dates.ts";

test("the first sheet's first row names the columns; texts, numbers and truth values are such, empty cells null", () => {
  const table = readWorkbook("t.xlsx", smallWorkbook());
  expect(table.columns).toEqual(["text", "label", "note"]);
  expect(table.rows).toEqual([
    { text: "a film", label: 5, note: null },
    { text: "b < c", label: true, note: 0.5 },
  ]);
  expect(table.placeOf(0)).toBe('t.xlsx sheet "Rows" row 3');
});

test("a sheet is read by its name, and one that is not there is refused with those that are", () => {
  expect(readWorkbook("t.xlsx", smallWorkbook(), { sheet: "The & other" }).rows).toEqual([{ text: "x" }]);
  expect(() => readWorkbook("t.xlsx", smallWorkbook(), { sheet: "Row" })).toThrow(
    't.xlsx has no sheet "Row"; did you mean "Rows"?; its sheets: Rows, The & other',
  );
});

const texts = (...cells: string[]) => cells.map((cell) => `<c t="str"><v>${cell}</v></c>`).join("");

test("the first sheet that shows cells is read, a hidden one or a chart where it is named or there is none else", () => {
  const sheet = (text: string) => `<row>${texts("text")}</row><row>${texts(text)}</row>`;
  const sheets = { Chart: "", Old: sheet("old"), New: sheet("new") };
  const book = workbookOf(sheets, [], { charts: ["Chart"], hidden: ["Old"] });
  expect(readWorkbook("t.xlsx", book).rows).toEqual([{ text: "new" }]);
  expect(readWorkbook("t.xlsx", book, { sheet: "Old" }).rows).toEqual([{ text: "old" }]);
  expect(() => readWorkbook("t.xlsx", book, { sheet: "Chart" })).toThrow("its sheets: Old, New");
  expect(readWorkbook("t.xlsx", workbookOf(sheets, [], { charts: ["Chart"], hidden: ["Old", "New"] })).rows).toEqual([
    { text: "old" },
  ]);
  expect(() => readWorkbook("t.xlsx", workbookOf({ Chart: "" }, [], { charts: ["Chart"] }))).toThrow(
    "t.xlsx has no sheet of cells",
  );
});

test("hidden rows are counted, and formulas of a workbook that is still to be computed are spoken of", () => {
  const rows =
    `<row>${texts("text", "label", "sum")}</row>` +
    `<row hidden="1">${texts("a")}<c><f>1</f><v>0</v></c><c><v>3</v></c></row>` +
    `<row>${texts("b")}<c><f>2</f><v>0</v></c><c><v>3</v></c></row>`;
  const remarksOf = (settings: string) => readWorkbook("t.xlsx", workbookOf({ A: rows }, [], { settings })).remarks;
  const hidden = "t.xlsx: 1 of its 2 rows are hidden, by a filter or by hand, and are read too";
  expect(remarksOf('<calcPr calcId="124519"/>')).toEqual([hidden]);
  expect(remarksOf('<calcPr fullCalcOnLoad="1"/>')).toEqual([
    hidden,
    expect.stringMatching(/^t\.xlsx: formulas in "label", whose values the file says are still to be computed; /),
  ]);
});

test("an old workbook, or one with a password, is refused as such", () => {
  const bytes = Uint8Array.from({ length: 600 }, (_, at) => [0xd0, 0xcf, 0x11, 0xe0][at] ?? 0);
  expect(() => readWorkbook("t.xlsx", bytes)).toThrow(
    "t.xlsx: no .xlsx workbook: it is an old .xls, or has a password",
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

const styles =
  '<numFmts><numFmt numFmtId="164" formatCode="[Red]0.0&quot; days&quot;"/><numFmt numFmtId="165" formatCode="yyyy\\-mm"/><numFmt numFmtId="166" formatCode="[h]:mm:ss"/></numFmts>' +
  '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>' +
  '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"><alignment/></xf><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="46"/></cellXfs>';

test("a number in the style of a date is the date, any other stays a number, a length of time too", () => {
  const cells = [1, 3, 2, 0, 4, 5].map((style) => `<c s="${style}"><v>45413.5</v></c>`).join("");
  const rows = `<row>${["a", "b", "c", "d", "e", "f"].map((name) => `<c t="str"><v>${name}</v></c>`).join("")}</row><row>${cells}</row>`;
  const date = "2024-05-01T12:00:00";
  expect(readWorkbook("t.xlsx", workbookOf({ A: rows }, [], { styles })).rows).toEqual([
    { a: date, b: date, c: 45413.5, d: 45413.5, e: 45413.5, f: 45413.5 },
  ]);
  expect([1, 59, 61, 0.25, 2_958_465].map((days) => dateText(days, false))).toEqual(
    ["1900-01-01", "1900-02-28", "1900-03-01", "06:00:00", "9999-12-31"], // as Excel shows them
  );
  expect([dateText(0, true), dateText(-1, false), dateText(3e6, false)]).toEqual(["1904-01-01", undefined, undefined]);
});

test("cells that are merged downwards hold for all of their rows, and a formula that was never computed is refused", () => {
  const row = (...cells: string[]) => `<row>${cells.join("")}</row>`;
  const text = (value: string) => `<c t="str"><v>${value}</v></c>`;
  const rows =
    row(text("text"), text("label")) +
    row(text("x"), text("good")) +
    row(text("y")) +
    row() +
    row(text("z"), text("bad"));
  const merged = (refs: readonly string[]) => ({
    behind: `<mergeCells>${refs.map((ref) => `<mergeCell ref="${ref}"/>`).join("")}</mergeCells>`,
  });
  const read = (...refs: string[]) => readWorkbook("t.xlsx", workbookOf({ A: rows }, [], merged(refs))).rows;
  expect(read("B2:B4").map(({ label }) => label)).toEqual(["good", "good", "bad"]);
  expect(read("A1:B1", "C1:XFD1048576")).toHaveLength(3);
  const formula = row(text("text")) + row('<c t="n"><f>A1</f><v></v></c>');
  expect(() => readWorkbook("t.xlsx", workbookOf({ A: formula }))).toThrow("t.xlsx row 2: a formula without its value");
});

test("a workbook whose parts are not what was packed is refused: one letter other, or shorter than it is", () => {
  const bytes = workbookOf({
    A: `<row><c t="str"><v>text</v></c></row>${"<row><c t='str'><v>x</v></c></row>".repeat(9)}`,
  });
  const list = Buffer.from(bytes.buffer).lastIndexOf("xl/worksheets/sheet1.xml"); // in the archive's own list of parts
  const view = new DataView(bytes.buffer);
  const sizeAt = list - 46 + 24;
  const size = view.getUint32(sizeAt, true);
  const damage = 't.xlsx: its part "xl/worksheets/sheet1.xml" is damaged: its checksum is another';
  for (const shorter of [size - 1, size - 12, size - 40, 20]) {
    view.setUint32(sizeAt, shorter, true);
    expect(() => readWorkbook("t.xlsx", bytes)).toThrow(damage);
  }
  view.setUint32(sizeAt, size, true);
  const sheet = (text: string) => strToU8(`<worksheet><row><c t="str"><v>${text}</v></c></row></worksheet>`);
  const stored = zipSync({ ...unzipSync(bytes), "xl/worksheets/sheet1.xml": sheet("good") }, { level: 0 });
  stored.set(strToU8("food"), Buffer.from(stored.buffer).indexOf("good"));
  expect(() => readWorkbook("t.xlsx", stored)).toThrow(damage);
  expect(readWorkbook("t.xlsx", bytes).rows).toHaveLength(9);
});

test("a long sheet is read in steps, each told how much of it is done, and may be ended in each", async () => {
  const cell = (text: string) => `<c t="str"><v>${text}</v></c>`;
  const rows = ["text", ...Array.from({ length: 4_500 }, (_, row) => `row ${row}`)].map(
    (text) => `<row>${cell(text)}</row>`,
  );
  const bytes = workbookOf({ A: rows.join("") });
  const shares: number[] = [];
  const read = await readTable("t.xlsx", bytes, {}, async (share) => void shares.push(share));
  expect(read.rows).toEqual(readWorkbook("t.xlsx", bytes).rows);
  expect(shares.slice(-4).map((share) => share.toFixed(1))).toEqual(["0.2", "0.4", "0.7", "0.9"]);
  const end = (share: number) => (share > 0.5 ? Promise.reject(new Error("enough")) : Promise.resolve());
  await expect(readTable("t.xlsx", bytes, {}, end)).rejects.toThrow("enough");
});

test("what no program for workbooks writes, and would be taken for a cell's text, is refused", () => {
  const refused = (text: string, behind = "") =>
    expect(() => readWorkbook("t.xlsx", workbookOf({ A: `<row><c t="str"><v>${text}</v></c></row>` }, [], { behind })));
  refused("<![CDATA[text]]>").toThrow('t.xlsx: its part "xl/worksheets/sheet1.xml" holds "<![CDATA["');
  refused("&all;", '<!DOCTYPE worksheet [<!ENTITY all "many">]>').toThrow('holds "<!DOCTYPE"');
});

test("whole numbers beyond those of JavaScript keep their digits, as texts", () => {
  const rows = ["id", "9007199254740993", "9007199254740991", "0.1"].map((value, at) =>
    at === 0 ? `<row><c t="str"><v>${value}</v></c></row>` : `<row><c><v>${value}</v></c></row>`,
  );
  const { rows: read } = readWorkbook("t.xlsx", workbookOf({ A: rows.join("") }));
  expect(read.map(({ id }) => id)).toEqual(["9007199254740993", 9007199254740991, 0.1]);
});
