import { z } from "zod";
import { type Folder, readJson } from "../containers/folder.ts";
import type { Pooling } from "../nn/pooling.ts";

/** How a base makes one vector of a text, as sentence-transformers' files beside it say. */
export interface Sentences {
  readonly pooling: Exclude<Pooling, "default">;
  /** whether vectors are divided by their norm */
  readonly normalized: boolean;
}

const modules = z.array(z.looseObject({ type: z.string().optional(), path: z.string().optional() }));
const poolingConfig = z.looseObject({
  pooling_mode_cls_token: z.boolean().optional(),
  pooling_mode_lasttoken: z.boolean().optional(),
});

/**
 * What modules.json and the pooling's config.json say; where only the model card says that it is a sentence encoder, the
 * mean of length 1; undefined for a base that is none.
 * @param inner the folders within the base's
 */
export async function readSentences(
  folder: Folder,
  inner: ((name: string) => Folder) | undefined,
): Promise<Sentences | undefined> {
  const files = await folder.files();
  if (!files.includes("modules.json")) return files.includes("README.md") ? saidOf(folder) : undefined;
  const listed = modules.safeParse(await readJson(folder, "modules.json")).data ?? [];
  const path = listed.find(({ type }) => type?.endsWith(".Pooling"))?.path;
  const config = path === undefined ? undefined : await poolingOf(inner?.(path));
  const pooling = config?.pooling_mode_cls_token ? "cls" : config?.pooling_mode_lasttoken ? "last" : "mean";
  return { pooling, normalized: listed.some(({ type }) => type?.endsWith(".Normalize")) };
}

/** The lines at the beginning of a model card by which its library is named. */
const named =
  /^---\n(?:(?!---\n).*\n)*?(?:library_name: *sentence-transformers|pipeline_tag: *sentence-similarity) *\n/;

async function saidOf(folder: Folder): Promise<Sentences | undefined> {
  const source = await folder.open("README.md");
  const text = new TextDecoder().decode(await source.read(0, Math.min(source.size, cardBytes)));
  return named.test(text) ? { pooling: "mean", normalized: true } : undefined;
}

/** Where a card's own lines end at the latest. */
const cardBytes = 2 ** 16;

async function poolingOf(folder: Folder | undefined) {
  if (!folder) return undefined;
  const files = await folder.files().catch((): readonly string[] => []);
  if (!files.includes("config.json")) return undefined;
  return poolingConfig.safeParse(await readJson(folder, "config.json")).data;
}
