import type { AdaptedModel } from "../peft/adapt.ts";
import type { Phi } from "../peft/phi.ts";
import type { Engine } from "../runtime/session.ts";
import type { GenerationSettings } from "./settings.ts";

/** What a model goes on with. */
export interface Continuing {
  readonly engine: Engine;
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  readonly settings: GenerationSettings;
  /** tokens that end a text */
  readonly endIds: readonly number[];
  /** the text of tokens; without it there is none, and no stop texts */
  readonly decode?: ((ids: readonly number[]) => string) | undefined;
  /** ends the work between two tokens */
  readonly signal?: { throwIfAborted(): void } | undefined;
}
