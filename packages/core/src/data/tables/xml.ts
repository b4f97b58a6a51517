/** An element's attributes as they stand, and what stands in it. */
interface XmlElement {
  readonly head: string;
  readonly body: string;
  /** where the text goes on behind it */
  readonly end: number;
}

/**
 * The elements of a name, in their order, found by their tags alone; one does not hold another of its name, as in the
 * tables of workbooks. Prefixes of name spaces are passed over. Takes time by the text's length.
 */
export function* elementsOf(xml: string, name: string): Iterable<XmlElement> {
  const open = new RegExp(`<(?:[A-Za-z0-9]+:)?${name}(?=[\\s/>])`, "g");
  for (let found = open.exec(xml); found; found = open.exec(xml)) {
    const end = xml.indexOf(">", open.lastIndex);
    if (end < 0) return;
    const head = xml.slice(open.lastIndex, end);
    if (head.endsWith("/")) {
      yield { head: head.slice(0, -1), body: "", end: end + 1 };
      continue;
    }
    const closing = `</${found[0].slice(1)}`;
    const close = xml.indexOf(closing, end);
    if (close < 0) return;
    open.lastIndex = close + closing.length;
    yield { head, body: xml.slice(end + 1, close), end: open.lastIndex };
  }
}

/** An attribute's value; undefined where the element has none of the name. */
export function attributeOf(head: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(head);
  const value = found?.[1] ?? found?.[2];
  return value === undefined ? undefined : xmlText(value);
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** A text without its entities; Excel's own, `_x000D_`, too. */
export function xmlText(xml: string): string {
  const plain = xml.replaceAll(/&(#x?[0-9a-fA-F]{1,6}|[a-z]{2,4});/g, (whole, entity: string) => {
    if (!entity.startsWith("#")) return entities[entity] ?? whole;
    const code = entity.startsWith("#x") ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
  return plain.replaceAll(/_x([0-9A-F]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
