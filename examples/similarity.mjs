// A number for two texts: how much do they mean the same, from 0 to 5? The task is guessed from the scores' fractions.
import { adaptTo, evaluate, lora, openBase, openData, predict, train } from "petl";
import { baseName, data } from "./base.mjs";

const base = await openBase(baseName);
const pairs = await openData(data("similarity.csv"), base, { validation: 0.25 });
console.log(pairs.remarks.join("; "));
const model = await adaptTo(base, lora({ rank: 8, targets: "all-linear" }), pairs);
for await (const event of train(model, pairs, { epochs: 20, batch: 10, lr: 3e-3, evaluateEvery: 20 })) {
  if (event.kind === "evaluation") console.log(`step ${event.step}:`, event.evaluation);
}
const [answer] = await predict(model, [["A cat sleeps on the roof.", "On the roof a cat is asleep."]]);
console.log(`similarity ${answer?.score?.toFixed(2)}, mean squared error`, (await evaluate(model, pairs.train)).loss);
await base.close();
