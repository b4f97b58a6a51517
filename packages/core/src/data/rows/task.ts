import { InputError } from "../../errors.ts";
import { isNone, isNumber } from "./cells.ts";
import { type ExampleSet, isLabelled, type Label, rowLabel } from "./examples.ts";
import { shownLabel } from "./shown-label.ts";

/** The tasks that labelled rows can stand for. */
type LabelledTask = "classification" | "regression" | "multi-label" | "token-classification" | "causal-lm";

/** A task and, in words, what in the data speaks for it. */
interface TaskGuess {
  readonly task: LabelledTask;
  readonly why: string;
}

/**
 * The task that the labels of a data set stand for: prompts with completions and conversations mean a causal language model, a label for
 * every word or token token classification, a list of them for a text multi-label classification, numbers of which one has a fraction regression
 * (also where some rows say that there is none, which a regression then refuses), everything else classification.
 * @throws InputError when the rows have no labels.
 */
export function guessTask(set: ExampleSet): TaskGuess {
  const first = set.examples[0];
  if (!first || !isLabelled(set)) {
    const { text, leftOut = [] } = set.columns;
    const others = leftOut.length === 0 ? "" : ` (${leftOut.slice(0, 20).join(", ")})`;
    throw new InputError(
      `${set.name} has no labels beside "${text}", so its task can't be guessed; name the column${others} with \`label\`, or the task with \`task\``,
    );
  }
  if (first.kind === "completion") return { task: "causal-lm", why: "rows are prompts with completions" };
  if (first.kind === "messages") return { task: "causal-lm", why: "rows are conversations" };
  if (set.examples.some((example) => example.kind === "text" && example.labels))
    return { task: "multi-label", why: "rows have lists of labels" };
  if (set.examples.some((example) => "labels" in example)) {
    const what = first.kind === "words" ? "word" : "token";
    return { task: "token-classification", why: `every ${what} has a label` };
  }
  const labels = new Set<Label | undefined>();
  for (const example of set.examples) labels.add(rowLabel(example));
  const all = [...labels];
  const numeric = all.every(isNumber);
  const measured = numeric || all.every((label) => isNumber(label) || isNoNumber(label));
  const fraction = measured ? all.find((label) => isNumber(label) && !Number.isInteger(Number(label))) : undefined;
  if (fraction !== undefined) {
    const place = set.placeOf(set.examples.findIndex((example) => rowLabel(example) === fraction));
    return { task: "regression", why: `labels are numbers, and ${place} has ${fraction}` };
  }
  const distinct = [...new Set(all.map(String))];
  const kind = numeric && distinct.every((label) => String(Number(label)) === label) ? "integers" : "names";
  const few = distinct.slice(0, 4).map(shownLabel).join(", ");
  return {
    task: "classification",
    why: `labels are ${distinct.length} ${kind} (${few}${distinct.length > 4 ? ", …" : ""})`,
  };
}

/** What stands for a number that is none, or has no bounds. */
const isNoNumber = (label: Label | undefined): boolean =>
  typeof label === "string" && (isNone(label) || /^[+-]?inf(?:inity)?$/i.test(label));
