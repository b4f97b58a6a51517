import { attributeOf, elementsOf } from "./xml.ts";

/**
 * The formats of dates and times that every workbook has, by number (ECMA-376 part 1, 18.8.30); 46 counts hours beyond a day,
 * which is a length of time and no date.
 */
const isDateFormat = (id: number) =>
  within(id, 14, 22) || within(id, 27, 36) || id === 45 || id === 47 || within(id, 50, 58);
const within = (id: number, first: number, last: number) => id >= first && id <= last;

/**
 * Whether a format's own code shows a date: one of its letters stands outside of quotes, brackets and escapes. Hours, minutes
 * or seconds in brackets are counted beyond a day: a length of time.
 */
const isDateCode = (code: string) =>
  !/\[(?:h+|m+|s+)\]/i.test(code) && /[ymdhs]/i.test(code.replace(/"[^"]*"|\[[^\]]*\]|[\\_*]./g, ""));

/** The cell styles that show dates, by their index. @param styles xl/styles.xml */
export function dateStyles(styles: string): ReadonlySet<number> {
  const own = new Map<number, boolean>();
  for (const { head } of elementsOf(styles, "numFmt"))
    own.set(Number(attributeOf(head, "numFmtId")), isDateCode(attributeOf(head, "formatCode") ?? ""));
  const [cells] = elementsOf(styles, "cellXfs");
  const formats = [...elementsOf(cells?.body ?? "", "xf")].map(({ head }) => Number(attributeOf(head, "numFmtId")));
  return new Set(formats.flatMap((id, style) => ((own.get(id) ?? isDateFormat(id)) ? [style] : [])));
}

/** Days that Excel counts to the last one of the year 9999. */
const lastDay = 2_958_466;
const secondsOfDay = 86_400;

/**
 * A date as ISO 8601 writes it, of the days that Excel counts: `2024-05-01`, `2024-05-01T12:30:00`, and below one day
 * `12:30:00`. Undefined where the number is no date.
 * @param from1904 whether day 0 is the first of 1904, else the last of 1899
 */
export function dateText(days: number, from1904: boolean): string | undefined {
  if (!(days >= 0 && days < lastDay)) return undefined;
  const seconds = Math.round(days * secondsOfDay);
  // Excel knows a 29th of February 1900, which never was
  const start = from1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, days < 60 ? 31 : 30);
  const text = new Date(start + seconds * 1000).toISOString().slice(0, 19);
  if (days < 1 && !from1904) return text.slice(11);
  return seconds % secondsOfDay === 0 ? text.slice(0, 10) : text;
}
