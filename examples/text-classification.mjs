// One label for a text: what is a message to a shop about? Trains LoRA, saves it, loads it again and asks it.
import { fileURLToPath } from "node:url";
import { adaptTo, evaluate, loadAdapter, lora, openBase, openData, predict, saveAdapter, train } from "petl";
import { baseName } from "./base.mjs";

const messages = fileURLToPath(new URL("../packages/petl/data/messages/", import.meta.url));
const base = await openBase(baseName);
const rows = await openData(messages, base);
const model = await adaptTo(base, lora({ rank: 8, targets: "all-linear" }), rows);
for await (const event of train(model, rows, { epochs: 10, batch: 16, lr: 3e-3 })) {
  if (event.kind === "step" && event.step % 20 === 0) console.log(`step ${event.step}: loss ${event.loss.toFixed(3)}`);
}
console.log(await evaluate(model, rows.validation));
const bytes = await saveAdapter(model, "messages-adapter", { overwrite: true });
const again = await loadAdapter(base, "messages-adapter");
const [answer] = await predict(again, ["The kettle that you sent me leaks."]);
console.log(`adapter of ${bytes} bytes says: ${answer?.label} (${answer?.score?.toFixed(2)})`);
await base.close();
