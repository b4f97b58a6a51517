import { InputError, refuse } from "../../../errors.ts";
import type { HubPlaces } from "../../../nn/model.ts";
import type { AdaptedModel } from "../../../peft/adapt.ts";
import type { Layers } from "../../../peft/options.ts";
import { type Phi, tensorsOf } from "../../../peft/phi.ts";
import { isChosen } from "../../../peft/targets.ts";
import { float32, float32Of, type HostTensor } from "../../../tensor/host-tensor.ts";
import { joinBytes } from "../../../values.ts";
import { layersOf } from "../low-rank-layers.ts";
import { matrices } from "./adapterhub-places.ts";

type Named = readonly [name: string, tensor: HostTensor];

/** One method in the library's words. */
interface HubMethod {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly Named[];
}

/** Φ's tensors of the adapter itself. */
function ownTensors({ layout, methods }: AdaptedModel, phi: Phi): readonly Named[] {
  const trained = layout.filter(({ part }) => part === "base").map(({ name }) => name);
  const names = methods.map(({ name }) => name).join(" and ");
  refuse([
    ...(methods.length === 1 ? [] : [`AdapterHub's layout holds one method; this adapter has ${names}`]),
    ...(trained.length === 0
      ? []
      : [`AdapterHub's layout keeps the base as it is; this adapter trained ${trained.join(", ")}`]),
  ]);
  const tensors = tensorsOf(phi);
  return layout.flatMap(({ part, name }): Named[] => {
    const tensor = tensors[name];
    return part === "adapter" && tensor ? [[name, tensor]] : [];
  });
}

/** Layers of the stack that no tensor of the method is of. */
function leftOut({ base, layout }: AdaptedModel): readonly number[] {
  const there = new Set(layout.flatMap(({ part, layer }) => (part === "adapter" ? [layer] : [])));
  return allLayers(base.model.sizes.layers).filter((layer) => !there.has(layer));
}

const allLayers = (count: number): readonly number[] => Array.from({ length: count }, (_, layer) => layer);

/** Bottlenecks in series or beside; undefined for another method. */
export function hubBottleneck(adapted: AdaptedModel, phi: Phi, adapter: string): HubMethod | undefined {
  const [use] = adapted.methods;
  if (use?.name !== "bottleneck" && use?.name !== "parallel") return undefined;
  const { activation, placement, scale = 1 } = use.options;
  const isParallel = use.name === "parallel";
  const tensors = ownTensors(adapted, phi);
  const config = {
    architecture: null,
    non_linearity: activation,
    reduction_factor: reductionFactor(adapted),
    mh_adapter: placement !== "pfeiffer" && placement !== "feed-forward",
    output_adapter: placement !== "attention",
    original_ln_before: placement === "pfeiffer",
    original_ln_after: true,
    residual_before_ln: true,
    adapter_residual_before_ln: false,
    ln_before: false,
    ln_after: false,
    is_parallel: isParallel,
    scaling: Number(scale),
    use_gating: false,
    phm_layer: false,
    inv_adapter: null,
    cross_adapter: false,
    dropout: 0,
    init_weights: isParallel ? "mam_adapter" : "bert",
    leave_out: leftOut(adapted),
  };
  const named = tensors.map(([name, tensor]) => {
    return [name.replace(/\.adapter_(down|up)\./, (_, half) => inside(half, adapter)), tensor] as const;
  });
  return { config, tensors: named };
}

/** Hidden size over width: a number, or by layer where widths differ. */
function reductionFactor({ base, layout }: AdaptedModel): unknown {
  const { hidden } = base.model.sizes;
  const downs = layout.filter(({ name, part }) => part === "adapter" && name.endsWith(".adapter_down.weight"));
  const byLayer = new Map<string, number>();
  for (const { name, layer, shape } of downs) {
    const factor = hidden / (shape[0] ?? 1);
    const known = byLayer.get(String(layer)) ?? factor;
    if (known !== factor)
      throw new InputError(`AdapterHub's layout has one width a layer; "${name}" has another one than its neighbour`);
    byLayer.set(String(layer), factor);
  }
  const [first] = byLayer.values();
  const others = [...byLayer].filter(([, factor]) => factor !== first);
  return others.length === 0 ? first : { ...Object.fromEntries(others), default: first };
}

const inside = (half: string, adapter: string): string =>
  `.adapters.${adapter}.adapter_${half === "down" ? "down.0" : "up"}.`;

/** A prefix, as one long vector; undefined for another method. */
export function hubPrefix(adapted: AdaptedModel, phi: Phi, adapter: string): HubMethod | undefined {
  const [use] = adapted.methods;
  const { adapterHub: places, prefix, sizes } = adapted.base.model;
  if (use?.name !== "prefix" || !places) return undefined;
  const { tokens, layers, positions } = use.options;
  refuse(
    positions === "unshifted"
      ? []
      : [
          "AdapterHub's library leaves the text's positions as they are without the prefix; this adapter was trained with " +
            "positions behind it, as PEFT counts them, and computes something else there; train with `positions: unshifted`",
        ],
  );
  const config = {
    architecture: "prefix_tuning",
    flat: true,
    prefix_length: tokens,
    bottleneck_size: 512,
    non_linearity: "tanh",
    encoder_prefix: true,
    cross_prefix: true,
    use_gating: false,
    shared_gating: true,
    dropout: 0,
    leave_out: allLayers(sizes.layers).filter((layer) => !isChosen(layer, layers as Layers, sizes.layers)),
  };
  const name = `${prefix}.prefix_tuning.prefix_tunings.${adapter}.${places.prefix}.control_trans`;
  const tensors = ownTensors(adapted, phi).map(([, table]): Named => {
    const vector = float32Of(table);
    return [name, float32([vector.length], vector)];
  });
  return { config, tensors };
}

