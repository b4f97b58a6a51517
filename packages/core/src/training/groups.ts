import { isBias, isNorm } from "../nn/scope.ts";
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

function rateOf({ part, rate }: Placed, settings: TrainingSettings): number {
  const { lr, headLr } = settings;
  if (part === "head" && headLr !== undefined) return lr === 0 ? 0 : headLr / lr;
  return rate === undefined ? 1 : settings[rate];
}

/** Hugging Face's Trainer leaves out biases and the parameters of layer norms. */
function isDecayed({ role }: Placed, { noDecay }: TrainingSettings): boolean {
  return !(noDecay.includes("bias") && isBias(role)) && !(noDecay.includes("norm") && isNorm(role));
}
