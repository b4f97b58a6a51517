import type { Value } from "../graph/value.ts";
import type { Hooks } from "./sites.ts";

/** What a module is built with: its place in the model, the tensors of Θ, and what acts at its sites. */
export interface Scope {
  /** the Hugging Face module path, verbatim; empty at the root */
  readonly path: string;
  readonly hooks: Hooks;
  /** The scope of a submodule; `name` may lead through several, `attention.self`. */
  at(name: string): Scope;
  /** A tensor of the base model or of the head, in float32, under its Hugging Face name. */
  parameter(name: string, shape: readonly number[]): Value;
  /** The base's own dropout: the identity unless a training run asks for it. */
  dropout(x: Value): Value;
}

/** `a.b` from `a` and `b`; either may be empty. */
export const joinPath = (path: string, name: string): string => [path, name].filter(Boolean).join(".");
