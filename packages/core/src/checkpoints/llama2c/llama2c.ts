import { type ByteSource, readBytes } from "../../containers/folder.ts";
import { encodeSafetensors, type SafetensorsEntry } from "../../containers/safetensors-writer.ts";
import { readFloat32 } from "../../containers/stored-values.ts";
import { InputError } from "../../errors.ts";
import { sizeOf } from "../../tensor/host-tensor.ts";
import type { StoredTensor } from "../../tensor/stored-tensor.ts";

/** The seven numbers with which a checkpoint begins. */
interface Header {
  readonly hidden: number;
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly vocabulary: number;
  readonly tokens: number;
  /** whether the output layer is the table of embeddings, which a positive vocabulary says */
  readonly tied: boolean;
}

const headerLength = 28;

/** Whether a file begins as a checkpoint of llama2.c does and has exactly the length that its beginning calls for. */
export async function isLlama2c(source: ByteSource): Promise<boolean> {
  if (source.size < headerLength) return false;
  const header = await readHeader(source);
  return isPlausible(header) && placesOf(header).length === source.size;
}

/**
 * A checkpoint of llama2.c, version 0, as Hugging Face's LlamaForCausalLM: config.json and model.safetensors. llama2.c turns
 * neighbours (x₂ᵢ, x₂ᵢ₊₁) of queries and keys by their position and Hugging Face (xᵢ, xᵢ₊ₕ), h half of a head, so the rows of
 * both projections are put in that order; everything else keeps its bits.
 *
 * @throws InputError where the file is of another version or another length
 * Source: karpathy/llama2.c, run.c (memory_map_weights) and export.py (permute_reverse)
 */
export async function llama2cModel(source: ByteSource): Promise<{
  readonly "config.json": string;
  readonly "model.safetensors": AsyncGenerator<Uint8Array, void, undefined>;
}> {
  const header = source.size < headerLength ? undefined : await readHeader(source);
  if (!header || !isPlausible(header)) {
    throw new InputError(`${source.name}: is no checkpoint of llama2.c's version 0: seven int32, then float32`);
  }
  const { length, tensors } = placesOf(header);
  if (source.size !== length) {
    throw new InputError(`${source.name}: has ${source.size} bytes; its header calls for ${length}`);
  }
  const entries = tensors.map((place): SafetensorsEntry => {
    const stored: StoredTensor = { ...place, file: source.name, dtype: "float32" };
    const { name, shape } = place;
    return {
      name,
      dtype: "float32",
      shape,
      bytes: async () => bytesOf(halves(await readFloat32(source, stored), place)),
    };
  });
  return { "config.json": configText(header), "model.safetensors": encodeSafetensors(entries) };
}

async function readHeader(source: ByteSource): Promise<Header> {
  const bytes = await readBytes(source, 0, headerLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const at = (index: number) => view.getInt32(4 * index, true);
  return {
    hidden: at(0),
    inner: at(1),
    layers: at(2),
    heads: at(3),
    keyValueHeads: at(4),
    vocabulary: Math.abs(at(5)),
    tokens: at(6),
    tied: at(5) > 0,
  };
}

function isPlausible({ tied, ...sizes }: Header): boolean {
  const { hidden, heads, keyValueHeads } = sizes;
  const whole = Object.values(sizes).every((size) => size > 0 && size < 2 ** 24);
  return whole && hidden % heads === 0 && heads % keyValueHeads === 0 && (hidden / heads) % 2 === 0;
}

/** A tensor's place; `heads` where its rows are turned by position. */
type Place = Pick<StoredTensor, "name" | "shape" | "offset" | "byteLength"> & { readonly heads: number | undefined };

/** Where each tensor lies, each kind for all layers at once, and where the file ends. */
function placesOf(header: Header): { readonly tensors: readonly Place[]; readonly length: number } {
  const { hidden, inner, layers, heads, keyValueHeads, vocabulary, tokens, tied } = header;
  const keys = (hidden / heads) * keyValueHeads;
  const tensors: Place[] = [];
  let offset = headerLength;
  const place = (name: string, shape: readonly number[], turned?: number) => {
    const byteLength = 4 * sizeOf(shape);
    tensors.push({ name, shape, offset, byteLength, heads: turned });
    offset += byteLength;
  };
  const stack = (name: string, shape: readonly number[], turned?: number) => {
    for (let layer = 0; layer < layers; layer++) place(`model.layers.${layer}.${name}.weight`, shape, turned);
  };
  place("model.embed_tokens.weight", [vocabulary, hidden]);
  stack("input_layernorm", [hidden]);
  stack("self_attn.q_proj", [hidden, hidden], heads);
  stack("self_attn.k_proj", [keys, hidden], keyValueHeads);
  stack("self_attn.v_proj", [keys, hidden]);
  stack("self_attn.o_proj", [hidden, hidden]);
  stack("post_attention_layernorm", [hidden]);
  stack("mlp.gate_proj", [inner, hidden]);
  stack("mlp.down_proj", [hidden, inner]);
  stack("mlp.up_proj", [inner, hidden]);
  place("model.norm.weight", [hidden]);
  offset += 4 * tokens * (hidden / heads); // tables of sines and cosines, which nothing reads any more
  if (!tied) place("lm_head.weight", [vocabulary, hidden]);
  return { tensors, length: offset };
}

/** The rows of each head: the first of all pairs, then the second of all pairs. */
function halves(values: Float32Array, { shape: [rows = 0, columns = 1], heads }: Place): Float32Array {
  if (heads === undefined) return values;
  const size = rows / heads;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const [head, at] = [Math.floor(row / size), row % size];
    const to = head * size + (at % 2) * (size / 2) + Math.floor(at / 2);
    out.set(values.subarray(row * columns, (row + 1) * columns), to * columns);
  }
  return out;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function configText({ hidden, inner, layers, heads, keyValueHeads, vocabulary, tokens, tied }: Header): string {
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    vocab_size: vocabulary,
    max_position_embeddings: tokens,
    tie_word_embeddings: tied,
    hidden_act: "silu",
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: "float32",
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
