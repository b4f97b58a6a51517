import type { EmbeddingSite } from "../../../nn/sites/embedding.ts";
import type { LinearSite } from "../../../nn/sites/linear.ts";
import type { AdapterScope } from "../../method.ts";
import { type Initializer, normal, zeros } from "../../parameter.ts";
import { type LowRank, rankAndScale } from "./low-rank.ts";
import type { StartedFactors } from "./since-start.ts";
import { type StartName, startingFactors, startsFromWeight } from "./starting-factors.ts";

type Lora = LowRank & { readonly initWeights: StartName };
type Layer = Pick<LinearSite, "path" | "inSize" | "outSize" | "transposed">;
type Table = Pick<EmbeddingSite, "path" | "rows" | "size">;

/** A: [rank, in] and B: [out, rank] of a linear layer. */
export function weightFactors(scope: AdapterScope, site: Layer, options: Lora): StartedFactors {
  const { rank, scale } = rankAndScale(site.path, options);
  const initial = startingFactors(options.initWeights, { ...site, rank, scale });
  const A = { name: "lora_A.weight", shape: [rank, site.inSize], initial: initial.A };
  const B = { name: "lora_B.weight", shape: [site.outSize, rank], initial: initial.B };
  return started(scope, { A, B, scale, initWeights: options.initWeights });
}

/** A: [rank, rows], zero, and B: [size, rank], normal, of an embedding. */
export function tableFactors(scope: AdapterScope, { path, rows, size }: Table, options: Lora): StartedFactors {
  const { rank, scale } = rankAndScale(path, options);
  const A = { name: "lora_embedding_A", shape: [rank, rows], initial: zeros };
  const B = { name: "lora_embedding_B", shape: [size, rank], initial: normal(1) };
  return started(scope, { A, B, scale, initWeights: options.initWeights });
}

interface Matrix {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: Initializer;
}

interface Declared {
  readonly A: Matrix;
  readonly B: Matrix;
  readonly scale: number;
  readonly initWeights: StartName;
}

function started(scope: AdapterScope, { A, B, scale, initWeights }: Declared): StartedFactors {
  const now = {
    A: scope.parameter(A.name, A.shape, A.initial),
    B: scope.parameter(B.name, B.shape, B.initial, { rate: "loraPlus" }),
    scale,
  };
  if (!startsFromWeight(initWeights)) return { now, start: undefined };
  return { now, start: { A: scope.start(A.name, A.shape), B: scope.start(B.name, B.shape), scale } };
}
