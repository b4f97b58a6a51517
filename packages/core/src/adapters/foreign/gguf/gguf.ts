import type { HfModel } from "../../../checkpoints/hf-model.ts";
import type { Folder } from "../../../containers/folder.ts";
import { ggufBytes, readGguf } from "../../../containers/gguf-file.ts";
import { InputError, refuse } from "../../../errors.ts";
import { float32 } from "../../../tensor/host-tensor.ts";
import { type ForeignFormat, type ForeignTensor, foreignAdapter, renamed } from "../foreign-format.ts";
import { loraOn, lowRankLayers } from "../low-rank-layers.ts";
import { type GgufArchitecture, ggufArchitectures } from "./gguf-names.ts";

const isGguf = (name: string): boolean => name.endsWith(".gguf");

/**
 * llama.cpp's adapters: one GGUF file of LoRA's factors behind the base's own tensor names. It has one alpha for all layers,
 * so each layer's scale is multiplied into B, and alpha 0 is written, with which llama.cpp multiplies nothing.
 * Source: ggml-org/llama.cpp, convert_lora_to_gguf.py; src/llama-adapter.cpp and .h (get_scale)
 */
export const gguf: ForeignFormat = {
  name: "gguf",
  summary: "llama.cpp's GGUF, for LoRA on decoders",
  needsBase: "its file names the base's architecture, and orders rows by the base's heads",
  recognizes: (files, config) => config === undefined && files.some(isGguf),
  async read(folder, { base }) {
    const source = await folder.open(await onlyFile(folder));
    const { fields, tensors } = await readGguf(source);
    const kinds = ["general.type", "adapter.type"].map((name) => fields.get(name));
    if (kinds.join() !== "adapter,lora") throw new InputError(`${folder.name}/${source.name}: is no adapter of LoRA`);
    const [type, architecture] = architectureOf(fields.get("general.architecture"), base);
    const own = Object.entries(architecture.layers);
    const found = [...tensors].map(([name, stored]) => {
      const [, layer, kind, half] = /^blk\.(\d+)\.(\w+)\.weight\.lora_([ab])$/.exec(name) ?? [];
      const [module] = own.find(([, named]) => named === kind) ?? [];
      if (module === undefined)
        throw new InputError(`${folder.name}/${source.name}: no layer of ${type} is named "${name}"`);
      const tensor = renamed(
        source,
        stored,
        `${architecture.stack}.${layer}.${module}.lora_${half === "a" ? "A" : "B"}.weight`,
      );
      return half === "b" && architecture.paired.includes(module)
        ? inHalves(tensor, headsOf(module, base, folder))
        : tensor;
    });
    const alpha = Number(fields.get("adapter.lora.alpha") ?? 0);
    const layers = found.flatMap(({ name, shape: [rank = 1] }) =>
      name.endsWith(end) ? [{ path: name.slice(0, -end.length), rank, scale: alpha === 0 ? 1 : alpha / rank }] : [],
    );
    return foreignAdapter(
      { folder, layout: "gguf", methods: [loraOn(layers)], modelType: type, task: "causal-lm" },
      found,
    );
  },
  encode({ adapted, phi }) {
    const { model } = adapted.base;
    const architecture = ggufArchitectures.get(model.modelType);
    if (!architecture) {
      throw new InputError(
        `GGUF is written for ${[...ggufArchitectures.keys()].join(", ")}, not for ${model.modelType}`,
      );
    }
    const layers = lowRankLayers(adapted, phi, "GGUF");
    const moduleOf = (path: string) => path.replace(/^.*?\.\d+\./, "");
    const { paired } = architecture;
    refuse(layers.flatMap(({ path }) => (architecture.layers[moduleOf(path)] ? [] : [`GGUF has no name for ${path}`])));
    const tensors = layers.flatMap(({ path, rank, scale, inSize, outSize, A, B }) => {
      const module = moduleOf(path);
      const layer = path.slice(architecture.stack.length + 1).split(".")[0];
      const name = `blk.${layer}.${architecture.layers[module]}.weight`;
      const up = B.map((value) => value * scale);
      const heads = module.endsWith("q_proj") ? model.sizes.heads : model.sizes.keyValueHeads;
      const rows = paired.includes(module) ? reordered(up, outSize, rank, heads, pairedRow) : up;
      return [
        [`${name}.lora_a`, float32([rank, inSize], A)] as const,
        [`${name}.lora_b`, float32([outSize, rank], rows)] as const,
      ];
    });
    const fields = [
      ["general.architecture", architecture.name],
      ["general.type", "adapter"],
      ["adapter.type", "lora"],
      ["adapter.lora.alpha", 0],
    ] as const;
    return { files: { "adapter.gguf": ggufBytes(fields, tensors) } };
  },
};

const end = ".lora_A.weight";

async function onlyFile(folder: Folder): Promise<string> {
  const files = (await folder.files()).filter(isGguf);
  const [file] = files;
  if (file !== undefined && files.length === 1) return file;
  throw new InputError(`${folder.name}: holds ${files.join(" and ")}; name one of the files`);
}

/** The base's architecture, which must be of the file's family; without a base the family's first. */
function architectureOf(name: unknown, base: HfModel | undefined): readonly [string, GgufArchitecture] {
  const all = [...ggufArchitectures].filter(([type]) => base === undefined || type === base.model.modelType);
  const found = all.find(([, architecture]) => architecture.name === name);
  if (found) return found;
  const known = [...new Set([...ggufArchitectures.values()].map((architecture) => architecture.name))];
  throw new InputError(
    `an adapter for the architecture "${name}" ${base ? `does not fit ${base.name}` : `is not supported; petl reads ${known.join(", ")}`}`,
  );
}

function headsOf(module: string, base: HfModel | undefined, { name }: Folder): number {
  if (base) return module.endsWith("q_proj") ? base.model.sizes.heads : base.model.sizes.keyValueHeads;
  throw new InputError(
    `${name}: llama.cpp keeps the rows of queries and keys in pairs of a head's halves; give the base with \`base\``,
  );
}

/** llama.cpp's rows of a head, (first, second) pair by pair, as Hugging Face has them: all firsts, then all seconds. */
const inHalves = (tensor: ForeignTensor, heads: number): ForeignTensor => ({
  ...tensor,
  async values() {
    const [rows = 1, columns = 1] = tensor.shape;
    return reordered(await tensor.values(), rows, columns, heads, halvedRow);
  },
});

const pairedRow = (row: number, size: number): number => (row % (size / 2)) * 2 + Math.floor(row / (size / 2));
const halvedRow = (row: number, size: number): number => (row % 2) * (size / 2) + Math.floor(row / 2);

/** Each head's rows where `place` puts them. */
function reordered(
  values: Float32Array,
  rows: number,
  columns: number,
  heads: number,
  place: (row: number, size: number) => number,
): Float32Array {
  const out = new Float32Array(values.length);
  const size = rows / heads;
  for (let row = 0; row < rows; row++) {
    const to = Math.floor(row / size) * size + place(row % size, size);
    out.set(values.subarray(row * columns, (row + 1) * columns), to * columns);
  }
  return out;
}
