import type { Value } from "../graph/value.ts";
import { causalBias, seenInFront } from "../nn/causal.ts";
import { decoderBlock } from "../nn/decoder-block.ts";
import { embedding } from "../nn/embedding.ts";
import { type GatedSizes, gatedFeedForward } from "../nn/gated-feed-forward.ts";
import { linear } from "../nn/linear.ts";
import type { HubPlaces, Model, ModelInputs, Sizes } from "../nn/model.ts";
import { outputLayer } from "../nn/output-layer.ts";
import { lastToken } from "../nn/pooling.ts";
import { rmsNorm } from "../nn/rms-norm.ts";
import type { Rope } from "../nn/rope.ts";
import { rotation } from "../nn/rotary.ts";
import { type Reading, type RotaryAttention, rotaryAttention } from "../nn/rotary-attention.ts";
import { joinPath, type Scope } from "../nn/scope.ts";
import { softCap } from "../nn/soft-cap.ts";
import type { Architecture } from "./architecture.ts";
import { type ArchitectureRule, defineArchitecture } from "./architecture.ts";

/** What an attention layer sees of a text: all that is in front, or a window of it; and how its positions turn. */
export interface View {
  readonly window: number | undefined;
  readonly rope: Rope;
}

/** A decoder of the Llama family: everything in which its members differ. */
export interface DecoderForm {
  readonly sizes: Sizes;
  readonly padId: number | null | undefined;
  /** whether the output layer is the table of embeddings */
  readonly tied: boolean;
  readonly epsilon: number;
  /** what a norm's scale is counted from */
  readonly scaleFrom: 0 | 1;
  readonly attention: Pick<RotaryAttention, "bias" | "outputBias" | "fused" | "scale" | "softcap">;
  /** whether each head of queries and keys has a norm */
  readonly headNorms: boolean;
  readonly feedForward: Omit<GatedSizes, "hidden">;
  /** whether a sublayer's output has a norm too */
  readonly outputNorms: boolean;
  /** how many numbers of a head are turned */
  readonly rotarySize: number;
  /** the longest text of the pre-training */
  readonly trained: number;
  /** what each layer sees; layers that see the same share one object */
  readonly views: readonly View[];
  /** factor of the embeddings */
  readonly embeddingScale: number;
  /** bound of the logits; none where left out */
  readonly logitCap?: number | undefined;
}

/** What every decoder's configuration says of its layers. */
interface Layered {
  readonly num_hidden_layers: number;
  readonly layer_types?: readonly string[] | null | undefined;
}

interface DecoderRule<Config extends Layered>
  extends Pick<ArchitectureRule<Config>, "modelType" | "config" | "classes" | "adapterHub"> {
  readonly conventions?: Model["conventions"];
  decoder(config: Config): DecoderForm;
}

/** Declares a decoder of the Llama family. */
export function defineDecoder<Config extends Layered>({ decoder, ...rule }: DecoderRule<Config>): Architecture {
  const norm = (scope: Scope, { sizes, epsilon, scaleFrom }: DecoderForm, x: Value) =>
    rmsNorm(scope, x, { size: sizes.hidden, epsilon, from: scaleFrom, role: "norm" });
  return defineArchitecture({
    conventions: llamaConventions,
    namedLike: "llama",
    ...rule,
    prefix: "model",
    sizes: (config) => decoder(config).sizes,
    problems: (config) => decoderProblems(config, decoder(config)),
    otherNames: (config) => (decoder(config).tied ? { "model.embed_tokens.weight": "lm_head.weight" } : {}),
    encode(scope, config, inputs) {
      const own = decoder(config);
      const { vocabulary, hidden } = own.sizes;
      const readings = readingsOf(scope, own, inputs);
      let x = embedding(scope.at("embed_tokens"), inputs.inputIds, vocabulary, hidden, own.embeddingScale);
      for (const [index, reading] of readings.entries()) x = block(scope.at(`layers.${index}`, index), own, x, reading);
      return norm(scope.at("norm"), own, x);
    },
    poolerModule: undefined,
    pool: (_scope, config, hidden, inputs) => lastToken(hidden, inputs, decoder(config).padId),
    classify: (scope, config, pooled, labels) =>
      linear(scope.at("score"), pooled, decoder(config).sizes.hidden, labels, { bias: false }),
    classifyTokens: (scope, config, hidden, labels) =>
      linear(scope.at("score"), scope.dropout(hidden), decoder(config).sizes.hidden, labels),
    predictTokens(scope, config, states, base) {
      const { tied, logitCap, sizes } = decoder(config);
      const table = tied ? joinPath(base.path, "embed_tokens.weight") : undefined;
      const { vocabulary, hidden } = sizes;
      const logits = outputLayer(scope.at("lm_head"), states, { vocabulary, hidden, table });
      return logitCap === undefined ? logits : softCap(logits, logitCap);
    },
    headModules: { classification: ["score"], "token-classification": ["score"] },
  });
}

