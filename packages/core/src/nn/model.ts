import type { Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/** What a batch brings: int32 tensors [batch, tokens]. */
export interface ModelInputs {
  readonly inputIds: Value;
  /** 1 for text, 0 for padding; longer than the ids by the tokens in front of them that were computed before */
  readonly attentionMask: Value;
  /** which of two texts a token belongs to; architectures that do not tell them apart ignore it */
  readonly tokenTypeIds: Value;
  /** of which text of its row each token is, where rows are several; decoders let none attend to another */
  readonly documents?: Value | undefined;
  /** how many of each row's first ids stand for learned vectors in front of the text; none where left out */
  readonly virtualTokens?: number;
}

/** The sizes that methods, plans and counts need of any model. */
export interface Sizes {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  /** heads of keys and values; fewer than `heads` where groups of heads share them */
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly vocabulary: number;
  /** the longest input that has positions; any length where they are angles instead of a table */
  readonly maxTokens: number;
  /** the longest input of the pre-training, as its configuration says */
  readonly trainedTokens: number;
  readonly padId: number;
  /** standard deviation of the normal distribution from which a new head starts */
  readonly initializerRange: number;
}

/** What a model's head reads and gives; each head is a Hugging Face class of its own. */
export interface HeadKind {
  /** of what an answer is: the whole text, or each of its tokens */
  readonly of: "text" | "tokens";
  /** what it is chosen from: labels that somebody names, or words of the vocabulary, whose layer belongs to the base */
  readonly from: "labels" | "vocabulary";
  /** whether a token's answer is the token behind it, so that the model can go on with a text */
  readonly goesOn: boolean;
}

export const heads = {
  classification: { of: "text", from: "labels", goesOn: false },
  "token-classification": { of: "tokens", from: "labels", goesOn: false },
  "masked-lm": { of: "tokens", from: "vocabulary", goesOn: false },
  "causal-lm": { of: "tokens", from: "vocabulary", goesOn: true },
} as const satisfies Readonly<Record<string, HeadKind>>;
export type Head = keyof typeof heads;
export const headNames: readonly Head[] = ["classification", "token-classification", "masked-lm", "causal-lm"];

/** Names of the linear layers that methods act on by default, as papers and PEFT do. */
export interface Conventions {
  /** the projections that low-rank updates act on */
  readonly updated: readonly string[];
  /** the layers whose activations are rescaled */
  readonly scaled: readonly string[];
  /** those of them whose input, not output, is rescaled */
  readonly scaledInputs: readonly string[];
  /** the norms of the stack */
  readonly norms: readonly string[];
  /** whether the checkpoint keeps these layers' weights as [in, out], PEFT's fan_in_fan_out; left out: [out, in] */
  readonly transposed?: boolean;
}

/** Where AdapterHub's library puts LoRA and (IA)³ in an architecture, below a layer's path, and what it calls a prefix. */
export interface HubPlaces {
  /** the flag's matrices q, k and v: a layer each, or all in one, one behind the other */
  readonly attention: Readonly<Record<"q" | "k" | "v", string>> | string;
  /** the flags intermediate_lora and output_lora */
  readonly intermediate: string;
  readonly output: string;
  readonly prefix: string;
}

/** A base model of some architecture and some sizes: how it computes, every module under its Hugging Face name. */
export interface Model {
  readonly modelType: string;
  readonly sizes: Sizes;
  readonly conventions: Conventions;
  /** the attribute that holds the base model in Hugging Face's task classes; tensors of a bare base lack it */
  readonly prefix: string;
  /** the base's own module that pooling uses and that a checkpoint may lack, as masked-LM checkpoints do */
  readonly poolerModule: string | undefined;
  /** the modules that Hugging Face's class adds on top of the base, by head; none where left out */
  readonly headModules: Readonly<Partial<Record<Head, readonly string[]>>>;
  /** Hugging Face's class for each head that the architecture has, and for the bare base */
  readonly classes: Readonly<Partial<Record<Head, string>>> & { readonly base: string };
  /** undefined where AdapterHub's library has no such architecture */
  readonly adapterHub?: HubPlaces;
  /** other names under which a checkpoint may hold a tensor, as where input and output share a table */
  readonly otherNames: Readonly<Record<string, string>>;
  /** The last hidden states: [batch, tokens, hidden]. */
  encode(base: Scope, inputs: ModelInputs): Value;
  /** The vector that stands for the whole text, as Hugging Face's class takes it: [batch, 1, hidden]. */
  pool(base: Scope, hidden: Value, inputs: ModelInputs): Value;
  /** [batch, 1, hidden] -> [batch, 1, labels] */
  classify(head: Scope, pooled: Value, labels: number): Value;
  /** [batch, tokens, hidden] -> [batch, tokens, labels] */
  classifyTokens(head: Scope, hidden: Value, labels: number): Value;
  /** [batch, tokens, hidden] -> [batch, tokens, vocabulary]; `base` holds the embeddings that the output may share */
  predictTokens(head: Scope, hidden: Value, base: Scope): Value;
}
