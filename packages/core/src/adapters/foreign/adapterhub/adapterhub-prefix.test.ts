import { expect, test } from "vitest";
import { goldenBase } from "../../../checkpoints/golden.fake.ts";
import { memoryFolder } from "../../../containers/folder.ts";
import { torchFileBytes } from "../../../containers/torch/torch-writer.ts";
import { adapt } from "../../../peft/adapt.ts";
import { initialPhi } from "../../../peft/initial-phi.ts";
import { prefix } from "../../../peft/methods/prompts/prefix.ts";
import { float32, type HostTensor } from "../../../tensor/host-tensor.ts";
import { readAdapter } from "../../adapter-files.ts";
import { loadAdapterFiles } from "../../adapter-on-base.ts";
import { adapterHub } from "./adapterhub.ts";

const tensor = (...shape: readonly number[]): HostTensor => {
  const values = Float32Array.from({ length: shape.reduce((size, length) => size * length, 1) }, (_, at) => at + 1);
  return float32(shape, values);
};
const module = "bert.prefix_tuning.prefix_tunings.mine.self_prefix";

function folderOf(config: object, tensors: readonly (readonly [string, HostTensor])[]) {
  const own = {
    config: { architecture: "prefix_tuning", prefix_length: 2, ...config },
    model_type: "bert",
    name: "mine",
  };
  return memoryFolder("hub", {
    "adapter_config.json": JSON.stringify(own),
    "pytorch_adapter.bin": torchFileBytes(tensors),
  });
}

test("a prefix that is not flat is computed by its two layers: W₂ tanh(W₁ e + b₁) + b₂", async () => {
  const adapter = await readAdapter(
    folderOf({}, [
      [`${module}.wte.weight`, float32([2, 2], Float32Array.of(1, 0, 0.5, -1))],
      [`${module}.control_trans.0.weight`, float32([1, 2], Float32Array.of(0.5, 0.25))],
      [`${module}.control_trans.0.bias`, float32([1], Float32Array.of(0.25))],
      [`${module}.control_trans.2.weight`, float32([3, 1], Float32Array.of(1, -2, 4))],
      [`${module}.control_trans.2.bias`, float32([3], Float32Array.of(0, 1, 2))],
    ]),
  );
  const [first = 0, second = 0] = Float32Array.of(Math.tanh(0.75), Math.tanh(0.25));
  const wanted = [first, 1 - 2 * first, 2 + 4 * first, second, 1 - 2 * second, 2 + 4 * second];
  expect(adapter.tensors.get("prompt_embeddings")?.shape).toEqual([2, 3]);
  expect(await adapter.read("prompt_embeddings")).toEqual(Float32Array.from(wanted));
});

test.each([
  [{ flat: true, use_gating: true }, [[`${module}.control_trans`, tensor(4)]], /use_gating is not supported/],
  [
    { non_linearity: "relu" },
    [[`${module}.control_trans`, tensor(4)]],
    /non_linearity "relu" is not supported; tanh is/,
  ],
  [{ flat: true }, [[`${module}.control_trans`, tensor(5)]], /shape \[5\], which is no vector of 2 equal parts/],
  [{ flat: true }, [[`${module}.wte.weight`, tensor(2, 2)]], /wte.weight" is none of a prefix that is flat/],
  [{}, [[`${module}.wte.weight`, tensor(2, 2)]], /has no tensor "…control_trans.0.weight"/],
  [{ prefix_length: 1e9, flat: true }, [[`${module}.control_trans`, tensor(4)]], /config.prefix_length/],
  [{ flat: true, leave_out: [0] }, [[`${module}.control_trans`, tensor(4)]], /give `base`/],
  [
    { flat: true },
    [
      [`${module}.control_trans`, tensor(4)],
      [
        "bert.encoder.layer.0.attention.self.prefix_tuning.pool.prefix_tunings.mine.self_prefix.control_trans",
        tensor(6),
      ],
    ],
    /has shape \[6\], its copy \[4\]/,
  ],
  [
    {},
    [
      [`${module}.wte.weight`, tensor(2, 2)],
      [`${module}.control_trans.0.weight`, tensor(1, 3)],
      [`${module}.control_trans.0.bias`, tensor(1)],
      [`${module}.control_trans.2.weight`, tensor(8, 1)],
      [`${module}.control_trans.2.bias`, tensor(8)],
    ],
    /have shapes \[2,2\], \[1,3\], \[1\], \[8,1\], \[8\]; a prefix of 2 tokens has/,
  ],
] as const)("what is no prefix of petl's is refused with its reason: %j", async (config, tensors, reason) => {
  await expect(readAdapter(folderOf(config, tensors as readonly (readonly [string, HostTensor])[]))).rejects.toThrow(
    reason,
  );
});

test("a prefix behind which positions are counted is not written, since the library counts them without it", async () => {
  const { base } = await goldenBase("bert-sequence-classification");
  const encoded = async (options: object) => {
    const goal = { task: "classification", labels: 3, trainsHead: true } as const;
    const adapted = adapt(base, [prefix.use({ tokens: 2, ...options })], goal);
    const phi = await initialPhi(adapted, 1);
    return { phi, ...adapterHub.encode({ adapted, phi, labels: ["a", "b", "c"] }, { name: "mine", baseName: "tiny" }) };
  };
  await expect(encoded({})).rejects.toThrow(/positions behind it.*`positions: unshifted`/);
  const { phi, files } = await encoded({ positions: "unshifted", layers: "top:1" });
  expect((await loadAdapterFiles(memoryFolder("hub", files), base)).phi.values).toEqual(phi.values);
});
