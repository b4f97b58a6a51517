import { type HfModel, readBase } from "../checkpoints/hf-model.ts";
import { type Folder, readText } from "../containers/folder.ts";
import { loadTokenizer, type Tokenizer } from "../data/tokenizer/tokenizer.ts";
import { type TokenizerFiles, tokenizerFileNames } from "../data/tokenizer/tokenizer-file-names.ts";
import { InputError, shown, suggestion } from "../errors.ts";
import { announcementsOf } from "../peft/announcements.ts";
import { type Activations, activationTypes } from "../runtime/activations.ts";
import type { Engine } from "../runtime/session.ts";
import type { CacheChoice, CacheOptions } from "../training/cache.ts";
import { type StopSignal, throwIfStopped } from "../training/stop-signal.ts";
import type { Workers } from "../training/train.ts";
import "./async-dispose.ts";
import { type Asked, asked } from "./asked.ts";
import { type KeptPrograms, keptPrograms } from "./kept-programs.ts";
import { readSentences, type Sentences } from "./sentences.ts";

/** An engine that must be closed. */
export interface ClosableEngine extends Engine {
  close(): Promise<void>;
}

/** Where a base's files lie and what computes them: what a host supplies. */
export interface BaseSource {
  /** as messages and adapters' files name the base */
  readonly name: string;
  readonly folder: Folder;
  /** a folder within it, where the host has such */
  readonly inner?: ((name: string) => Folder) | undefined;
  /** starts an engine over the checkpoint's files, named as in the folder, with one of so many shares of the threads */
  openEngine(files: readonly string[], shares: number): Promise<ClosableEngine>;
  /** what a training may keep, and where; a little in memory where the host does not say it */
  readonly openCache?: OpenBase["openCache"] | undefined;
}

