// One label for a text: what does a hotel guest want? Trains LoRA, saves it, loads it again and asks it.
import { fileURLToPath } from "node:url";
import { adaptTo, evaluate, loadAdapter, lora, openBase, openData, predict, saveAdapter, train } from "petl";
import { baseName } from "./base.mjs";

const hotel = fileURLToPath(new URL("../packages/petl/demo-data/hotel.csv", import.meta.url));
const base = await openBase(baseName);
const rows = await openData(hotel, base, { validation: 0.25 });
const model = await adaptTo(base, lora({ rank: 8, targets: "all-linear" }), rows);
for await (const event of train(model, rows, { epochs: 10, batch: 16, lr: 5e-3 })) {
  if (event.kind === "step" && event.step % 20 === 0) console.log(`step ${event.step}: loss ${event.loss.toFixed(3)}`);
}
console.log(await evaluate(model, rows.validation));
const bytes = await saveAdapter(model, "hotel-adapter", { overwrite: true });
const again = await loadAdapter(base, "hotel-adapter");
const [answer] = await predict(again, ["Please cancel our booking for May."]);
console.log(`adapter of ${bytes} bytes says: ${answer?.label} (${answer?.score.toFixed(2)})`);
await base.close();
