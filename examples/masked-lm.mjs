// Adapts a language model to the words of a field, here gardening, from plain text: no labels are needed.
import { adaptTo, bitfit, evaluate, openBase, openData, train } from "petl";
import { baseName, data } from "./base.mjs";

const base = await openBase(baseName);
const texts = await openData(data("garden.csv"), base, { task: "masked-lm", validation: 0.1 });
const model = await adaptTo(base, bitfit(), texts);
const before = await evaluate(model, texts.train);
for await (const event of train(model, texts, { epochs: 30, batch: 8, lr: 5e-3 })) {
  if (event.kind === "step" && event.step % 30 === 0) console.log(`step ${event.step}: loss ${event.loss.toFixed(3)}`);
}
const after = await evaluate(model, texts.train);
console.log(`perplexity on its texts: ${before.perplexity?.toFixed(1)} before, ${after.perplexity?.toFixed(1)} after`);
console.log("on texts that it did not read:", (await evaluate(model, texts.validation)).perplexity?.toFixed(1));
await base.close();
