import { strToU8, zipSync } from "fflate";

/**
 * A workbook of sheets whose cells stand as XML; `styles` is the inside of its style sheet, `behind` what follows the cells,
 * `hidden` the titles of hidden sheets, `charts` of those that hold a chart alone, `settings` what follows the list of sheets.
 */
export const workbookOf = (
  sheets: Readonly<Record<string, string>>,
  shared: readonly string[] = [],
  {
    styles = "",
    behind = "",
    settings = "",
    hidden = [],
    charts = [],
  }: {
    readonly styles?: string;
    readonly behind?: string;
    readonly settings?: string;
    readonly hidden?: readonly string[];
    readonly charts?: readonly string[];
  } = {},
): Uint8Array =>
  zipSync({
    "xl/workbook.xml": strToU8(
      `<workbook><sheets>${Object.keys(sheets)
        .map(
          (title, at) =>
            `<sheet name="${title}" sheetId="${at + 1}"${hidden.includes(title) ? ' state="hidden"' : ""} r:id="rId${at + 1}"/>`,
        )
        .join("")}</sheets>${settings}</workbook>`,
    ),
    "xl/_rels/workbook.xml.rels": strToU8(
      `<Relationships>${Object.keys(sheets)
        .map(
          (title, at) =>
            `<Relationship Id="rId${at + 1}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${charts.includes(title) ? "chartsheet" : "worksheet"}" Target="worksheets/sheet${at + 1}.xml"/>`,
        )
        .join("")}</Relationships>`,
    ),
    "xl/styles.xml": strToU8(`<styleSheet>${styles}</styleSheet>`),
    "xl/sharedStrings.xml": strToU8(`<sst>${shared.map((text) => `<si>${text}</si>`).join("")}</sst>`),
    ...Object.fromEntries(
      Object.values(sheets).map((rows, at) => [
        `xl/worksheets/sheet${at + 1}.xml`,
        strToU8(`<worksheet><sheetData>${rows}</sheetData>${behind}</worksheet>`),
      ]),
    ),
  });

/** Texts, numbers, truth values and an empty cell. */
export const smallWorkbook = (): Uint8Array =>
  workbookOf(
    {
      Rows:
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>label</t></is></c><c r="C1" t="str"><v>note</v></c></row>' +
        '<row r="3"><c r="A3" t="s"><v>1</v></c><c r="B3"><v>5</v></c></row>' +
        '<row r="4"><c r="A4" t="str"><f>A3</f><v>b &lt; c</v></c><c r="B4" t="b"><v>1</v></c><c r="C4"><v>0.5</v></c></row>',
      "The &amp; other": '<row><c t="str"><v>text</v></c></row><row><c t="str"><v>x</v></c></row>',
    },
    ["<t>text</t>", '<r><t>a </t></r><r><t xml:space="preserve">film</t></r><rPh sb="0" eb="1"><t>no</t></rPh>'],
  );