/** LoRA or (IA)³. */
export function hubLowRank(adapted: AdaptedModel, phi: Phi, adapter: string): HubMethod {
  const [use] = adapted.methods;
  const { model } = adapted.base;
  const places = model.adapterHub;
  if (!use || !["lora", "ia3"].includes(use.name) || !places) {
    const what = places ? (use?.name ?? "no method") : model.modelType;
    throw new InputError(
      `AdapterHub's layout is not written for ${what}; it is for bottleneck, parallel, lora, ia3 and prefix`,
    );
  }
  const tensors = ownTensors(adapted, phi);
  const paths = [...new Set(tensors.map(([name]) => name.replace(/\.(lora_[AB]\.weight|ia3_l)$/, "")))];
  const chosen = flagsOf(places, paths, leftOut(adapted), model.sizes.layers);
  const shared = { architecture: "lora", ...chosen, use_gating: false, vera_d: null, vera_b: null };
  const named = (path: string, tensor: string) => `${path}.loras.${adapter}.${tensor}`;
  if (use.name === "ia3") {
    refuse(
      tensors.flatMap(([name, { shape }]) =>
        shape[0] === 1 ? [`AdapterHub's (IA)³ scales outputs; ${name} scales an input`] : [],
      ),
    );
    const config = { ...shared, r: 1, alpha: 1, dropout: 0, composition_mode: "scale", init_weights: "ia3" };
    return {
      config,
      tensors: tensors.map(([name, tensor]) => [named(name.slice(0, -".ia3_l".length), "lora_B"), tensor]),
    };
  }
  const layers = layersOf(adapted, phi);
  const kinds = [...new Set(layers.map(({ rank, scale }) => `rank ${rank} and alpha ${rank * scale}`))];
  refuse(
    kinds.length > 1 ? [`AdapterHub's LoRA has one rank and alpha for all layers; these have ${kinds.join(", ")}`] : [],
  );
  const [{ rank: ownRank, scale: ownScale } = { rank: 1, scale: 1 }] = layers;
  const config = {
    ...shared,
    r: ownRank,
    alpha: ownRank * ownScale,
    dropout: use.options.dropout,
    composition_mode: "add",
    init_weights: "lora",
  };
  const factors = layers.flatMap(({ path, inSize, outSize, A, B }): Named[] => {
    // each block of a fused layer has rows of A of its own
    const copies = path.endsWith(String(places.attention)) ? matrices.length : 1;
    const low = new Float32Array(joinBytes(Array.from({ length: copies }, () => rawBytes(A))).buffer);
    return [
      [named(path, "lora_A"), float32([copies * ownRank, inSize], low)],
      [named(path, "lora_B"), float32([outSize, ownRank], B)],
    ];
  });
  return { config, tensors: factors };
}

const rawBytes = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The flags that name the adapted layers, which must be the same ones throughout the stack. */
function flagsOf(places: HubPlaces, paths: readonly string[], leave_out: readonly number[], layers: number) {
  const { attention, intermediate, output } = places;
  const ends = (name: string) => paths.filter((path) => path.replace(/^.*?\.\d+\./, "") === name).length;
  const each =
    typeof attention === "string" ? matrices.map((matrix) => [matrix, attention] as const) : Object.entries(attention);
  const adapted = each.filter(([, name]) => ends(name) > 0);
  const names = [...new Set([...adapted.map(([, name]) => name), intermediate, output])];
  const known = names.reduce((sum, name) => sum + ends(name), 0);
  const used = names.filter((name) => ends(name) > 0);
  if (known !== paths.length || used.some((name) => ends(name) !== layers - leave_out.length)) {
    throw new InputError(
      `AdapterHub's LoRA and (IA)³ know ${[...new Set(each.map(([, name]) => name)), intermediate, output].join(", ")}, the same in every ` +
        `layer; this adapter acts on ${paths.join(", ")}`,
    );
  }
  return {
    selfattn_lora: adapted.length > 0,
    attn_matrices: adapted.map(([matrix]) => matrix),
    leave_out,
    intermediate_lora: ends(intermediate) > 0,
    output_lora: ends(output) > 0,
  };
}

/** The head beside the adapter: every module that Hugging Face's class has on top of the base. */
export function hubHead(adapted: AdaptedModel, phi: Phi, labels: readonly string[] | undefined) {
  const { layout, goal, headModules } = adapted;
  const tensors = tensorsOf(phi);
  const own = layout.flatMap(({ part, name }): Named[] => {
    const tensor = tensors[name];
    return part === "head" && tensor ? [[name, tensor]] : [];
  });
  if (own.length === 0) return undefined;
  const pooling = goal.pooling ?? "default";
  refuse([
    ...(pooling === "default" ? [] : [`AdapterHub's head for the class reads no pooling "${pooling}"`]),
    ...headModules
      .filter((module) => module.includes("pooler"))
      .map((module) => `AdapterHub's head does not hold ${module}`),
  ]);
  const names = labels ?? Array.from({ length: goal.labels }, (_, id) => `LABEL_${id}`);
  return {
    fields: { num_labels: goal.labels, label2id: Object.fromEntries(names.map((name, id) => [name, id])) },
    tensors: own,
  };
}
