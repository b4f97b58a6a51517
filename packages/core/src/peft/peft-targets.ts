import type { Layers, Targets } from "./options.ts";

/** target_modules as PEFT reads it: a text is all-linear or a pattern, a list holds names. */
export function targetsFromPeft(modules: string | readonly string[] | null | undefined): Targets {
  if (modules === null || modules === undefined || modules.length === 0) return undefined;
  if (modules === "all-linear") return { kind: "all-linear" };
  // PEFT takes names of which some match nothing; the strict loading of the tensors finds what matters
  return typeof modules === "string"
    ? { kind: "pattern", pattern: modules }
    : { kind: "names", names: modules, required: false };
}

export function targetsToPeft(targets: Targets): string | readonly string[] | undefined {
  if (targets === undefined) return undefined;
  if (targets.kind === "names") return targets.names;
  return targets.kind === "pattern" ? targets.pattern : "all-linear";
}

export function layersFromPeft(indices: number | readonly number[] | null | undefined): Layers {
  return typeof indices === "number" ? [indices] : (indices ?? undefined);
}

export function layersToPeft(layers: Layers, count: number): readonly number[] | undefined {
  if (layers === undefined || !("end" in layers)) return layers;
  const from = layers.end === "top" ? count - layers.count : 0;
  return Array.from({ length: Math.min(layers.count, count) }, (_, i) => Math.max(0, from) + i);
}
