import { type Evaluation, type Label, mostFrequent, shownLabel } from "@petl/core";

/** The single numbers of an evaluation, by name. */
export const figures = (evaluation: object): readonly (readonly [name: string, value: number])[] =>
  Object.entries(evaluation).flatMap(([name, value]) => (typeof value === "number" ? [[name, value] as const] : []));

/** An evaluation for people: its numbers, then a line for each class, then which class was taken for which. */
export function* evaluationLines(evaluation: Evaluation): Generator<string> {
  const { accuracy_interval: interval, majority, per_class: classes, per_entity: entities, confusion } = evaluation;
  for (const [name, value] of figures(evaluation)) {
    const bounds = name === "accuracy" && interval ? `  (95 %: ${interval.map(shown).join(" to ")})` : "";
    yield `${name.padEnd(18)} ${shown(value)}${bounds}`;
  }
  if (majority) yield `${"majority".padEnd(18)} ${shown(majority.accuracy)}  (always "${shownLabel(majority.label)}")`;
  if (classes) {
    const frequent = mostFrequent(classes);
    yield* scoreTable("label", frequent);
    const more = classes.length - frequent.length;
    if (more > 0) yield `and ${more.toLocaleString("en-US")} labels that are rarer; --json has all`;
  }
  if (entities) yield* scoreTable("entity", entities);
  if (confusion && classes && classes.length <= mostColumns)
    yield* confusionTable(
      classes.map(({ label }) => shownLabel(label)),
      confusion,
    );
}

const shown = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(4));

/** More columns than this no terminal shows side by side. */
const mostColumns = 20;

type Scores = Omit<NonNullable<Evaluation["per_class"]>[number], "label"> & { readonly label: Label };

const scoreTable = (what: string, rows: readonly Scores[]): readonly string[] =>
  tableLines([
    [what, "precision", "recall", "f1", "support"],
    ...rows.map(({ label, precision, recall, f1, support }) => [
      shownLabel(label),
      ...[precision, recall, f1].map((value) => value.toFixed(4)),
      String(support),
    ]),
  ]);

const confusionTable = (labels: readonly string[], counts: readonly (readonly number[])[]): readonly string[] =>
  tableLines([["true \\ predicted", ...labels], ...counts.map((row, id) => [labels[id] ?? "", ...row.map(String)])]);

/** An empty line and the rows, names on the left and numbers on the right of their columns. */
export function tableLines(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const line = (row: readonly string[]) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(width(at)) : cell.padStart(width(at)))).join("  ");
  return ["", ...rows.map(line)];
}
