import { InternalError } from "../../../errors.ts";
import type { AfterStep } from "../../method.ts";
import type { Placed } from "../../phi.ts";

/** How ranks are shared out; lengths of time are steps of the optimizer. */
interface Allocation {
  readonly rank: number;
  readonly beginSteps: number;
  readonly finalSteps: number;
  readonly allocateEvery: number;
  readonly sensitivityDecay: number;
  readonly uncertaintyDecay: number;
}

/** Why there is no step of a run at which ranks could be shared out. */
export function scheduleProblems(
  steps: number,
  options: Pick<Allocation, "beginSteps" | "finalSteps">,
): readonly string[] {
  const { beginSteps, finalSteps } = options;
  if (beginSteps + finalSteps < steps) return [];
  return [
    `adalora: ${steps} steps leave none for sharing out ranks after ${beginSteps} steps at the beginning and before ` +
      `${finalSteps} at the end; take smaller \`beginSteps\` or \`finalSteps\`, or train longer`,
  ];
}

/**
 * AdaLoRA's allocation (Zhang et al. 2023, arXiv:2303.10512, sections 3.2 and 3.3). A number's importance is the moving
 * mean of its sensitivity |θ ∂L/∂θ| times the moving mean of how far sensitivity is from that; a triplet's is that of its
 * E, and the means of those of its row of A and its column of B. As many of the least important triplets of all layers
 * lose their E as the budget has no room for. The budget falls from all triplets to `rank` a layer, as a cube. In the
 * last `finalSteps` nothing is measured any more, and the same triplets stay without E. The run is longer than
 * `beginSteps` and `finalSteps` together: see {@link scheduleProblems}.
 */
export function allocateRanks(after: AfterStep, options: Allocation): void {
  const { step, steps, values } = after;
  const { beginSteps, finalSteps, allocateEvery, rank } = options;
  const last = steps - finalSteps;
  if (step < last) noteSensitivity(after, options);
  if (step < last && (step <= beginSteps || step % allocateEvery !== 0)) return;
  const layers = layersOf(after.layout);
  const all = layers.reduce((sum, { E }) => sum + E.size, 0);
  const target = rank * layers.length;
  const left = Math.max(0, 1 - (step - beginSteps) / (last - beginSteps));
  const lost = all - Math.floor((all - target) * left ** 3 + target);
  if (lost <= 0) return;
  const scores = layers.flatMap((layer) => importances(layer, after.memory));
  const threshold = scores.map(({ score }) => score).sort((a, b) => a - b)[lost - 1] ?? 0;
  for (const { at, score } of scores) if (score <= threshold) values[at] = 0;
}

/** The triplets of a layer, as tensors of Φ. */
interface Layer {
  readonly A: Placed;
  readonly B: Placed;
  readonly E: Placed;
}

function layersOf(layout: readonly Placed[]): readonly Layer[] {
  const byName = new Map(layout.map((placed) => [placed.name, placed]));
  return layout.flatMap((E) => {
    if (!E.name.endsWith(".lora_E")) return [];
    const [A, B] = ["lora_A", "lora_B"].map((factor) => byName.get(E.name.replace(/lora_E$/, factor)));
    return A && B ? [{ A, B, E }] : [];
  });
}

function noteSensitivity({ layout, values, gradient, gradientFactor, memory }: AfterStep, options: Allocation): void {
  const [sensitivity, uncertainty] = memory;
  if (!sensitivity || !uncertainty) throw new InternalError("adalora keeps two vectors between steps");
  const { sensitivityDecay, uncertaintyDecay } = options;
  for (const { offset, size } of layout) {
    for (let i = offset; i < offset + size; i++) {
      const now = Math.abs(values[i]! * gradient[i]! * gradientFactor);
      sensitivity[i] = sensitivityDecay * sensitivity[i]! + (1 - sensitivityDecay) * now;
      uncertainty[i] = uncertaintyDecay * uncertainty[i]! + (1 - uncertaintyDecay) * Math.abs(now - sensitivity[i]!);
    }
  }
}

/** Of each triplet where its E is in Φ, and its importance. */
function importances({ A, B, E }: Layer, [sensitivity, uncertainty]: readonly Float32Array[]) {
  const scoreOf = (i: number) => (sensitivity?.[i] ?? 0) * (uncertainty?.[i] ?? 0);
  const meanOf = (count: number, at: (k: number) => number) => {
    let sum = 0;
    for (let k = 0; k < count; k++) sum += scoreOf(at(k));
    return sum / count;
  };
  const [rank, inSize, outSize] = [E.size, A.size / E.size, B.size / E.size];
  return Array.from({ length: rank }, (_, triplet) => ({
    at: E.offset + triplet,
    score:
      scoreOf(E.offset + triplet) +
      meanOf(inSize, (k) => A.offset + triplet * inSize + k) +
      meanOf(outSize, (k) => B.offset + k * rank + triplet),
  }));
}
