import type { DataConfig } from "@petl/core";
import { parse } from "yaml";
import { z } from "zod";

const patterns = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (Array.isArray(given) ? given : [given]));
const splitFiles = z.object({ split: z.string(), path: patterns });
const config = z.looseObject({
  config_name: z.string(),
  default: z.boolean().optional(),
  data_dir: z.string().optional(),
  data_files: z
    .union([splitFiles.transform((one) => [one]), z.array(splitFiles), patterns, z.record(z.string(), patterns)])
    .optional(),
});
const card = z.looseObject({ configs: z.array(config) });
type Described = z.infer<typeof config>;

/** Longer beginnings of a README are no card. */
const longestCard = 1_000_000;

/**
 * The configurations that a data set's card, its README.md, names at its head; none where it has no such head or says
 * nothing of files, so that the files' own names count.
 */
export function configsIn(readme: string): readonly DataConfig[] {
  const head = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(readme.slice(0, longestCard))?.[1];
  const read = card.safeParse(head === undefined ? undefined : value(head));
  if (!read.success) return [];
  return read.data.configs.flatMap((described) => {
    const splits = splitsOf(described);
    return splits.size === 0 ? [] : [{ name: described.config_name, isDefault: described.default === true, splits }];
  });
}

function splitsOf({ data_files: files, data_dir: folder }: Described): ReadonlyMap<string, readonly string[]> {
  const below = (names: readonly string[]) => (folder === undefined ? names : names.map((name) => `${folder}/${name}`));
  if (files === undefined)
    return new Map(folder === undefined ? [] : Object.entries(usual).map(([split, names]) => [split, below(names)]));
  if (!Array.isArray(files)) return new Map(Object.entries(files).map(([split, names]) => [split, below(names)]));
  const named = files.flatMap((each) => (typeof each === "string" ? [] : [[each.split, below(each.path)] as const]));
  if (named.length > 0) return new Map(named);
  return new Map([["train", below(files.flatMap((each) => (typeof each === "string" ? [each] : [])))]]);
}

/** The splits of a configuration that is a folder. */
const usual = { train: ["**/*train*", "*train*"], validation: ["**/*val*", "**/*dev*"], test: ["**/*test*"] } as const;

/** YAML as JSON would have it; undefined for what is none, or for names that grow without end. */
function value(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}
