import { expect, test } from "vitest";
import { goldenBase, goldenJson } from "../checkpoints/golden.fake.ts";
import { collate } from "../data/batches/collate.ts";
import { encodeExamples } from "../data/rows/encode.ts";
import type { Example } from "../data/rows/examples.ts";
import { labelMap, labelNames } from "../data/rows/labels.ts";
import { input } from "../graph/value.ts";
import { labelCount } from "../models/models.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { tensorsOf } from "../peft/phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import { float32, int32 } from "../tensor/host-tensor.ts";
import { minimised } from "../training/minimised.ts";
import { weightOf } from "./labels/class-weights.ts";
import { measureClasses } from "./metrics/class-measures.ts";
import { entityCounts } from "./metrics/entities.ts";
import { measureLabelSets } from "./metrics/set-measures.ts";
import { objectiveOf } from "./objectives.ts";

const losses: readonly ReturnType<typeof goldenJson>[] = goldenJson("objectives/losses.json").cases;
const metrics = goldenJson("objectives/metrics.json");
const sums = { loss: 0, items: 1, right: 0 };

test.each(losses)(
  "$model as $task with $options: the loss is torch's",
  async ({ model, task, labels, options, loss }) => {
    const { base, path, rows } = await goldenBase(model);
    const count = labelCount(base.config);
    const adapted = adapt(base, [], { task, labels: count, trainsHead: false });
    const examples = rows.map((row, i): Example => {
      const given = Array.isArray(labels[i]) ? { labels: Int32Array.from(labels[i]) } : { label: labels[i] };
      const [ids, mask, types] = [row.input_ids, row.attention_mask, row.token_type_ids];
      return {
        kind: "tokens",
        inputIds: Int32Array.from(ids),
        ...(mask && { attentionMask: Int32Array.from(mask) }),
        ...(types && { tokenTypeIds: Int32Array.from(types) }),
        ...given,
      };
    });
    const set = { name: "rows", examples, placeOf: (row: number) => `row ${row}`, columns: { text: "input_ids" } };
    const rule = objectiveOf(task).targets(labelMap(labelNames(count, undefined)));
    const batch = collate(encodeExamples(set, rule, { maxLength: 64 }), base.model.sizes.padId);
    const { labelSmoothing = 0, classWeights } = options;
    const noise = { key: input("noise", "int64", []), dropout: 0 };
    const { loss: sum, feed } = minimised(adapted, { training: { noise, labelSmoothing, classWeights } });
    const program = await compile(nativeEngine(path), { sum });
    const found = await program.run({ ...tensorsOf(await initialPhi(adapted, 0)), ...feed(batch) });
    await program.release();
    const items = classWeights ? weightOf(batch.labels, classWeights) : batch.items;
    expect(Number(found.sum?.data[0]) / items).toBeCloseTo(loss, 4); // float32 on other kernels
  },
);

test.each([0, 1])("classes %i: what is said of answers is what scikit-learn and scipy say", (at) => {
  const { classes, actual, logits, expected } = metrics.classes[at];
  const measuring = measureClasses(Array.from({ length: classes }, (_, id) => id));
  measuring.add(
    float32([actual.length, classes], Float32Array.from(logits.flat())),
    int32([actual.length], Int32Array.from(actual)),
  );
  closeTo(measuring.result(sums), expected);
});

test("of sets of classes what is said is what scikit-learn says", () => {
  const [{ classes, actual, logits, expected }] = metrics.sets;
  const shape = [actual.length, classes];
  const measuring = measureLabelSets(Array.from({ length: classes }, (_, id) => id));
  measuring.add(float32(shape, Float32Array.from(logits.flat())), float32(shape, Float32Array.from(actual.flat())));
  closeTo(measuring.result(sums), expected);
});

test("of entities what is said is what seqeval says", () => {
  const [{ actual, predicted, expected }] = metrics.entities;
  const counts = entityCounts();
  for (const [row, tags] of actual.entries()) counts.add(tags, predicted[row]);
  closeTo(counts.result(), expected);
});

/** Numbers within 1e-6, since logits are float32 here; labels are numbers of classes or names. */
function closeTo(found: unknown, expected: unknown, place = "result"): void {
  if (typeof expected === "number") expect(Number(found), place).toBeCloseTo(expected, 6);
  else if (typeof expected !== "object" || expected === null) expect(found, place).toEqual(expected);
  else
    for (const [name, value] of Object.entries(expected))
      closeTo(Reflect.get(Object(found), name), value, `${place}.${name}`);
}
