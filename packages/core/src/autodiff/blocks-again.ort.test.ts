import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { Cast } from "../graph/ops/cast.ts";
import type { Node, Value } from "../graph/value.ts";
import { nodesOf } from "../graph/walk.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { tensorsOf } from "../peft/phi.ts";
import { nativeEngine, numbers } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import { float32, int32 } from "../tensor/host-tensor.ts";
import { lengthUnder } from "../tensor/shape.ts";
import { stepGraph } from "../training/step.ts";

const lengths = new Map([
  ["batch", 2],
  ["tokens", 64],
]);
const numbersIn = ({ shape }: Value) => shape.reduce((all: number, dim) => all * (lengthUnder(dim, lengths) ?? 1), 1);

/** How many numbers of the forward pass the backward pass reads, for two rows of 64 tokens. */
function held(losses: readonly Value[], outputs: readonly Value[]): number {
  const forward = new Set(nodesOf(losses));
  const backward = nodesOf(outputs).filter((node) => !forward.has(node));
  const read = backward.flatMap(({ inputs }) =>
    inputs.filter(({ source }) => source.kind === "node" && forward.has(source.node)),
  );
  return [...new Set(read)].reduce((sum, value) => sum + numbersIn(value), 0);
}

test.each(["bert", "llama", "gpt2"])(
  "of %s, blocks computed again give the same gradients to the last bit and leave less than half of the numbers held",
  async (name) => {
    const { base, path } = await goldenBase(`${name}-sequence-classification`);
    const adapted = adapt(base, [lora.use({ dropout: 0.3 })], { task: "classification", labels: 3 });
    const phi = await initialPhi(adapted, 3);
    phi.values.forEach((_, i) => {
      phi.values[i] = Math.sin(i);
    });
    const ids = int32(
      [2, 6],
      Int32Array.from({ length: 12 }, (_, i) => 5 + i),
    );
    const whole = int32([2, 6], new Int32Array(12).fill(1));
    const fed = {
      ...tensorsOf(phi),
      input_ids: ids,
      attention_mask: whole,
      token_type_ids: int32([2, 6], new Int32Array(12)),
      labels: int32([2], Int32Array.of(0, 2)),
      loss_scale: float32([], Float32Array.of(0.5)),
      noise: { dtype: "int64" as const, shape: [], data: BigInt64Array.of(7n) },
    };
    const [kept, again] = await Promise.all(
      [false, true].map(async (recompute) => {
        const { losses, outputs, repeats } = stepGraph(adapted, { dropout: 0, labelSmoothing: 0, recompute });
        const program = await compile(nativeEngine(path), { ...losses, ...outputs }, { repeats });
        const results = await program.run(fed);
        await program.release();
        const found = Object.entries(results).map(([each, tensor]) => [each, numbers(tensor)]);
        return { found, held: held(Object.values(losses), Object.values(outputs)) };
      }),
    );
    expect(again?.found).toEqual(kept?.found);
    expect(again?.held).toBeLessThan((kept?.held ?? 0) / 2);
  },
);

test.each(["bert-sequence-classification-bf16", "distilbert-sequence-classification-f16"])(
  "no matrix of %s waits in float32 from the forward pass for a gradient",
  async (name) => {
    const { base } = await goldenBase(name);
    const adapted = adapt(base, [lora.use({ targets: "all-linear" })], { task: "classification", labels: 3 });
    for (const recompute of [false, true]) {
      const { losses, outputs } = stepGraph(adapted, { dropout: 0, labelSmoothing: 0, recompute });
      const forward = new Set(nodesOf(Object.values(losses)));
      const backward = nodesOf(Object.values(outputs)).filter((node) => !forward.has(node));
      const converted = (nodes: Iterable<Node>) => [...nodes].flatMap(({ inputs }) => inputs.filter(isConvertedMatrix));
      expect(converted(forward).length).toBeGreaterThan(2);
      expect(converted(backward).length).toBeGreaterThan(2);
      const plainlyHeld = converted(backward).filter(
        ({ source }) => source.kind === "node" && forward.has(source.node),
      );
      expect(plainlyHeld.map(({ shape }) => shape.join(" x "))).toEqual([]);
    }
  },
);

const isConvertedMatrix = ({ shape, source }: Value): boolean =>
  shape.length === 2 &&
  source.kind === "node" &&
  source.node.operator === Cast &&
  source.node.inputs[0]?.source.kind === "weight";
