/** An element, or the text in one, as {@link markup} writes it. */
interface Element {
  readonly ownerDocument: BareDocument;
  readonly namespaceURI: string;
  readonly tagName: string;
  readonly attributes: Map<string, string>;
  childNodes: readonly Child[];
  parentNode: Element | null;
  readonly style: { setProperty(name: string, value: string): void };
}
/** What is done to an element while a chart is built. */
interface Editing {
  readonly firstChild: Child | null;
  textContent: unknown;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
  setAttribute(name: string, value: unknown): void;
  setAttributeNS(space: string, name: string, value: unknown): void;
  removeAttribute(name: string): void;
  appendChild(child: Child): Child;
  insertBefore(child: Child, next: Child | null): Child;
  append(...children: readonly (Child | string)[]): void;
  addEventListener(): void;
  querySelector(): null;
  querySelectorAll(): readonly Child[];
}

interface Text {
  readonly text: string;
  parentNode: Element | null;
}
type Child = Element | Text;

interface BareDocument {
  documentElement: Element | undefined;
  readonly defaultView: object;
  createElementNS(space: string, name: string): Element;
  createElement(name: string): Element;
  createTextNode(text: string): Text;
}

const html = "http://www.w3.org/1999/xhtml";

/** As much of a DOM document as a chart is built with outside of a browser: elements that can be made, filled and written. */
export function bareDocument(): BareDocument {
  const document: BareDocument = {
    documentElement: undefined,
    defaultView: {},
    createElementNS: (space, name) => elementOf(document, space, name),
    createElement: (name) => elementOf(document, html, name),
    createTextNode: (text) => ({ text: String(text), parentNode: null }),
  };
  document.documentElement = elementOf(document, html, "html");
  return document;
}

function elementOf(ownerDocument: BareDocument, namespaceURI: string, tagName: string): Element {
  const attributes = new Map<string, string>();
  const take = (child: Child) => {
    if (child.parentNode) child.parentNode.childNodes = child.parentNode.childNodes.filter((each) => each !== child);
    child.parentNode = element;
  };
  const element: Element & Editing = {
    ownerDocument,
    namespaceURI,
    tagName,
    attributes,
    childNodes: [] as readonly Child[],
    parentNode: null,
    style: {
      setProperty(name: string, value: string) {
        attributes.set("style", `${attributes.get("style") ?? ""}${name}: ${value}; `);
      },
    },
    getAttribute: (name: string) => attributes.get(name) ?? null,
    hasAttribute: (name: string) => attributes.has(name),
    setAttribute: (name: string, value: unknown) => attributes.set(name, String(value)),
    setAttributeNS: (_: string, name: string, value: unknown) => attributes.set(name, String(value)),
    removeAttribute: (name: string) => attributes.delete(name),
    appendChild(child: Child) {
      return element.insertBefore(child, null);
    },
    insertBefore(child: Child, next: Child | null) {
      take(child);
      const at = next ? element.childNodes.indexOf(next) : element.childNodes.length;
      element.childNodes = [...element.childNodes.slice(0, at), child, ...element.childNodes.slice(at)];
      return child;
    },
    append(...children: readonly (Child | string)[]) {
      for (const child of children)
        element.appendChild(typeof child === "string" ? ownerDocument.createTextNode(child) : child);
    },
    get firstChild(): Child | null {
      return element.childNodes[0] ?? null;
    },
    get textContent() {
      return element.childNodes.map((child) => ("text" in child ? child.text : "")).join("");
    },
    set textContent(text: unknown) {
      element.childNodes = [];
      if (text !== "") element.append(String(text));
    },
    addEventListener: () => undefined,
    querySelector: () => null,
    querySelectorAll: () => [],
  };
  return element;
}

/** Whether something is an element that a bare document has made. */
export const isElement = (value: unknown): value is Element =>
  typeof value === "object" && value !== null && "tagName" in value && "childNodes" in value;

/** An element with all that is in it, as XML. */
export function markup(child: Child): string {
  if ("text" in child) return escaped(child.text);
  const attributes = [...child.attributes].map(([name, value]) => ` ${name}="${escaped(value)}"`);
  return `<${child.tagName}${attributes.join("")}>${child.childNodes.map(markup).join("")}</${child.tagName}>`;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? "&quot;");
