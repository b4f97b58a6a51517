import {
  type Adapter,
  type AdapterFiles,
  encodeAdapter,
  foreignFormats,
  type HfModel,
  InputError,
  inferredBase,
  namedLabels,
  putOnBase,
  readAdapter,
  readBase,
  shown,
  suggestion,
} from "@petl/core";
import { directory, fileOrDirectory } from "../disk/files.ts";
import { MachineError } from "../machine-error.ts";
import { version } from "../version.ts";
import { type LocateOptions, locate } from "./locate.ts";
import { type SaveOptions, writeAll } from "./save.ts";

/** What an adapter can be converted to: `peft` is also petl's own layout, where PEFT has no such method. */
export const adapterFormats: readonly string[] = ["peft", ...foreignFormats.map(({ name }) => name)];

interface ConvertOptions extends SaveOptions, Pick<LocateOptions, "offline"> {
  /** one of {@link adapterFormats} */
  readonly to: string;
  /** the adapter's base, of which only config.json is read; where left out, the adapter's own name for it is tried */
  readonly base?: string | undefined;
  /** LoRA's alpha, for files that leave it out */
  readonly alpha?: number | undefined;
  /** the adapter's name, in layouts that have one; "adapter" where left out */
  readonly name?: string | undefined;
}

/**
 * Writes an adapter in another layout. Returns what its users must know that the new files cannot say.
 *
 * @throws InputError with everything that the layout cannot hold, before anything is written
 */
export async function convertAdapter(
  adapter: string,
  folder: string,
  { to, base: named, alpha, name = "adapter", offline, ...saving }: ConvertOptions,
): Promise<readonly string[]> {
  if (!adapterFormats.includes(to))
    throw new InputError(
      `to is ${shown(to)}${suggestion(String(to), adapterFormats)}; formats: ${adapterFormats.join(", ")}`,
    );
  const where = { offline: offline ?? false, weights: false };
  const given = named === undefined ? undefined : await openConfig(await locate(named, where));
  const source = (await fileOrDirectory(adapter)) ?? directory(await locate(adapter, { offline: where.offline }));
  const read = await readAdapter(source, { alpha, base: given });
  if (read.writer === "model") throw new InputError(`${adapter}: is a whole model, and no adapter`);
  const loaded = await putOnBase(read, given ?? (await ownBase(read)) ?? (await inferred(read, to)));
  const baseName = named ?? read.baseName;
  const { files, remarks = [] } = encoded(loaded, to, { name, baseName });
  const chunks = Object.entries(files).map(([file, content]) => ({
    name: file,
    chunks: [typeof content === "string" ? new TextEncoder().encode(content) : content],
  }));
  await writeAll(folder, chunks, saving);
  return [...loaded.remarks, ...remarks];
}

const openConfig = (path: string): Promise<HfModel> => readBase(directory(path), { weights: false });

/** The base that an adapter names, where it is at hand. */
async function ownBase({ baseName }: AdapterFiles): Promise<HfModel | undefined> {
  try {
    if (baseName) return await openConfig(await locate(baseName, { offline: true, weights: false }));
  } catch (error) {
    if (!(error instanceof InputError || error instanceof MachineError)) throw error;
  }
  return undefined;
}

/** Where the base is not at hand: what the adapter's tensors tell of it, unless that is too little. */
async function inferred(adapter: AdapterFiles, to: string): Promise<HfModel> {
  const bound = adapter.methods.filter((use) => use.virtualTokens).map(({ name }) => name);
  const needed = foreignFormats.find(({ name }) => name === to)?.needsBase;
  const why = bound.length > 0 ? `${bound.join(", ")} depends on the base's heads` : needed;
  if (why === undefined) return inferredBase(adapter);
  const base = adapter.baseName === undefined ? "the base" : `the base "${adapter.baseName}"`;
  throw new InputError(`${base} is not at hand; give it with \`base\`, its config.json is enough: ${why}`);
}

function encoded(adapter: Adapter, to: string, naming: { name: string; baseName: string | undefined }) {
  const format = foreignFormats.find((each) => each.name === to);
  if (format) return format.encode(adapter, naming);
  const info = { baseName: naming.baseName ?? null, petlVersion: version, labels: namedLabels(adapter) };
  return { files: { ...encodeAdapter(adapter, info) } };
}
