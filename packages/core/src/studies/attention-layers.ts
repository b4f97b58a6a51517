import type { Setup } from "./study.ts";

/** The names that architectures give the projections of attention: one of queries, keys and values together, or each. */
const roles = {
  q: ["query", "q_lin", "q_proj"],
  k: ["key", "k_lin", "k_proj"],
  v: ["value", "v_lin", "v_proj"],
  o: ["attention.output.dense", "out_lin", "o_proj", "attn.c_proj"],
  qkv: ["c_attn", "qkv_proj", "query_key_value"],
} as const;

/** A set of linear layers to adapt: what cells call it, and what the method is told. */
interface TargetSet {
  readonly called: string;
  readonly targets: string;
}

/** The sets of LoRA's table 5 and all linear layers; where a base has queries, keys and values in one layer, by its names. */
export function targetSets({ linearLayers }: Pick<Setup, "linearLayers">): readonly TargetSet[] {
  const nameOf = (role: keyof typeof roles): string | undefined =>
    roles[role].find((name) => linearLayers.some((path) => path.endsWith(`.${name}`)));
  const [q, k, v, o, fused] = [nameOf("q"), nameOf("k"), nameOf("v"), nameOf("o"), nameOf("qkv")];
  const all = { called: "all-linear", targets: "all-linear" };
  if (fused !== undefined) {
    const with_o = o === undefined ? [] : [named(`${fused},${o}`)];
    return [named(fused), ...with_o, all];
  }
  return [
    ...(q === undefined ? [] : [{ called: "q", targets: q }]),
    ...(q === undefined || v === undefined ? [] : [{ called: "q,v", targets: `${q},${v}` }]),
    ...(q === undefined || k === undefined || v === undefined || o === undefined
      ? []
      : [{ called: "q,k,v,o", targets: `${q},${k},${v},${o}` }]),
    all,
  ];
}

const named = (targets: string): TargetSet => ({ called: targets, targets });
