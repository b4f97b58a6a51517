import { adapt } from "../../../peft/adapt.ts";
import type { AdapterNumbers } from "../../../peft/adapter.ts";
import type { MethodUse } from "../../../peft/method.ts";
import { dora } from "../../../peft/methods/lora/dora.ts";
import { lora } from "../../../peft/methods/lora/lora.ts";
import { type LowRank, rankAndScale } from "../../../peft/methods/lora/low-rank.ts";
import { settle } from "../../../peft/settle.ts";

/**
 * A trained adapter in the form in which it is saved, its LoRA and DoRA with the scale 1 and their own multiplied into B, so
 * that one graph computes every alpha.
 */
export function unitScale(trained: AdapterNumbers): AdapterNumbers {
  const settled = settle(trained);
  const { adapted, phi } = settled;
  const own = new Map(adapted.methods.filter(isLowRank).map(({ name, options }) => [name, options as LowRank]));
  if (own.size === 0) return settled;
  const values = phi.values.slice();
  for (const { name, offset, size, method = "" } of adapted.layout) {
    const path = /^(.*)\.lora_(?:embedding_B|B\.weight)$/.exec(name)?.[1];
    const options = own.get(method);
    if (path === undefined || !options) continue;
    const { scale } = rankAndScale(path, options);
    for (let i = offset; i < offset + size; i++) values[i] = (values[i] ?? 0) * scale;
  }
  const methods = adapted.methods.map((use) => {
    const method = [lora, dora].find(({ name }) => name === use.name);
    const { rank: alpha, rankPattern: alphaPattern } = use.options as LowRank;
    return method?.use({ ...use.options, alpha, alphaPattern, rankStabilized: false }) ?? use;
  });
  const again = adapt(adapted.base, methods, adapted.goal);
  return { adapted: again, phi: { ...phi, layout: again.layout, values } };
}

const isLowRank = ({ name }: MethodUse): boolean => name === lora.name || name === dora.name;