/** A base model with what computes it. Any number of adapters may stand on it at once; its weights are held once. */
export interface OpenBase extends HfModel {
  /** undefined where the folder has none; rows must then come as tokens */
  readonly tokenizer: Tokenizer | undefined;
  readonly engine: Engine;
  /** Opens so many engines more over the same weights, which share the threads; close them, and before the base. */
  openWorkers(count: number): Promise<Workers>;
  /** How a training keeps what stays the same from epoch to epoch. */
  openCache(choice: CacheChoice): Promise<CacheOptions>;
  /** what has been compiled for this base and lives as long as it does */
  readonly programs: KeptPrograms;
  /** who asks what now */
  readonly asked: Asked;
  /** how it makes vectors of texts; undefined where it is no sentence encoder */
  readonly sentences: Sentences | undefined;
  /** Ends what computes; nothing can be computed with this base, or what stands on it, afterwards. */
  close(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface OpenBaseChoices {
  readonly signal?: StopSignal | undefined;
  /**
   * `int8` rounds what products with weights in 4 or 8 bits multiply to 8 bits, block by block, as llama.cpp does: faster, and
   * no longer what training computes; float32 where left out
   */
  readonly activations?: Activations | undefined;
}

function refuseActivations(activations: Activations | undefined, { quantization, name }: HfModel): void {
  if (activations === undefined) return;
  if (!activationTypes.includes(activations))
    throw new InputError(
      `activations are ${shown(activations)}${suggestion(String(activations), activationTypes)}; types: ${activationTypes.join(", ")}`,
    );
  if (activations === "int8" && !quantization)
    throw new InputError(
      `activations are int8, but ${name} holds no weights in 4 or 8 bits; petl quantize writes such a base`,
    );
}

/**
 * Opens a base model of a folder with Hugging Face's config.json, safetensors and tokenizer files. Once `signal` is
 * aborted, nothing new is computed.
 *
 * @throws InputError for what the caller can mend; the signal's reason
 */
export async function openBase(
  { name, folder, inner, openEngine, openCache = littleCache }: BaseSource,
  { signal, activations }: OpenBaseChoices = {},
): Promise<OpenBase> {
  throwIfStopped(signal);
  const model = await readBase(folder);
  refuseActivations(activations, model);
  throwIfStopped(signal);
  const files = model.checkpoint?.files ?? [];
  const { engine, told } = await whileOpening(openEngine(files, 1), async () => {
    announcementsOf(model.model); // every adapter that is put on this base is told them
    return Promise.all([openTokenizer(folder), readSentences(folder, inner)]);
  });
  const [tokenizer, sentences] = told;
  let closed = false;
  const close = async () => {
    if (!closed) await engine.close();
    closed = true;
  };
  const check = () => {
    throwIfStopped(signal);
    if (closed) throw new InputError(`the base ${name} is closed; open it again`);
  };
  const openWorkers = async (count: number): Promise<Workers> => {
    check();
    const engines = await Promise.all(Array.from({ length: count }, () => openEngine(files, count)));
    const closeWorkers = async () => {
      for (const each of engines) await each.close();
    };
    return { engines: engines.map((each) => checked(each, check, activations)), close: closeWorkers };
  };
  return {
    ...model,
    openWorkers,
    openCache,
    name,
    tokenizer,
    engine: checked(engine, check, activations),
    programs: keptPrograms(),
    asked: asked(),
    sentences,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What is read while the engine's thread starts; the engine is closed where that fails. */
async function whileOpening<T>(opening: Promise<ClosableEngine>, read: () => Promise<T>) {
  const [opened, told] = await Promise.allSettled([opening, read()]);
  if (opened.status === "rejected") throw told.status === "rejected" ? told.reason : opened.reason;
  if (told.status === "fulfilled") return { engine: opened.value, told: told.value };
  await opened.value.close();
  throw told.reason;
}

/** A host that says nothing of its memory has room for so many bytes. */
const littleRoom = 2 ** 28;
const littleCache: OpenBase["openCache"] = async (choice) => ({
  ...choice,
  room: { memory: littleRoom, disk: 0 },
  openDisk: async () => undefined,
  remark: () => undefined,
});

/** The same engine with such activations, which begins nothing where the check throws. */
function checked(engine: Engine, check: () => void, activations: Activations | undefined): Engine {
  return {
    device: engine.device,
    activations,
    fileName: engine.fileName,
    async hold(numbers) {
      check();
      return engine.hold(numbers);
    },
    share: (length) => engine.share(length),
    sees: (values) => engine.sees(values),
    async createSession(graph) {
      check();
      const session = await engine.createSession(graph);
      return {
        async run(inputs, into, lenders) {
          check();
          return session.run(inputs, into, lenders);
        },
        release: () => session.release(),
      };
    },
  };
}

/**
 * The tokenizer of a folder; undefined where it has none. An adapter's folder may bring files of its own, a template or
 * tokens that were added: they take the place of the base's.
 */
export async function openTokenizer(folder: Folder, adapter?: Folder): Promise<Tokenizer | undefined> {
  const own = await tokenizerFilesOf(folder);
  const brought = adapter ? await tokenizerFilesOf(adapter) : {};
  const files = { ...own, ...brought, "config.json": own["config.json"] };
  return vocabularies.some((name) => files[name] !== undefined) ? loadTokenizer(files) : undefined;
}

/** Whether a folder says how text is written or becomes tokens. */
export async function bringsTokenizer(folder: Folder): Promise<boolean> {
  const present = await folder.files();
  return tokenizerFileNames.some((name) => name !== "config.json" && present.includes(name));
}

/** Each of them makes a tokenizer. */
const vocabularies = ["tokenizer.json", "vocab.txt", "vocab.json"] as const;

/** The texts of the files that make a folder's tokenizer, without those that another one makes needless. */
export async function tokenizerFilesOf(folder: Folder): Promise<TokenizerFiles> {
  const present = await folder.files();
  const unread: readonly string[] = present.includes("tokenizer.json") ? ["vocab.txt", "vocab.json", "merges.txt"] : [];
  const names = tokenizerFileNames.filter((name) => present.includes(name) && !unread.includes(name));
  const texts = await Promise.all(names.map(async (name) => [name, await readText(folder, name)] as const));
  return Object.fromEntries(texts);
}
