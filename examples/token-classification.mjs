// A label for every word: people, places and times.
import { adaptTo, evaluate, openBase, openData, predictWords, topLayers, train } from "petl";
import { baseName, data } from "./base.mjs";

const base = await openBase(baseName);
const texts = await openData(data("words.jsonl"), base, { validation: 0.2 });
const model = await adaptTo(base, topLayers({ count: 2 }), texts);
for await (const event of train(model, texts, { epochs: 15, batch: 8, lr: 2e-3, headLr: 1e-2 })) {
  if (event.kind === "evaluation") console.log(event.evaluation);
}
const words = ["Clara", "sails", "to", "Oslo", "on", "Monday", "."];
const [answers] = await predictWords(model, [{ words }]);
console.log(words.map((word, i) => `${word}/${answers?.[i]?.label}`).join(" "));
console.log("on the rows that it learned from:", (await evaluate(model, texts.train)).accuracy);
await base.close();
