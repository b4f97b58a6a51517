import {
  asRead,
  type ExampleSet,
  heads,
  type OpenModel,
  objectiveOf,
  predictionsOf,
  type StopSignal,
  textAnswer,
} from "@petl/core";

/** A row on which a model is furthest off. */
export interface WorstRow {
  /** the file and the line */
  readonly place: string;
  readonly text: string;
  readonly label: string;
  readonly answer: string;
  /** the probability that the row's label was given; where labels are numbers, the distance to it */
  readonly figure: number;
}

export interface WorstRowsOptions {
  /** how many rows */
  readonly count: number;
  /** tokens after which texts are cut */
  readonly maxLength?: number | undefined;
  readonly signal: StopSignal;
}

/**
 * The rows that a model answers worst, the worst first: by the probability of the row's own label, or by the distance to its
 * number. None where rows have no one label, or come as tokens.
 */
export async function worstRows(
  model: OpenModel,
  set: ExampleSet,
  { count, maxLength, signal }: WorstRowsOptions,
): Promise<readonly WorstRow[]> {
  const { head, answer, hasClasses } = objectiveOf(model.adapted.goal.task);
  if (!answer || heads[head].of !== "text" || !set.examples.every(({ kind }) => kind === "text")) return [];
  const found: WorstRow[] = [];
  let at = 0;
  for await (const prediction of predictionsOf(model, asRead(model, set, maxLength).rows, { batch: 32, signal })) {
    const example = set.examples[at];
    const said = textAnswer(prediction, model);
    if (example?.kind === "text" && example.label !== undefined && said.labels === undefined) {
      const { label } = example;
      found.push({
        place: set.placeOf(at),
        text: [example.text, example.pair].filter(Boolean).join(" ⏐ "),
        label: String(label),
        answer: said.scores ? String(said.label) : said.score.toPrecision(4),
        figure: said.scores ? (said.scores[String(label)] ?? 0) : Math.abs(said.score - Number(label)),
      });
    }
    at++;
  }
  const order = hasClasses ? 1 : -1;
  return found.sort((a, b) => order * (a.figure - b.figure)).slice(0, count);
}
