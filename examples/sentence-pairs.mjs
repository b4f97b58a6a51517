// One label for two texts: are two messages about the same thing? Two methods on one open base, trained in turn.
import { adaptTo, bottleneck, evaluate, full, openBase, openData, predict, train } from "petl";
import { baseName, data } from "./base.mjs";

const base = await openBase(baseName);
const pairs = await openData(data("pairs.csv"), base, { validation: 0.25 });
const adapters = {
  bottleneck: { model: await adaptTo(base, bottleneck({ size: 32 }), pairs), lr: 3e-3 },
  full: { model: await adaptTo(base, full(), pairs), lr: 5e-4 },
};
for (const [name, { model, lr }] of Object.entries(adapters)) {
  for await (const event of train(model, { train: pairs.train }, { epochs: 12, batch: 12, lr })) {
    if (event.kind === "step" && event.epoch % 4 === 0) console.log(`${name}: loss ${event.loss.toFixed(3)}`);
  }
  const [answer] = await predict(model, [["I was charged twice.", "You took the money two times."]]);
  const { accuracy, examples } = await evaluate(model, pairs.validation);
  console.log(`${name}: ${answer?.label} (${answer?.score?.toFixed(2)}); accuracy ${accuracy} on ${examples} pairs`);
}
await base.close();
