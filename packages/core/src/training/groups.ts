import type { Placed } from "../peft/phi.ts";
import type { Group } from "./optimizers.ts";
import type { TrainingSettings } from "./settings.ts";

/** The stretches of Φ with a rate or a decay of their own: the head's, LoRA's B, what is not decayed. */
export function optimizerGroups(layout: readonly Placed[], settings: TrainingSettings): readonly Group[] {
  const groups: Group[] = [];
  for (const tensor of layout) {
    const group = {
      start: tensor.offset,
      end: tensor.offset + tensor.size,
      rate: rateOf(tensor, settings),
      weightDecay: isDecayed(tensor, settings) ? settings.weightDecay : 0,
    };
    const last = groups.at(-1);
    const continues = last?.end === group.start && last.rate === group.rate && last.weightDecay === group.weightDecay;
    if (last && continues) groups[groups.length - 1] = { ...last, end: group.end };
    else groups.push(group);
  }
  return groups;
}

function rateOf({ name, part }: Placed, { lr, headLr, loraPlus }: TrainingSettings): number {
  if (part === "head" && headLr !== undefined) return lr === 0 ? 0 : headLr / lr;
  return /\.lora_(embedding_)?B(\.weight)?$/.test(name) ? loraPlus : 1;
}

/** Hugging Face's Trainer leaves out biases and the parameters of layer norms. */
function isDecayed({ name }: Placed, { noDecay }: TrainingSettings): boolean {
  if (noDecay.includes("bias") && name.endsWith("bias")) return false;
  return !(noDecay.includes("norm") && /(norm|\.ln_\w)\.(weight|bias)$/i.test(name));
}
