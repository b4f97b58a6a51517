import { z } from "zod";
import { type Folder, readJson } from "../containers/folder.ts";

const fields = z.looseObject({ eos_token_id: z.union([z.int(), z.array(z.int())]).nullish() });

/** The tokens that end a text: those of generation_config.json, else of config.json; none where neither says it. */
export async function endOfText(folder: Folder): Promise<readonly number[]> {
  const present = await folder.files();
  for (const file of ["generation_config.json", "config.json"].filter((name) => present.includes(name))) {
    const parsed = fields.safeParse(await readJson(folder, file));
    const ids = parsed.success ? parsed.data.eos_token_id : undefined;
    if (ids != null) return [ids].flat();
  }
  return [];
}
