import { expect, test } from "vitest";
import { distance, goldenBase, logitsOf } from "../checkpoints/golden.fake.ts";
import { memoryFolder } from "../containers/folder.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { adalora } from "../peft/methods/lora/adalora.ts";
import { viewsOf } from "../peft/phi.ts";
import { random } from "../tensor/random.ts";
import { loadAdapterFiles } from "./adapter-on-base.ts";
import { encodeAdapter } from "./encode-adapter.ts";

const goal = { task: "classification", labels: 3 } as const;
const first = "bert.encoder.layer.0.attention.self.query";

test("triplets that lost their E are not saved, one is kept where all did, and the logits stay", async () => {
  const { base, rows, path } = await goldenBase("bert-sequence-classification");
  const adapted = adapt(base, [adalora.use({ initialRank: 4, rank: 2 })], goal);
  const { normal } = random(1, "moved");
  const phi = await initialPhi(adapted, 1);
  for (let i = 0; i < phi.values.length; i++) phi.values[i]! += 0.2 * normal();
  const views = viewsOf(phi.layout, phi.values);
  views[`${first}.lora_E`]!.fill(0);
  views[`${first.replace("query", "value")}.lora_E`]!.fill(0, 1, 3);
  const logits = await logitsOf(adapted, phi, rows, path);
  const files = encodeAdapter({ adapted, phi }, { baseName: "base" });
  const left = Object.values<boolean[]>(JSON.parse(files["adapter_config.json"]).rank_pattern);
  expect(left.map((kept) => kept.filter(Boolean).length)).toEqual([1, 2, 4, 4, 4, 4]);
  expect(left.every((kept) => kept.length === 4)).toBe(true);
  const again = await loadAdapterFiles(memoryFolder("saved", { ...files }), base);
  // sums of fewer terms, of which the others were 0
  expect(distance(await logitsOf(again.adapted, again.phi, rows, path), logits)).toBeLessThan(1e-5);
});

test("a layer that was left no triplet computes what the base does", async () => {
  const { base, rows, path } = await goldenBase("bert-sequence-classification");
  const [none, without] = [{ rankPattern: `${first}=0` }, { exclude: [first] }].map((options) =>
    adapt(base, [adalora.use({ initialRank: 2, ...options })], goal),
  );
  const [phi, other] = [await initialPhi(none!, 1), await initialPhi(without!, 1)];
  const [E, otherE] = [viewsOf(phi.layout, phi.values), viewsOf(other.layout, other.values)];
  for (const name of Object.keys(otherE))
    if (name.endsWith("lora_E")) [E, otherE].map((views) => views[name]!.fill(0.7));
  expect(phi.layout.filter(({ name }) => name.startsWith(first)).map(({ size }) => size)).toEqual([0, 0, 0]);
  expect(await logitsOf(none!, phi, rows, path)).toEqual(await logitsOf(without!, other, rows, path));
});
