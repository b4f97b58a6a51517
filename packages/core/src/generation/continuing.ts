import type { AdaptedModel } from "../peft/adapt.ts";
import type { Phi } from "../peft/phi.ts";
import type { Decoder } from "./decoder.ts";
import type { GenerationSettings } from "./settings.ts";

/** What a model goes on with. */
export interface Continuing {
  readonly decoder: Decoder;
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  readonly settings: GenerationSettings;
  /** tokens that end a text */
  readonly endIds: readonly number[];
  /** the text of tokens; without it there is none, and no stop texts */
  readonly decode?: ((ids: readonly number[]) => string) | undefined;
  /** ends the work between two tokens */
  readonly signal?: { readonly aborted: boolean; readonly reason?: unknown } | undefined;
}
