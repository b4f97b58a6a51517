import type { Label } from "./examples.ts";

/** What reading one row gives: an example, or what is wrong with it. */
export type RowResult<E> = { readonly example: E } | { readonly problems: readonly string[] };

/** A label from a cell: undefined where there is none, null where the cell can't be one. */
export function labelOf(value: unknown): Label | undefined | null {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return value.trim() === "" ? undefined : value.trim();
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/**
 * Any number of labels from a cell: those of a list, or of a text what a separator parts; undefined where the cell is one
 * label or none, null where the list holds anything but labels.
 */
export function labelsIn(value: unknown, separator: string | undefined): readonly Label[] | undefined | null {
  const parts = separator !== undefined && typeof value === "string" ? value.split(separator) : value;
  if (!Array.isArray(parts)) return undefined;
  const labels = parts.map(labelOf);
  const empty = typeof value === "string"; // between separators there may be nothing
  const known = empty ? labels.filter((label) => label !== undefined) : labels;
  const found = known.flatMap((label) => label ?? []);
  return found.length === known.length ? found : null;
}

/** Whether a label is a number, or a cell that is written as one. */
export const isNumber = (label: Label | undefined): boolean =>
  typeof label === "number" || (typeof label === "string" && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(label));

/** How programs write that there is nothing, or that they could not compute it; in a text or a label it is hardly meant. */
export const isNone = (text: string): boolean =>
  /^(?:null|nan|none|nil|n\/a|na|undefined|<na>|#(?:n\/a|ref!|name\?|value!|div\/0!|num!|null!|spill!|calc!))$/i.test(
    text.trim(),
  );

/** The field of an example's label, left out where there is none. */
export function withLabel(label: Label | undefined | null): { label?: Label } {
  return label === undefined || label === null ? {} : { label };
}

/** A value's kind for a message: `a number`, `null`, `missing`. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Uint8Array) return "bytes that are no UTF-8";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
