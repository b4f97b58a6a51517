import { type ByteSource, readBytes } from "../../containers/folder.ts";
import { InputError } from "../../errors.ts";

interface Piece {
  readonly text: string;
  readonly score: number;
}

/** ids of `<unk>`, `<s>`, `</s>` and of the 256 bytes come before those of pieces */
const [begin, end, bytes] = [1, 2, 3];
const firstPiece = bytes + 256;

/**
 * llama2.c's tokenizer file, an int32 and then for each piece its float32 score, its int32 length and its UTF-8 bytes, as
 * Hugging Face's tokenizer.json and tokenizer_config.json. Pieces are merged best score first, as SentencePiece does, which
 * becomes the order of the merges; a text begins with a space, and what no piece covers is spelled in bytes.
 *
 * @throws InputError where the file ends within a piece or begins with other pieces than llama2.c's
 * Source: karpathy/llama2.c, tokenizer.py (export); huggingface/transformers, convert_slow_tokenizer.py
 */
export async function llama2cTokenizer(source: ByteSource) {
  const pieces = await readPieces(source);
  const vocab = new Map(pieces.map(({ text }, id) => [text, id]));
  if (pieces.length <= firstPiece || vocab.size !== pieces.length || vocab.get("<0x00>") !== bytes) {
    throw new InputError(
      `${source.name}: is no tokenizer of llama2.c: <unk>, <s>, </s> and 256 bytes come first, each once`,
    );
  }
  const special = (id: number) => ({ id, content: pieces[id]?.text, ...plain, special: true });
  const model = { ...bpe, vocab: Object.fromEntries(vocab), merges: mergesOf(pieces, vocab) };
  const parts = {
    added_tokens: [0, begin, end].map(special),
    normalizer,
    pre_tokenizer: null,
    post_processor,
    decoder,
  };
  const settings = {
    tokenizer_class: "PreTrainedTokenizerFast",
    unk_token: "<unk>",
    bos_token: "<s>",
    eos_token: "</s>",
    clean_up_tokenization_spaces: false,
  };
  return {
    "tokenizer.json": JSON.stringify({ version: "1.0", truncation: null, padding: null, ...parts, model }),
    "tokenizer_config.json": JSON.stringify(settings, null, 2),
  };
}

async function readPieces(source: ByteSource): Promise<readonly Piece[]> {
  const file = await readBytes(source, 0, source.size);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const pieces: Piece[] = [];
  for (let at = 4; at < file.length; ) {
    const length = at + 8 <= file.length ? view.getInt32(at + 4, true) : -1;
    if (length < 0 || at + 8 + length > file.length) {
      throw new InputError(`${source.name}: is no tokenizer of llama2.c: it ends within piece ${pieces.length}`);
    }
    const text = new TextDecoder().decode(file.subarray(at + 8, at + 8 + length));
    pieces.push({ text: named(text, pieces.length), score: view.getFloat32(at, true) });
    at += 8 + length;
  }
  return pieces;
}

/** llama2.c writes line feeds around the ends of texts, and spaces as they are. */
const named = (text: string, id: number): string =>
  id === begin || id === end ? text.trim() : text.replaceAll(" ", "▁");

/** Every way to make a piece of two others, the best pieces first. */
function mergesOf(pieces: readonly Piece[], vocab: ReadonlyMap<string, number>): readonly (readonly string[])[] {
  const ranked = pieces.slice(firstPiece).toSorted((a, b) => b.score - a.score);
  return ranked.flatMap(({ text }) => {
    const letters = [...text];
    const ways = letters.slice(1).map((_, at) => [letters.slice(0, at + 1).join(""), letters.slice(at + 1).join("")]);
    const known = ways.filter((pair) => pair.every((half) => (vocab.get(half) ?? 0) >= firstPiece));
    const idOf = (half = "") => vocab.get(half) ?? 0;
    return known.sort(([a, b], [c, d]) => idOf(a) - idOf(c) || idOf(b) - idOf(d));
  });
}

const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };

const bpe = {
  type: "BPE",
  dropout: null,
  unk_token: "<unk>",
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: true,
  byte_fallback: true,
  ignore_merges: false,
};

const replace = (pattern: string, content: string) => ({ type: "Replace", pattern: { String: pattern }, content });
const normalizer = { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, replace(" ", "▁")] };
const decoder = {
  type: "Sequence",
  decoders: [
    replace("▁", " "),
    { type: "ByteFallback" },
    { type: "Fuse" },
    { type: "Strip", content: " ", start: 1, stop: 0 },
  ],
};

/** Every text begins with `<s>`. */
const start = (type: number) => ({ SpecialToken: { id: "<s>", type_id: type } });
const post_processor = {
  type: "TemplateProcessing",
  single: [start(0), { Sequence: { id: "A", type_id: 0 } }],
  pair: [start(0), { Sequence: { id: "A", type_id: 0 } }, start(1), { Sequence: { id: "B", type_id: 1 } }],
  special_tokens: { "<s>": { id: "<s>", ids: [begin], tokens: ["<s>"] } },
};
