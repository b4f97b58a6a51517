import { InputError, suggestion } from "../../errors.ts";
import { isRecord } from "../../values.ts";
import { largestId } from "./special-token.ts";
import type { TokenizerJson } from "./tokenizer-files.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** More than any tokenizer has, and few enough that no text grows beyond memory on its way through them. */
const most = { steps: 100, contents: 100, characters: 1000, added: 100_000 } as const;

/** The parts that the tokenizer library computes, by the field that names them. */
const known = {
  normalizer: [
    ...["BertNormalizer", "Precompiled", "Sequence", "Replace", "NFC", "NFD", "NFKC", "NFKD", "Strip", "StripAccents"],
    ...["Lowercase", "Prepend"],
  ],
  pre_tokenizer: [
    ...["BertPreTokenizer", "Sequence", "Whitespace", "WhitespaceSplit", "Metaspace", "ByteLevel", "Split"],
    ...["Punctuation", "Digits", "Replace", "FixedLength"],
  ],
  decoder: [
    ...["ByteLevel", "WordPiece", "Metaspace", "BPEDecoder", "CTC", "Sequence", "Replace", "Fuse", "Strip"],
    "ByteFallback",
  ],
  model: ["WordPiece", "BPE", "Unigram", "WordLevel"],
} as const;

const parts = { normalizer: "normalizers", pre_tokenizer: "pretokenizers", decoder: "decoders" } as const;

/**
 * Refuses what would make nonsense, or more than memory holds, of a text: ids that are none or that two tokens have, kinds
 * of steps that petl does not know, merges and pieces that are no texts.
 *
 * @throws InputError naming the field
 */
export function checkTokenizer(tokenizer: TokenizerJson): void {
  const problems = [...stepProblems(tokenizer), ...modelProblems(tokenizer), ...addedProblems(tokenizer)];
  if (problems.length === 0) return;
  const first = problems.slice(0, 10);
  const more = problems.length - first.length;
  throw new InputError(
    [...first, ...(more > 0 ? [`and ${more} more like these`] : [])].map((text) => `tokenizer.json: ${text}`),
  );
}

type Field = keyof typeof parts;
const fieldsOfSteps: readonly Field[] = ["normalizer", "pre_tokenizer", "decoder"];

function stepProblems(tokenizer: TokenizerJson): readonly string[] {
  return fieldsOfSteps.flatMap((field) => {
    const steps = [...stepsOf(tokenizer[field], field, parts[field])];
    if (steps.length > most.steps) return [`${field}: has ${steps.length} steps; ${most.steps} are allowed`];
    return steps.flatMap(({ place, step }) => [...oneStepProblems(place, step, known[field])]);
  });
}

interface PlacedStep {
  readonly place: string;
  readonly step: Readonly<Record<string, unknown>>;
}

/** A step, or those of a sequence, each with where it stands; one more than are allowed ends it. */
function* stepsOf(value: unknown, place: string, inner: string, depth = 0): Generator<PlacedStep> {
  if (value === null || value === undefined) return;
  const step = isRecord(value) ? value : {};
  yield { place, step };
  const items = step.type === "Sequence" && depth < 10 ? step[inner] : undefined;
  if (!Array.isArray(items)) return;
  for (const [index, item] of items.slice(0, most.steps + 1).entries())
    yield* stepsOf(item, `${place}.${inner}[${index}]`, inner, depth + 1);
}

function* oneStepProblems(place: string, step: PlacedStep["step"], types: readonly string[]): Generator<string> {
  const { type, content, prepend, pattern, replacement } = step;
  if (typeof type !== "string" || !types.includes(type)) {
    yield `${place}: type ${shown(type)} is not known${suggestion(String(type).slice(0, 50), types)}; known: ${types.join(", ")}`;
    return;
  }
  for (const [name, text] of Object.entries({ content, prepend, replacement })) {
    if (text !== undefined && typeof text !== "string") yield `${place}.${name}: ${shown(text)} is no text`;
    else if (text !== undefined && text.length > most.contents)
      yield `${place}.${name}: has ${text.length} characters; ${most.contents} are allowed`;
  }
  const patterned = type === "Split" || type === "Replace";
  const texts = isRecord(pattern) ? [pattern.Regex, pattern.String].filter((text) => typeof text === "string") : [];
  if (patterned && texts.length !== 1) yield `${place}.pattern: is neither {"Regex": …} nor {"String": …}`;
  if (patterned && texts[0] === "") yield `${place}.pattern: is empty`;
  for (const item of ["FixedLength"].includes(type) ? [step.length] : [])
    if (!(Number.isInteger(item) && Number(item) > 0)) yield `${place}.length: ${shown(item)} is no length`;
}

