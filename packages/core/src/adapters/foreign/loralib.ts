import type { ByteSource } from "../../containers/folder.ts";
import { isTorchFile, readTorchFile } from "../../containers/torch/torch-file.ts";
import { torchFileBytes } from "../../containers/torch/torch-writer.ts";
import { InputError, refuse } from "../../errors.ts";
import { tensorsOf } from "../../peft/phi.ts";
import type { StoredTensor } from "../../tensor/stored-tensor.ts";
import { type Bias, biasOf } from "../trained-biases.ts";
import { type ForeignFormat, type ForeignTensor, foreignAdapter, renamed } from "./foreign-format.ts";
import { blockDiagonal } from "./fused-factors.ts";
import { layersOf, loraOn } from "./low-rank-layers.ts";

/**
 * The LoRA authors' own library: one file that torch saved, with `lora_A` [rank, in] and `lora_B` [out, rank] behind the
 * layers' paths, and the head under its own names. It holds no alpha, which is a flag of its training.
 * Source: microsoft/LoRA, loralib/layers.py and loralib/utils.py
 */
export const loralib: ForeignFormat = {
  name: "loralib",
  summary: "one .bin of the LoRA authors' library",
  recognizes: (files, config) => config === undefined && files.filter(isTorchFile).length === 1,
  async read(folder, { alpha }) {
    const file = (await folder.files()).find(isTorchFile) ?? "";
    const source = await folder.open(file);
    const stored = await readTorchFile(source);
    const paths = [...stored.keys()].flatMap((name) => (name.endsWith(".lora_A") ? [name.slice(0, -7)] : []));
    if (paths.length === 0)
      throw new InputError(`${folder.name}/${file}: holds no lora_A, so it is no adapter of loralib`);
    if (alpha === undefined) {
      throw new InputError(
        `${folder.name}/${file}: loralib's files leave out alpha, a flag of their training; give it with \`alpha\``,
      );
    }
    const layers = paths.map((path) => layerOf(source, stored, path));
    const rest = [...stored].filter(([name]) => !/\.lora_[AB]$/.test(name));
    const recipe = layers.map(({ path, rank, blocks }) => ({ path, rank: rank * blocks, scale: alpha / rank }));
    const tensors = [
      ...layers.flatMap(({ tensors: own }) => own),
      ...rest.map(([name, tensor]) => renamed(source, tensor, name)),
    ];
    const said = {
      folder,
      layout: "loralib",
      methods: [loraOn(recipe)],
      bias: biasIn(
        rest.map(([name]) => name),
        paths,
      ),
    } as const;
    return foreignAdapter(said, tensors);
  },
  encode({ adapted, phi }) {
    const { methods, goal, layout } = adapted;
    const others = methods.filter(({ name }) => name !== "lora" && name !== "bitfit");
    const saved = goal.savedModules ?? [];
    const tables = layout.filter(({ name }) => /\.lora_embedding_[AB]$/.test(name));
    refuse([
      ...others.map(({ name }) => `loralib has no method ${name}`),
      ...tables.map(({ name }) => `petl writes loralib's linear layers only, and no embedding: ${name}`),
      ...saved.map((module) => `loralib's files hold no module of the base: ${module}`),
      ...(saved.length > 0 || biasOf(adapted) ? [] : [someBiases]),
    ]);
    const layers = layersOf(adapted, phi);
    if (layers.length === 0) throw new InputError("loralib's files hold LoRA, which this adapter has not");
    const alphas = [...new Set(layers.map(({ rank, scale }) => rank * scale))];
    refuse(alphas.length > 1 ? [`loralib has one alpha for all layers; these have ${alphas.join(", ")}`] : []);
    const tensors = Object.entries(tensorsOf(phi)).map(([name, tensor]) => [plain(name), tensor] as const);
    const remarks = [`loralib's files leave out alpha, which is ${alphas.join()} here`];
    return { files: { "adapter.bin": torchFileBytes(tensors) }, remarks };
  },
};

const someBiases =
  "loralib's files hold all of the base's biases, those of the adapted layers or none; this adapter has others";

/** Which of the base's biases a file holds. */
function biasIn(names: readonly string[], paths: readonly string[]): Bias {
  const biases = names.filter((name) => /\.\d+\..*\.bias$/.test(name)).map((name) => name.slice(0, -".bias".length));
  if (biases.length === 0) return "none";
  return biases.every((path) => paths.includes(path)) ? "adapted" : "all";
}

const plain = (name: string): string => name.replace(/\.(lora_[AB])\.weight$/, ".$1");

interface Layer {
  readonly path: string;
  readonly rank: number;
  /** of a fused layer, how many of its blocks are adapted */
  readonly blocks: number;
  readonly tensors: readonly ForeignTensor[];
}

/** A layer's factors; those of a fused one, whose A has a rank's rows for each block, are laid out along a diagonal. */
function layerOf(source: ByteSource, stored: ReadonlyMap<string, StoredTensor>, path: string): Layer {
  const [A, B] = [stored.get(`${path}.lora_A`), stored.get(`${path}.lora_B`)];
  if (!A || !B) throw new InputError(`${source.name}: "${path}" has a lora_A without a lora_B`);
  const [rank = 1] = [B.shape[1]];
  const blocks = (A.shape[0] ?? 0) / rank;
  const [low, up] = [renamed(source, A, `${path}.lora_A.weight`), renamed(source, B, `${path}.lora_B.weight`)];
  if (blocks === 1) return { path, rank, blocks, tensors: [low, up] };
  const adapted = adaptedBlocks.get(blocks);
  if (!adapted) {
    throw new InputError(
      `${source.name}: "${path}" has A [${A.shape}] and B [${B.shape}], which do not belong together`,
    );
  }
  return { path, rank, blocks, tensors: [low, blockDiagonal(up, adapted, 3)] };
}

/** Of queries, keys and values; where two are adapted, queries and values, as in the paper (section 4.2). */
const adaptedBlocks: ReadonlyMap<number, readonly number[]> = new Map([
  [2, [0, 2]],
  [3, [0, 1, 2]],
]);