/** Kinds of layers, and divisors of angles, are as many as there are layers and angles; numbers of a head turn in pairs. */
function decoderProblems(
  { layer_types: types, num_hidden_layers: layers }: Layered,
  own: DecoderForm,
): readonly string[] {
  const { rotarySize: size, views } = own;
  const ropes = [...new Set(views)].map(({ rope }) => rope);
  const lists = ropes.flatMap((rope) => (rope.kind === "longrope" ? [rope.short, rope.long] : []));
  return [
    ...(types && types.length !== layers ? [`layer_types: ${types.length} for ${layers} layers`] : []),
    ...(size > 0 && size % 2 === 0 ? [] : [`head_dim: ${size} numbers of a head are turned; they turn in pairs`]),
    ...lists
      .filter(({ length }) => length !== size / 2)
      .slice(0, 1)
      .map(({ length }) => `rope_scaling: short_factor and long_factor need ${size / 2} numbers each, not ${length}`),
  ];
}

/** As the library has it: what it calls the intermediate layer is the second of the feed-forward, and the output the first. */
export const llamaHubPlaces: HubPlaces = {
  attention: { q: "self_attn.q_proj", k: "self_attn.k_proj", v: "self_attn.v_proj" },
  intermediate: "mlp.down_proj",
  output: "mlp.up_proj",
  prefix: "self_prefix",
};

const llamaConventions = {
  updated: ["q_proj", "v_proj"],
  scaled: ["k_proj", "v_proj", "down_proj"],
  scaledInputs: ["down_proj"],
  norms: ["input_layernorm", "post_attention_layernorm", "norm"],
};

/** What each layer reads of a batch; layers with one view share it. */
function readingsOf(scope: Scope, own: DecoderForm, inputs: ModelInputs): readonly Reading[] {
  const { rotarySize: size, trained: maxTokens } = own;
  const { virtualTokens } = scope.hooks;
  const known = new Map<View, Reading>();
  return own.views.map((view) => {
    const reading = known.get(view) ?? {
      bias: causalBias(inputs, view.window),
      seenInFront: view.window === undefined ? undefined : seenInFront(inputs, view.window),
      rotation: rotation(inputs, { rope: view.rope, size, maxTokens, virtualTokens }),
    };
    known.set(view, reading);
    return reading;
  });
}

/** One layer, with its norms under Hugging Face's names: Gemma, which has four, calls the third by the name of Llama's second. */
function block(scope: Scope, own: DecoderForm, x: Value, reading: Reading): Value {
  const { sizes, epsilon, scaleFrom, headNorms, outputNorms } = own;
  const { hidden, headSize } = sizes;
  const scaled = { epsilon, from: scaleFrom };
  const norm = (name: string, y: Value) => rmsNorm(scope.at(name), y, { size: hidden, ...scaled, role: "norm" });
  const behind = (name: string, y: Value) => (outputNorms ? norm(name, y) : y);
  const headNorm = (at: Scope, y: Value) => rmsNorm(at, y, { size: headSize, ...scaled, role: "head-norm" });
  const layer = { ...own.attention, sizes, headNorm: headNorms ? headNorm : undefined };
  const inFront = outputNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm";
  return decoderBlock(scope, x, {
    hidden,
    attention: (y) =>
      behind(
        "post_attention_layernorm",
        rotaryAttention(scope.at("self_attn"), layer, norm("input_layernorm", y), reading),
      ),
    feedForward: (y) =>
      behind(
        "post_feedforward_layernorm",
        gatedFeedForward(scope.at("mlp"), norm(inFront, y), { ...own.feedForward, hidden }),
      ),
  });
}
