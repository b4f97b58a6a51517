import { z } from "zod";
import { readFloat32 } from "../../../containers/stored-values.ts";
import { InputError, InternalError, refuse, schemaProblems } from "../../../errors.ts";
import type { MethodUse } from "../../../peft/method.ts";
import { prefix } from "../../../peft/methods/prompts/prefix.ts";
import type { ForeignTensor, Hints } from "../foreign-format.ts";
import type { Held, HubFiles } from "./adapterhub-files.ts";
import { layerOf } from "./adapterhub-places.ts";

/** A prefix's fields with the library's defaults; no prefix is nearly as long as the longest one here. */
const fields = z.looseObject({
  flat: z.boolean().default(false),
  prefix_length: z.int().positive().max(10_000).default(30),
  non_linearity: z.string().default("tanh"),
  use_gating: z.boolean().default(false),
  leave_out: z.array(z.int().nonnegative()).default([]),
});

/**
 * The method and the table of a prefix adapter, [tokens, layers · 2 · width], which the library keeps as one long vector
 * (`flat`) or computes from one vector a token: W₂ tanh(W₁ e + b₁) + b₂. It leaves the text's positions as they are.
 */
export function readHubPrefix(files: HubFiles, { base }: Hints): { use: MethodUse; tensors: readonly ForeignTensor[] } {
  const parsed = fields.safeParse(files.config);
  if (!parsed.success) {
    throw new InputError(schemaProblems(parsed.error.issues, "config."));
  }
  const { flat, prefix_length: tokens, non_linearity, use_gating, leave_out } = parsed.data;
  const activation = non_linearity.toLowerCase();
  refuse([
    ...(use_gating ? ["config.use_gating is not supported: petl's prefixes have no gates"] : []),
    ...(flat || activation === "tanh" ? [] : [`config.non_linearity "${non_linearity}" is not supported; tanh is`]),
  ]);
  const parts = partsOf(files, flat);
  const layers = base?.model.sizes.layers ?? layersOf(files.tensors.keys());
  if (leave_out.length > 0 && layers === undefined) {
    throw new InputError("config.leave_out counts on the base's layers, which the file does not tell; give `base`");
  }
  const all = Array.from({ length: layers ?? 0 }, (_, layer) => layer);
  const chosen = leave_out.length > 0 ? all.filter((layer) => !leave_out.includes(layer)) : undefined;
  const table = flat ? flatTable(parts, tokens) : computedTable(parts, tokens);
  return {
    use: prefix.use({ tokens, layers: chosen, positions: "unshifted" }),
    tensors: [{ name: "prompt_embeddings", ...table }],
  };
}

/** A tensor of a prefix's module. */
interface Part {
  readonly shape: readonly number[];
  values(): Promise<Float32Array>;
}
type Parts = (name: string) => Part;

const linearNames = (at: number): readonly string[] => [`control_trans.${at}.weight`, `control_trans.${at}.bias`];

/** A prefix's tensors by their names in its module; every layer has a copy of each, and all copies are one tensor. */
function partsOf({ tensors }: HubFiles, flat: boolean): Parts {
  const wanted = flat ? ["control_trans"] : ["wte.weight", ...linearNames(0), ...linearNames(2)];
  const found = new Map<string, Held>();
  const problems: string[] = [];
  for (const [name, held] of tensors) {
    const part = /\.prefix_tuning\.(?:pool\.)?self(?:_prefix)?\.(.+)$/.exec(name)?.[1];
    const shape = found.get(part ?? "")?.stored.shape ?? held.stored.shape;
    if (part === undefined || !wanted.includes(part)) {
      problems.push(`tensor "${name}" is none of a prefix that is ${flat ? "" : "not "}flat: ${wanted.join(", ")}`);
    } else if (String(shape) !== String(held.stored.shape)) {
      problems.push(`tensor "${name}" has shape [${held.stored.shape}], its copy [${shape}]`);
    } else found.set(part, held);
  }
  const missing = wanted.filter((part) => !found.has(part)).map((part) => `has no tensor "…${part}"`);
  refuse([...missing, ...problems.slice(0, 20)]); // a bad file stays cheap
  return (name) => {
    const held = found.get(name);
    if (!held) throw new InternalError(`"${name}" is no tensor of a prefix`);
    return { shape: held.stored.shape, values: () => readFloat32(held.source, held.stored) };
  };
}

/** How many layers the copies lie in; undefined where there are none. */
function layersOf(names: Iterable<string>): number | undefined {
  const layers = [...names].flatMap((name) => layerOf(name) ?? []);
  return layers.length > 0 ? Math.max(...layers) + 1 : undefined;
}

function flatTable(parts: Parts, tokens: number): Part {
  const { shape, values } = parts("control_trans");
  const [size = 0, ...more] = shape;
  if (more.length > 0 || size % tokens !== 0) {
    throw new InputError(`"…control_trans" has shape [${shape}], which is no vector of ${tokens} equal parts`);
  }
  return { shape: [tokens, size / tokens], values };
}

function computedTable(parts: Parts, tokens: number): Part {
  const wte = parts("wte.weight");
  const [W1, b1] = [parts("control_trans.0.weight"), parts("control_trans.0.bias")];
  const [W2, b2] = [parts("control_trans.2.weight"), parts("control_trans.2.bias")];
  const [[, embedded], [inner], [size = 0]] = [wte.shape, W1.shape, W2.shape];
  const shapes = [wte, W1, b1, W2, b2].map(({ shape }) => `[${shape}]`).join(", ");
  if (shapes !== `[${tokens},${embedded}], [${inner},${embedded}], [${inner}], [${size},${inner}], [${size}]`) {
    throw new InputError(
      `wte, W₁, b₁, W₂, b₂ have shapes ${shapes}; a prefix of ${tokens} tokens has [${tokens},d], [m,d], [m], [n,m], [n]`,
    );
  }
  return {
    shape: [tokens, size],
    async values() {
      const hidden = affine(await wte.values(), await W1.values(), await b1.values()).map(Math.tanh);
      return affine(hidden, await W2.values(), await b2.values());
    },
  };
}

/** x Wᵀ + b, summed in float64.  x: [rows, in], W: [out, in], b: [out] -> [rows, out] */
function affine(x: Float32Array, W: Float32Array, b: Float32Array): Float32Array {
  const inSize = W.length / b.length;
  return Float32Array.from({ length: (x.length / inSize) * b.length }, (_, at) => {
    const [row, out] = [Math.floor(at / b.length), at % b.length];
    let sum = b[out] ?? 0;
    for (let i = 0; i < inSize; i++) sum += (x[row * inSize + i] ?? 0) * (W[out * inSize + i] ?? 0);
    return sum;
  });
}
