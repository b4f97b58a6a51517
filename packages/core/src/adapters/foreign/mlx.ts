import { z } from "zod";
import { readJson } from "../../containers/folder.ts";
import { readSafetensors } from "../../containers/safetensors.ts";
import { safetensorsBytes } from "../../containers/safetensors-writer.ts";
import { InputError, refuse, schemaProblems } from "../../errors.ts";
import { float32 } from "../../tensor/host-tensor.ts";
import { transposedValues } from "../../tensor/transposed-values.ts";
import { type ForeignFormat, foreignAdapter, renamed, transposed } from "./foreign-format.ts";
import { loraOn, lowRankLayers, magnitudeEnd } from "./low-rank-layers.ts";

const weightsFile = "adapters.safetensors";

const fields = z.looseObject({
  fine_tune_type: z.string().default("lora"),
  model: z.string().nullish(),
  // null beside fine_tune_type "full"
  lora_parameters: z.looseObject({ scale: z.number(), dropout: z.number().min(0).lt(1).default(0) }).nullish(),
});

/**
 * mlx-lm: `adapters.safetensors` with `lora_a` [in, rank] and `lora_b` [rank, out] behind the layers' paths, DoRA's lengths
 * `m` [out] beside them, and one factor `scale` in place of alpha / rank. Only LoRA or DoRA on linear layers of language models
 * of the Llama family.
 * Source: ml-explore/mlx-lm, mlx_lm/tuner/lora.py, dora.py and utils.py
 */
export const mlx: ForeignFormat = {
  name: "mlx",
  summary: "mlx-lm's adapters.safetensors, for LoRA and DoRA on decoders",
  recognizes: (files, config) => files.includes(weightsFile) && config?.lora_parameters !== undefined,
  async read(folder) {
    const { kind, baseName, scale, dropout, stored, source } = await openFiles(folder);
    const found = [...stored].map(([name, tensor]) => {
      const [, path, part = ""] = /^(.*)\.(lora_a|lora_b|m)$/.exec(name) ?? [];
      if (path === undefined || (part === "m" && kind !== "dora")) {
        throw new InputError(`${folder.name}/${weightsFile}: tensor "${name}" is no part of ${kind} on a linear layer`);
      }
      const own = renamed(source, tensor, `${path}.${ends[part]}`);
      return part === "m" ? own : transposed(own);
    });
    const layers = found.flatMap(({ name, shape: [rank = 1] }) =>
      name.endsWith(end) ? [{ path: name.slice(0, -end.length), rank, scale }] : [],
    );
    const methods = [loraOn(layers, { kind, dropout })];
    return foreignAdapter({ folder, layout: "mlx", methods, task: "causal-lm", baseName }, found);
  },
  encode({ adapted, phi }, { baseName }) {
    const { model } = adapted.base;
    if (model.prefix !== "model") {
      throw new InputError(
        `mlx-lm's layout is written for decoders of the Llama family, whose paths it shares, not for ${model.modelType}`,
      );
    }
    const kind = adapted.methods.some(({ name }) => name === "dora") ? "dora" : "lora";
    const layers = lowRankLayers(adapted, phi, "mlx-lm", kind);
    const ranks = [...new Set(layers.map((layer) => layer.rank))];
    refuse(ranks.length > 1 ? [`mlx-lm has one rank for all layers; these have ${ranks.join(", ")}`] : []);
    const [rank = 1] = ranks;
    const scale = layers.find((layer) => layer.scale !== 0)?.scale ?? 1;
    const keys = [...new Set(layers.map(({ path }) => path.replace(/^.*?\.\d+\./, "")))];
    const { dropout = 0 } = adapted.methods[0]?.options ?? {};
    const tensors = layers.flatMap(({ path, inSize, outSize, A, B, magnitude, scale: factor }) => [
      [`${path}.lora_a`, float32([inSize, rank], transposedValues(A, rank, inSize))] as const,
      // one scale for all: what a layer's own differs by is in its factor
      [
        `${path}.lora_b`,
        float32([rank, outSize], transposedValues(timesAll(B, factor / scale), outSize, rank)),
      ] as const,
      ...(magnitude ? [[`${path}.m`, float32([outSize], magnitude)] as const] : []),
    ]);
    const config = {
      fine_tune_type: kind,
      model: baseName ?? null,
      num_layers: model.sizes.layers,
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
/** petl's ends of names, by mlx-lm's. */
const ends: Readonly<Record<string, string>> = { lora_a: "lora_A.weight", lora_b: "lora_B.weight", m: magnitudeEnd };

async function openFiles(folder: Parameters<ForeignFormat["read"]>[0]) {
  const parsed = fields.safeParse(await readJson(folder, "adapter_config.json"));
  if (!parsed.success) {
    throw new InputError(schemaProblems(parsed.error.issues, `${folder.name}/adapter_config.json: `));
  }
  const { fine_tune_type: kind, model, lora_parameters: parameters } = parsed.data;
  if (kind !== "lora" && kind !== "dora") {
    throw new InputError(`${folder.name}: fine_tune_type "${kind}" is not supported; petl reads "lora" and "dora"`);
  }
  if (!parameters) throw new InputError(`${folder.name}/adapter_config.json: lora_parameters: is null`);
  const source = await folder.open(weightsFile);
  const { tensors: stored } = await readSafetensors(source);
  return { kind, baseName: model ?? undefined, ...parameters, source, stored } as const;
}

const timesAll = (values: Float32Array, factor: number): Float32Array =>
  factor === 1 ? values : values.map((value) => value * factor);
