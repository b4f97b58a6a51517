/**
 * Something the user can mend: a flag, a file, a field. The command line prints it as it is and exits 2.
 * Problems found together are thrown together: one line each.
 */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[]) {
    const list = typeof problems === "string" ? [problems] : problems;
    super(list.join("\n"));
    this.problems = list;
  }
}

/** A run that failed by what happened in it, such as a loss that is no number. The command line prints it and exits 1. */
export class RunError extends Error {
  override readonly name = "RunError";
}

/** Something only petl's authors can mend. The command line prints it with its stack and exits 1. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** Throws one InputError that holds every problem, or returns when there is none. */
export function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new InputError(problems);
}

/** A value of any kind as messages quote it, at most some eighty letters long. */
export function shown(value: unknown): string {
  const text = textOf(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function textOf(value: unknown): string {
  if (typeof value === "function") return "a function";
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value); // a circle, or a bigint
  }
}

/** `"q_lim"` among `["q_lin", "k_lin"]` gives `; did you mean "q_lin"?`, or nothing where no name is near. */
export function suggestion(given: string, allowed: Iterable<string>): string {
  let best: { name: string; distance: number } | undefined;
  for (const name of allowed) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (!best || distance < best.distance) best = { name, distance };
  }
  return best && best.distance <= Math.max(1, Math.floor(best.name.length / 3)) ? `; did you mean "${best.name}"?` : "";
}

/** Edits that lead from one word to the other: a letter more, less or changed, or two neighbours swapped. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(substitution, at(i - 1, j) + 1, at(i, j - 1) + 1, isSwap ? at(i - 2, j - 2) + 1 : a.length + b.length),
      );
    }
  }
  return at(a.length, b.length);
}

/** One thing that is wrong with a value, as a schema says it. */
export interface SchemaIssue {
  /** zod's name of its kind */
  readonly code?: string | undefined;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly expected?: string | undefined;
  readonly values?: readonly unknown[];
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean | undefined;
}

/** What reads a value from outside, as zod's schemas do: declarations of public names know no more of it. */
export interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly SchemaIssue[] } };
}

/**
 * What a schema says is wrong, a line each: the place of the value behind `place`, and the reason.
 * `schemaProblems(issues, "config.json: ")` gives `config.json: hidden_size: invalid input: …`
 */
export const schemaProblems = (issues: readonly SchemaIssue[], place = ""): readonly string[] =>
  issues.map(({ path, message }) => `${place}${path.join(".")}: ${message.toLowerCase()}`);
