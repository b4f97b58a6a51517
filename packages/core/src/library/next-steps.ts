import type { Evaluation } from "../training/evaluate.ts";

/** What is known of a training that has ended. */
export interface TrainingEnd {
  /** mean loss of the first steps and of the last ones; undefined where there were too few */
  readonly losses: { readonly first: number; readonly last: number } | undefined;
  /** rows that were trained on */
  readonly rows: number;
  readonly evaluation: Evaluation | undefined;
}

/** Rows below which a held-out share says little. */
const fewHeldOut = 200;

/** What to try next, in words, what helps most first; empty where nothing stands out. */
export function nextSteps({ losses, rows, evaluation }: TrainingEnd): readonly string[] {
  return [
    ...(losses && losses.last > 0.8 * losses.first
      ? [
          `the loss has hardly fallen (${shown(losses.first)} to ${shown(losses.last)}): try more \`epochs\` or a larger \`lr\``,
        ]
      : []),
    ...(losses && evaluation && isByHeart(losses.last, evaluation)
      ? [
          `the ${rows} rows are known by heart (loss ${shown(losses.last)} on them, ${shown(evaluation.loss)} on others): more rows help most; fewer \`epochs\` or \`earlyStop\` may`,
        ]
      : []),
    ...(evaluation ? [...neverRight(evaluation), ...confused(evaluation), ...uncertain(evaluation)] : []),
  ];
}

const shown = (value: number): string => String(Number(value.toPrecision(2)));

const isByHeart = (last: number, { loss, accuracy }: Evaluation): boolean =>
  accuracy !== undefined && loss > 0.3 && last < loss / 3;

function neverRight({ per_class: classes = [] }: Evaluation): readonly string[] {
  const never = classes.filter(({ recall, support }) => support >= 3 && recall === 0).map(({ label }) => `"${label}"`);
  if (never.length === 0) return [];
  const named = never.length <= 5 ? never.join(", ") : `${never.slice(0, 5).join(", ")} and ${never.length - 5} more`;
  return [
    `never right on ${named}: more rows of ${never.length === 1 ? "it" : "them"}, or \`classWeights: "balanced"\``,
  ];
}

/** The pair of labels that is mixed up most, where that is a fifth of its rows. */
function confused({ per_class: classes = [], confusion = [] }: Evaluation): readonly string[] {
  const pairs = confusion.flatMap((counts, row) => {
    const of = counts.reduce((sum, count) => sum + count, 0);
    return counts.flatMap((count, column) => (row === column ? [] : [{ count, of, row, column }]));
  });
  const [worst] = pairs.sort((a, b) => b.count - a.count);
  if (!worst || worst.count < 3 || worst.count < worst.of / 5) return [];
  const [label, answer] = [classes[worst.row]?.label, classes[worst.column]?.label];
  return [
    `"${label}" is most often taken for "${answer}" (${worst.count} of ${worst.of}): read such rows, as \`report\` shows them`,
  ];
}

function uncertain({ examples, accuracy_interval: interval }: Evaluation): readonly string[] {
  if (!interval || examples >= fewHeldOut) return [];
  const [low, high] = interval.map((bound) => `${(100 * bound).toFixed(0)} %`);
  return [
    `${examples} held-out rows leave the accuracy between ${low} and ${high}: to tell two settings apart, name more rows with \`validation\``,
  ];
}
