import { expect, test } from "vitest";
import { goldenBase, wholeArchitectures } from "../checkpoints/golden.fake.ts";
import { labelCount } from "../models/models.ts";
import { adapt } from "./adapt.ts";
import { contractCases } from "./contract-cases.fake.ts";
import { bottleneck } from "./methods/bottleneck/bottleneck.ts";
import { full } from "./methods/full.ts";

/** A norm that a method reads inside of its site and that is trained: its place in Φ is in front of the method's own tensors. */
const inside = { title: "pfeiffer and full", methods: [bottleneck.use({ placement: "pfeiffer" }), full.use({})] };

test.each(wholeArchitectures)("what %s announces once gives Φ the layout of the graph that computes", async (name) => {
  const { base } = await goldenBase(`${name}-sequence-classification`);
  const goal = { task: "classification", labels: labelCount(base.config) } as const;
  for (const { title, methods, refused } of [inside, ...contractCases].map((each) => ({ refused: {}, ...each }))) {
    if (base.model.modelType in refused) continue;
    const { layout, forward } = adapt(base, methods, goal);
    const names = forward().phi.map(({ source }) => source.kind === "input" && source.name);
    expect(names, title).toEqual(layout.map((placed) => placed.name));
  }
});
