import type { AdaptedModel } from "../peft/adapt.ts";
import type { Phi } from "../peft/phi.ts";
import type { Decoder } from "./decoder.ts";
import type { GenerationSettings } from "./settings.ts";

/** The text of tokens; special ones are left out unless asked for. */
export type Decode = (ids: readonly number[], options?: { readonly specialTokens?: boolean }) => string;

/** What a model goes on with. */
export interface Continuing {
  readonly decoder: Decoder;
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  readonly settings: GenerationSettings;
  /** tokens that end a text */
  readonly endIds: readonly number[];
  /** more of them for each prompt, as what ends a turn in a conversation; none where left out */
  readonly turnEnds?: readonly (readonly number[])[] | undefined;
  /** tokens that never come, and such that never come first */
  readonly suppressed?: readonly number[] | undefined;
  readonly suppressedFirst?: readonly number[] | undefined;
  /** the text of tokens, without special ones or with them; without it there is none, and no stop texts */
  readonly decode?: Decode | undefined;
  /** ends the work between two tokens */
  readonly signal?: { readonly aborted: boolean; readonly reason?: unknown } | undefined;
}
