import { refuse } from "../../errors.ts";
import type { AdaptedModel } from "../../peft/adapt.ts";
import type { MethodUse } from "../../peft/method.ts";
import { dora } from "../../peft/methods/lora/dora.ts";
import { lora } from "../../peft/methods/lora/lora.ts";
import { type LowRank, rankAndScale } from "../../peft/methods/lora/low-rank.ts";
import { type Phi, viewsOf } from "../../peft/phi.ts";

/** LoRA at one layer, the common ground of formats that know little else: y += scale · B A x. */
interface LowRankLayer {
  /** the layer's module path */
  readonly path: string;
  readonly rank: number;
  readonly scale: number;
  readonly inSize: number;
  readonly outSize: number;
  /** [rank, in] */
  readonly A: Float32Array;
  /** [out, rank] */
  readonly B: Float32Array;
  /** DoRA's lengths of the weight's rows, [out] */
  readonly magnitude: Float32Array | undefined;
}

const kinds = { lora, dora };
type LowRankKind = keyof typeof kinds;

/** LoRA or DoRA on layers with ranks and scales of their own. */
export function loraOn(
  layers: readonly Pick<LowRankLayer, "path" | "rank" | "scale">[],
  { kind = "lora", dropout = 0 }: { readonly kind?: LowRankKind; readonly dropout?: number } = {},
): MethodUse {
  const alphas = layers.map(({ path, rank, scale }) => ({ path, rank, alpha: rounded(rank * scale) }));
  const [usualRank, usualAlpha] = [
    mostCommon(alphas.map((layer) => layer.rank)),
    mostCommon(alphas.map((layer) => layer.alpha)),
  ];
  const others = (pick: (layer: (typeof alphas)[number]) => number, usual: number) =>
    Object.fromEntries(alphas.flatMap((layer) => (pick(layer) === usual ? [] : [[layer.path, pick(layer)]])));
  return kinds[kind].use({
    rank: usualRank,
    alpha: usualAlpha,
    dropout,
    targets: layers.map(({ path }) => path),
    rankPattern: others((layer) => layer.rank, usualRank),
    alphaPattern: others((layer) => layer.alpha, usualAlpha),
  });
}

/** Without what float32 added to a number that was meant: 15.999999 is 16. */
const rounded = (value: number): number => Number(value.toPrecision(6));

function mostCommon(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 1;
}

/**
 * The layers of an adapter that is LoRA, or DoRA where that is said, and nothing else.
 *
 * @throws InputError with everything else that it has, as what `format` cannot hold
 */
export function lowRankLayers(
  adapted: AdaptedModel,
  phi: Phi,
  format: string,
  kind: LowRankKind = "lora",
): readonly LowRankLayer[] {
  const holds = `${format} holds ${kind === "lora" ? "LoRA" : "DoRA"} on linear layers alone`;
  refuse([...otherParts(adapted, kind)].map((part) => `${holds}; this adapter has ${part}`));
  return layersOf(adapted, phi);
}

/** LoRA's layers, whatever else there is. */
export function layersOf(
  { methods, layout }: Pick<AdaptedModel, "methods" | "layout">,
  phi: Phi,
): readonly LowRankLayer[] {
  const options = methods.find(({ name }) => name === "lora" || name === "dora")?.options as LowRank;
  const values = viewsOf(layout, phi.values);
  return layout.flatMap(({ name, shape: [rank = 0, inSize = 0] }) => {
    if (!name.endsWith(end)) return [];
    const path = name.slice(0, -end.length);
    const [A, B] = [values[name] ?? none, values[`${path}.lora_B.weight`] ?? none];
    const { scale } = rankAndScale(path, options);
    return [
      { path, rank, scale, inSize, outSize: B.length / rank, A, B, magnitude: values[`${path}.${magnitudeEnd}`] },
    ];
  });
}

const end = ".lora_A.weight";
const none = new Float32Array(0);
/** The name that DoRA's magnitudes have behind a layer's path. */
export const magnitudeEnd = "lora_magnitude_vector";

/** What of an adapter is no factor of a linear layer, in words. */
function* otherParts({ methods, layout }: AdaptedModel, kind: LowRankKind): Generator<string> {
  for (const { name } of methods) if (name !== kind) yield `the method ${name}`;
  for (const { part, name } of layout) {
    if (part === "head") yield `a head (${name}), which stays behind unless it is merged: petl merge`;
    else if (part === "base") yield `trained tensors of the base (${name})`;
    else if (/\.lora_embedding_[AB]$/.test(name)) yield `LoRA on an embedding (${name})`;
  }
}
