import type { Label } from "../../data/rows/examples.ts";
import { argmax } from "../answers/probabilities.ts";
import type { Measuring, Metric } from "../objective.ts";
import { type ClassMeasures, classMetrics, logitsByItem, measureClasses } from "./class-measures.ts";
import { areTags, type EntityMeasures, entityCounts } from "./entities.ts";

export type TagMeasures = ClassMeasures & Partial<EntityMeasures>;

/** Those of entities are there where the classes are tags of entities. */
export const tagMetrics: readonly Metric[] = [
  ...classMetrics,
  { name: "entity_f1", better: "higher" },
  { name: "entity_precision", better: "higher" },
  { name: "entity_recall", better: "higher" },
];

/** Measures tokens by their classes, and where these are tags the entities too.  logits: [batch, tokens, classes] */
export function measureTags(labels: readonly Label[]): Measuring<TagMeasures> {
  const names = labels.map(String);
  const classes = measureClasses(labels);
  const entities = areTags(names) ? entityCounts() : undefined;
  return {
    add(logits, actual) {
      classes.add(logits, actual);
      if (!entities) return;
      const { of } = logitsByItem(logits);
      const [rows = 0, tokens = 0] = actual.shape;
      for (let row = 0; row < rows; row++) {
        const places = Array.from({ length: tokens }, (_, token) => row * tokens + token);
        const labelled = places.filter((place) => Number(actual.data[place]) >= 0);
        entities.add(
          labelled.map((place) => names[Number(actual.data[place])] ?? "O"),
          labelled.map((place) => names[argmax(of(place))] ?? "O"),
        );
      }
    },
    result: (sums) => ({ ...classes.result(sums), ...entities?.result() }),
  };
}
