import { z } from "zod";
import { InputError } from "../../errors.ts";
import { float32 } from "../../tensor/host-tensor.ts";
import { transposedValues } from "../../tensor/transposed-values.ts";
import { readJson } from "../folder.ts";
import { readSafetensors } from "../safetensors.ts";
import { safetensorsBytes } from "../safetensors-writer.ts";
import { type ForeignFormat, foreignAdapter, renamed, transposed } from "./foreign-format.ts";
import { loraOn, lowRankLayers } from "./low-rank-layers.ts";

const weightsFile = "adapters.safetensors";

const fields = z.looseObject({
  fine_tune_type: z.string().default("lora"),
  model: z.string().nullish(),
  lora_parameters: z.looseObject({ scale: z.number(), dropout: z.number().min(0).lt(1).default(0) }),
});

/**
 * mlx-lm: `adapters.safetensors` with `lora_a` [in, rank] and `lora_b` [rank, out] behind the layers' paths, and one factor
 * `scale` in place of alpha / rank. Only LoRA on linear layers of language models of the Llama family.
 * Source: ml-explore/mlx-lm, mlx_lm/tuner/lora.py and utils.py
 */
export const mlx: ForeignFormat = {
  name: "mlx",
  summary: "mlx-lm's adapters.safetensors, for LoRA on decoders",
  recognizes: (files, config) => files.includes(weightsFile) && config?.lora_parameters !== undefined,
  async read(folder) {
    const { config, stored, source } = await openFiles(folder);
    const { scale, dropout } = config.lora_parameters;
    const found = [...stored].map(([name, tensor]) => {
      const [, path, half] = /^(.*)\.lora_([ab])$/.exec(name) ?? [];
      if (path !== undefined)
        return transposed(renamed(source, tensor, `${path}.lora_${half === "a" ? "A" : "B"}.weight`));
      throw new InputError(`${folder.name}/${weightsFile}: tensor "${name}" is no part of LoRA on a linear layer`);
    });
    const layers = found.flatMap(({ name, shape: [rank = 1] }) =>
      name.endsWith(end) ? [{ path: name.slice(0, -end.length), rank, scale }] : [],
    );
    const said = { folder, layout: "mlx", methods: [loraOn(layers, dropout)], task: "causal-lm" } as const;
    return foreignAdapter({ ...said, baseName: config.model ?? undefined }, found);
  },
  encode({ adapted, phi }, { baseName }) {
    const { model } = adapted.base;
    if (model.prefix !== "model") {
      throw new InputError(
        `mlx-lm's layout is written for decoders of the Llama family, whose paths it shares, not for ${model.modelType}`,
      );
    }
    const layers = lowRankLayers(adapted, phi, "mlx-lm");
    const [{ rank, scale } = { rank: 1, scale: 1 }] = layers;
    const keys = [...new Set(layers.map(({ path }) => path.replace(/^.*?\.\d+\./, "")))];
    const { dropout = 0 } = adapted.methods[0]?.options ?? {};
    const tensors = layers.flatMap(({ path, rank: own, inSize, outSize, A, B, scale: factor }) => [
      [`${path}.lora_a`, float32([inSize, own], transposedValues(A, own, inSize))] as const,
      // one scale for all: what a layer's own differs by is in its factor
      [`${path}.lora_b`, float32([own, outSize], transposedValues(timesAll(B, factor / scale), outSize, own))] as const,
    ]);
    const config = {
      ...{ fine_tune_type: "lora", model: baseName ?? null, num_layers: model.sizes.layers },
      lora_parameters: { rank, scale, dropout, keys },
    };
    return {
      files: {
        "adapter_config.json": `${JSON.stringify(config, null, 4)}\n`,
        [weightsFile]: safetensorsBytes(tensors),
      },
    };
  },
};

const end = ".lora_A.weight";

async function openFiles(folder: Parameters<ForeignFormat["read"]>[0]) {
  const parsed = fields.safeParse(await readJson(folder, "adapter_config.json"));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message.toLowerCase()}`);
    throw new InputError(problems.map((problem) => `${folder.name}/adapter_config.json: ${problem}`));
  }
  const { fine_tune_type: kind } = parsed.data;
  if (kind !== "lora")
    throw new InputError(`${folder.name}: fine_tune_type "${kind}" is not supported; petl reads "lora"`);
  const source = await folder.open(weightsFile);
  return { config: parsed.data, source, stored: (await readSafetensors(source)).tensors };
}

const timesAll = (values: Float32Array, factor: number): Float32Array =>
  factor === 1 ? values : values.map((value) => value * factor);