function modelProblems({ model }: TokenizerJson): readonly string[] {
  const type = model.type ?? (Array.isArray(model.vocab) ? "Unigram" : undefined);
  if (type !== undefined && !known.model.some((name) => name === type))
    return [`model: type ${shown(type)} is not known; known: ${known.model.join(", ")}`];
  const needsList = type === "Unigram";
  if (Array.isArray(model.vocab) !== needsList)
    return [`model.vocab: of ${type ?? "a tokenizer"} must be ${needsList ? "a list of pieces" : "an object of ids"}`];
  return [
    ...(Array.isArray(model.vocab) ? pieceProblems(model.vocab, model.unk_id) : idProblems(model.vocab)),
    ...(type === "BPE" ? mergeProblems(model.merges) : []),
    ...lengthProblems(model.max_input_chars_per_word),
  ];
}

function* pieceProblems(pieces: readonly unknown[], unknown: unknown): Generator<string> {
  const isPiece = (piece: unknown) =>
    Array.isArray(piece) &&
    typeof piece[0] === "string" &&
    piece[0].length <= most.characters &&
    Number.isFinite(piece[1]);
  const strange = pieces.findIndex((piece) => !isPiece(piece));
  if (strange >= 0)
    yield `model.vocab[${strange}]: is no piece of at most ${most.characters} characters with its score`;
  if (pieces.length === 0) yield "model.vocab: is empty";
  if (unknown != null && !(Number.isInteger(unknown) && Number(unknown) >= 0 && Number(unknown) < pieces.length))
    yield `model.unk_id: ${shown(unknown)} is no piece`;
}

function* idProblems(vocab: Vocabulary): Generator<string> {
  let [largest, strange] = [0, false];
  vocab.ids.forEach((id, token) => {
    largest = Math.max(largest, id);
    strange ||= !isId(id) || token.length > most.characters;
  });
  const isFar = largest > farthest(vocab.ids.size);
  if (isFar && largest <= largestId) yield `model.vocab: an id ${largest} among ${vocab.ids.size} tokens`;
  if (strange || isFar || vocab.tokens.reduce((count) => count + 1, 0) < vocab.ids.size)
    yield* tokenProblems(vocab.ids);
}

const isId = (id: number): boolean => Number.isInteger(id) && id >= 0 && id <= largestId;

function* tokenProblems(ids: Vocabulary["ids"]): Generator<string> {
  const owners = new Map<number, string>();
  for (const [token, id] of ids) {
    const other = owners.get(id);
    if (!isId(id)) yield `model.vocab: ${shown(token)} has the id ${id}; ids are 0 to ${largestId}`;
    else if (other !== undefined) yield `model.vocab: ${shown(other)} and ${shown(token)} have the id ${id}`;
    else if (token.length > most.characters)
      yield `model.vocab: ${shown(token)} has ${token.length} characters; ${most.characters} are allowed`;
    else owners.set(id, token);
  }
}

/** Gaps are allowed, but not ones that a few bytes make of any size. */
const farthest = (count: number): number => 100_000 + 10 * count;

function* mergeProblems(merges: unknown): Generator<string> {
  if (!Array.isArray(merges)) {
    yield "model.merges: BPE needs a list of merges";
    return;
  }
  const isText = (part: unknown) => typeof part === "string" && part.length <= most.characters;
  const isMerge = (merge: unknown) =>
    typeof merge === "string"
      ? merge.length <= 2 * most.characters && merge.includes(" ")
      : Array.isArray(merge) && merge.length === 2 && merge.every(isText);
  const strange = merges.findIndex((merge) => !isMerge(merge) || typeof merge !== typeof merges[0]);
  if (strange >= 0) yield `model.merges[${strange}]: ${shown(merges[strange])} is no pair of tokens`;
}

function* lengthProblems(length: unknown): Generator<string> {
  if (length != null && !(Number.isInteger(length) && Number(length) > 0 && Number(length) <= most.characters))
    yield `model.max_input_chars_per_word: ${shown(length)} is no length up to ${most.characters}`;
}

function* addedProblems({ added_tokens: added, model: { vocab } }: TokenizerJson): Generator<string> {
  const tokens = added ?? [];
  if (tokens.length > most.added) yield `added_tokens: ${tokens.length} are more than ${most.added}`;
  const named = Array.isArray(vocab) ? [] : vocab.tokens;
  const count = Array.isArray(vocab) ? vocab.length : vocab.ids.size;
  const owners = new Map<number, string>();
  for (const [index, { id, content }] of tokens.slice(0, most.added).entries()) {
    const other = owners.get(id) ?? named[id];
    if (id < 0 || id > Math.min(largestId, farthest(count + tokens.length)))
      yield `added_tokens[${index}].id: ${id} is no token's id`;
    else if (other !== undefined && other !== content)
      yield `added_tokens[${index}].id: ${shown(other)} and ${shown(content)} have the id ${id}`;
    else if (content === "" || content.length > most.characters)
      yield `added_tokens[${index}].content: is empty, or longer than ${most.characters}`;
    owners.set(id, content);
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "(none)";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
