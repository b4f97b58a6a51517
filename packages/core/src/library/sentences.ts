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
 * What modules.json and the pooling's config.json say; undefined for a base that is no sentence encoder.
 * @param inner the folders within the base's
 */
export async function readSentences(
  folder: Folder,
  inner: ((name: string) => Folder) | undefined,
): Promise<Sentences | undefined> {
  if (!(await folder.files()).includes("modules.json")) return undefined;
  const listed = modules.safeParse(await readJson(folder, "modules.json")).data ?? [];
  const path = listed.find(({ type }) => type?.endsWith(".Pooling"))?.path;
  const config = path === undefined ? undefined : await poolingOf(inner?.(path));
  const pooling = config?.pooling_mode_cls_token ? "cls" : config?.pooling_mode_lasttoken ? "last" : "mean";
  return { pooling, normalized: listed.some(({ type }) => type?.endsWith(".Normalize")) };
}

async function poolingOf(folder: Folder | undefined) {
  if (!folder) return undefined;
  const files = await folder.files().catch((): readonly string[] => []);
  if (!files.includes("config.json")) return undefined;
  return poolingConfig.safeParse(await readJson(folder, "config.json")).data;
}
