import { z } from "zod";
import { readFloat32 } from "../../../containers/stored-values.ts";
import { InputError, schemaProblems } from "../../../errors.ts";
import { architectures } from "../../../models/models.ts";
import type { MethodUse } from "../../../peft/method.ts";
import { ia3 } from "../../../peft/methods/ia3.ts";
import { type ForeignTensor, renamed } from "../foreign-format.ts";
import { blockDiagonal } from "../fused-factors.ts";
import { loraOn } from "../low-rank-layers.ts";
import type { Held, HubFiles } from "./adapterhub-files.ts";
import { matrices } from "./adapterhub-places.ts";

/** LoRA's fields, which are (IA)³'s too, with the library's defaults. */
const fields = z.looseObject({
  r: z.int().positive().default(8),
  alpha: z.number().default(8),
  dropout: z.number().min(0).lt(1).default(0),
  attn_matrices: z.array(z.enum(matrices)).default(["q", "v"]),
  composition_mode: z.enum(["add", "scale"]).default("add"),
  use_gating: z.boolean().default(false),
});

/** The method and the tensors of an adapter of the library's `lora`: LoRA, or (IA)³ where it scales. */
export function readLowRankHub(files: HubFiles): { use: MethodUse; tensors: readonly ForeignTensor[] } {
  const { config, tensors, version } = files;
  const parsed = fields.safeParse(config);
  if (!parsed.success) {
    throw new InputError(schemaProblems(parsed.error.issues, "config."));
  }
  const own = parsed.data;
  if (own.use_gating) throw new InputError("config.use_gating is not supported");
  const odd = [...tensors.keys()].filter((name) => !/\.lora_[AB]$/.test(name));
  if (odd.length > 0) throw new InputError(`tensor "${odd[0]}" is of a kind of LoRA that petl computes in another way`);
  const fused = blocksOf(files, own.attn_matrices);
  if (own.composition_mode === "scale") return scaled(files, fused);
  // the library left alpha out before 1.1.0, and reads such adapters with alpha = r
  const alpha = /^adapters\.(0|1\.0)\./.test(version ?? "") ? own.r : own.alpha;
  const read = [...tensors].map(([name, { source, stored }]) => {
    const tensor = renamed(source, stored, `${name}.weight`);
    const blocks = fused(name);
    return blocks && name.endsWith(".lora_B") ? blockDiagonal(tensor, blocks, matrices.length) : tensor;
  });
  const layers = read.flatMap(({ name, shape: [rank = 1] }) => {
    if (!name.endsWith(".lora_A.weight")) return [];
    const path = name.slice(0, -".lora_A.weight".length);
    const ownRank = rank / (fused(name)?.length ?? 1);
    return [{ path, rank, scale: alpha / ownRank }];
  });
  return { use: loraOn(layers, { dropout: own.dropout }), tensors: read };
}

type Blocks = (name: string) => readonly number[] | undefined;

/** Which blocks of a fused attention layer are adapted; undefined for other layers. */
function blocksOf({ model_type: type }: HubFiles, adapted: readonly string[]): Blocks {
  const place = architectures.find(({ modelType }) => modelType === type)?.adapterHub?.attention;
  if (typeof place !== "string") return () => undefined;
  const blocks = matrices.flatMap((matrix, at) => (adapted.includes(matrix) ? [at] : []));
  return (name) => (name.includes(`.${place}.`) ? blocks : undefined);
}

/** (IA)³: a factor for each output, one where a block of a fused layer has none. */
function scaled({ tensors }: HubFiles, fused: Blocks): { use: MethodUse; tensors: readonly ForeignTensor[] } {
  const found = [...tensors].map(([name, held]) => factors(held, name.replace(/\.lora_B$/, ".ia3_l"), fused(name)));
  const targets = found.map(({ name }) => name.slice(0, -".ia3_l".length));
  // none of them is scaled at its input
  return {
    use: ia3.use({ targets, feedforward: { kind: "names", names: ["none"], required: false } }),
    tensors: found,
  };
}

function factors({ source, stored }: Held, name: string, blocks: readonly number[] | undefined): ForeignTensor {
  if (!blocks) return renamed(source, stored, name);
  const size = (stored.shape[0] ?? 0) / blocks.length;
  return {
    name,
    shape: [matrices.length * size, 1],
    async values() {
      const values = await readFloat32(source, stored);
      const all = new Float32Array(matrices.length * size).fill(1);
      for (const [at, block] of blocks.entries()) all.set(values.subarray(at * size, (at + 1) * size), block * size);
      return all;
    },
  };
}
