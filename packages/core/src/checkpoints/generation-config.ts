import { z } from "zod";
import { type Folder, readJson } from "../containers/folder.ts";
import { InputError, schemaProblems } from "../errors.ts";

const ids = z.array(z.int().nonnegative());
const fields = z.looseObject({
  eos_token_id: z.union([z.int().nonnegative(), ids]).nullish(),
  suppress_tokens: ids.nullish(),
  begin_suppress_tokens: ids.nullish(),
});

/** What a checkpoint says of how its texts go on. */
export interface GenerationConfig {
  /** the tokens that end a text: those of generation_config.json, else of config.json; none where neither says it */
  readonly endIds: readonly number[];
  /** tokens that never come */
  readonly suppressed: readonly number[];
  /** tokens that never come first */
  readonly suppressedFirst: readonly number[];
}

/** @throws InputError naming the file and the field that is no token */
export async function readGenerationConfig(folder: Folder): Promise<GenerationConfig> {
  const present = await folder.files();
  const files = ["generation_config.json", "config.json"].filter((name) => present.includes(name));
  const read = await Promise.all(files.map((file) => fieldsOf(folder, file)));
  const ends = read.map(({ eos_token_id }) => eos_token_id).find((given) => given != null);
  const first = <Name extends "suppress_tokens" | "begin_suppress_tokens">(name: Name) =>
    read.map((each) => each[name]).find((given) => given != null) ?? [];
  return {
    endIds: ends == null ? [] : [ends].flat(),
    suppressed: first("suppress_tokens"),
    suppressedFirst: first("begin_suppress_tokens"),
  };
}

async function fieldsOf(folder: Folder, file: string): Promise<z.infer<typeof fields>> {
  const parsed = fields.safeParse(await readJson(folder, file));
  if (parsed.success) return parsed.data;
  throw new InputError(schemaProblems(parsed.error.issues, `${folder.name}: ${file}: `));
}
