import { expect, test } from "vitest";
import { goldenBase, goldenNames } from "../checkpoints/golden.fake.ts";
import { isBias, isNorm, type Role } from "../nn/scope.ts";
import { adapt } from "../peft/adapt.ts";
import { labelCount, taskOf } from "./models.ts";

/** Hugging Face's own names of tensors, which say the same. */
const nameSays = {
  bias: (name: string) => /bias$/.test(name),
  norm: (name: string) => /(norm|\.ln_\w)\.(weight|bias)$/i.test(name),
  table: (name: string) => /(embed\w*|\.wte|\.wpe)\.weight$/.test(name),
  layer: (name: string) => /\.(\d+)\./.exec(name)?.[1],
};
const isTable = (role: Role) => role === "table";

for (const name of goldenNames("models").filter((model) => !model.endsWith("-base"))) {
  test(`${name}: architectures say of every tensor the role and the layer that its name says`, async () => {
    const { base } = await goldenBase(name);
    const task = taskOf(base.config) ?? "classification";
    const { modelTensors } = adapt(base, [], { task, labels: labelCount(base.config) });
    const isOutput = (tensor: string) => /^(lm_head|\w+\.predictions|lm_head\.decoder|vocab_projector)\b/.test(tensor);
    for (const { name: tensor, role, layer } of modelTensors) {
      expect(isBias(role), tensor).toBe(nameSays.bias(tensor));
      expect(isNorm(role), tensor).toBe(nameSays.norm(tensor));
      if (!isOutput(tensor)) expect(isTable(role), tensor).toBe(nameSays.table(tensor));
      expect(layer, tensor).toBe(nameSays.layer(tensor) === undefined ? undefined : Number(nameSays.layer(tensor)));
    }
    const roles = new Set(modelTensors.map(({ role }) => role));
    expect([...roles]).toEqual(expect.arrayContaining(["weight", "norm", "table"]));
  });
}
