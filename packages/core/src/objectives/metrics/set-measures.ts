import type { Label } from "../../data/rows/examples.ts";
import type { Measuring, Metric } from "../objective.ts";
import { logitsByItem } from "./class-measures.ts";
import { type ClassScore, classScore, wilsonInterval } from "./class-report.ts";

/** What is said of rows that have any number of classes each. */
export interface SetMeasures {
  /** the share of rows whose classes are exactly those that were answered */
  readonly accuracy: number;
  /** 2 · right / (answered + labelled), counted over all classes together */
  readonly f1_micro: number;
  /** the mean of the classes' F1 */
  readonly f1_macro: number;
  /** 95 %, Wilson's */
  readonly accuracy_interval: readonly [low: number, high: number];
  /** in the order of the ids */
  readonly per_class: readonly ClassScore[];
}

export const setMetrics: readonly Metric[] = [
  { name: "accuracy", better: "higher" },
  { name: "f1_micro", better: "higher" },
  { name: "f1_macro", better: "higher" },
];

/** Measures rows of logits [batch, labels] by their labels, 0 or 1, of the same shape; a label is answered where its logit is above 0. */
export function measureLabelSets(labels: readonly Label[]): Measuring<SetMeasures> {
  const counts = labels.map(() => ({ right: 0, answered: 0, support: 0 }));
  const rows = { all: 0, exact: 0 };
  return {
    add(logits, { data }) {
      const { classes, of } = logitsByItem(logits);
      for (let row = 0; row < data.length / classes; row++) {
        const answered = of(row);
        let exact = true;
        for (const [id, count] of counts.entries()) {
          const [said, has] = [(answered[id] ?? 0) > 0, Number(data[row * classes + id]) === 1];
          if (said) count.answered++;
          if (has) count.support++;
          if (said && has) count.right++;
          if (said !== has) exact = false;
        }
        rows.all++;
        if (exact) rows.exact++;
      }
    },
    result() {
      const per_class = labels.map((label, id) => ({ label, ...classScore(counts[id] ?? none) }));
      const together = counts.reduce(
        (sum, { right, answered, support }) => ({
          right: sum.right + right,
          answered: sum.answered + answered,
          support: sum.support + support,
        }),
        none,
      );
      const accuracy = rows.exact / rows.all;
      return {
        accuracy,
        f1_micro: classScore(together).f1,
        f1_macro: per_class.reduce((sum, { f1 }) => sum + f1, 0) / per_class.length,
        accuracy_interval: wilsonInterval(accuracy, rows.all),
        per_class,
      };
    },
  };
}

const none = { right: 0, answered: 0, support: 0 };
