import type { Value } from "../graph/value.ts";
import type { Hooks } from "./sites.ts";

/**
 * What a tensor of a model is there for: the matrix and the shift of a linear layer, the scale and the shift of a norm of
 * the residual stream, the scale of a norm of each head, a table that is looked up by id.
 */
const roles = ["weight", "bias", "norm", "norm-bias", "head-norm", "table"] as const;
export type Role = (typeof roles)[number];

/** Whether a tensor is added to what the rest of its module computes. */
export const isBias = (role: Role): boolean => role === "bias" || role === "norm-bias";

/** Whether a tensor belongs to a norm. */
export const isNorm = (role: Role): boolean => role === "norm" || role === "norm-bias" || role === "head-norm";

/** What a module is built with: its place in the model, the tensors of Θ, and what acts at its sites. */
export interface Scope {
  /** the Hugging Face module path, verbatim; empty at the root */
  readonly path: string;
  /** the number of the layer in the stack, from 0 on; undefined for embeddings, pooler and head */
  readonly layer: number | undefined;
  readonly hooks: Hooks;
  /** The scope of a submodule; `name` may lead through several, `attention.self`. With it a layer of the stack begins where one is given. */
  at(name: string, layer?: number): Scope;
  /** A tensor of the base model or of the head, in float32, under its Hugging Face name. */
  parameter(name: string, shape: readonly number[], role: Role): Value;
  /** A tensor that is another one, under that one's whole name, unless an adapter brings it apart. */
  tied(name: string, shape: readonly number[], table: string): Value;
  /** The base's own dropout: the identity unless a training run asks for it. */
  dropout(x: Value): Value;
}

/** `a.b` from `a` and `b`; either may be empty. */
export const joinPath = (path: string, name: string): string => [path, name].filter(Boolean).join(".");
