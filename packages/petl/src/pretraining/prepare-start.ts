import { safetensorsBytes, untrainedTensors } from "@petl/core";
import { z } from "zod";
import { directory } from "../disk/files.ts";
import { openSealedFolder, writeSealedFolder } from "../disk/sealed-folder.ts";
import { tokenizerFiles } from "../library/save.ts";
import { modelConfig, pretrainingKinds } from "./model-config.ts";
import type { PreparedTokenizer } from "./prepare-tokenizer.ts";
import type { PretrainingRecord } from "./record.ts";
import { taughtWords } from "./taught-words.ts";

/**
 * Writes the untrained model as an ordinary Hugging Face folder; one that is there already is left as it is. With a teacher
 * only its words' vectors are not drawn.
 */
export async function prepareStart(
  record: PretrainingRecord,
  path: string,
  { folder, tokenizer }: PreparedTokenizer,
): Promise<void> {
  if (await openSealedFolder(path, z.literal("untrained"))) return;
  const config = modelConfig(record, tokenizer);
  // the pooler is trained by a teacher alone; without one the model has none, as Hugging Face's class
  const parts = { head: pretrainingKinds[record.architecture].task, pooler: record.teacher !== undefined };
  const drawn = await untrainedTensors(config, parts, record.settings.seed);
  const { table } = pretrainingKinds[record.architecture];
  const tensors = await Promise.all(
    drawn.map(async ([name, tensor]) => {
      const taught = name === table && record.teacher;
      return [name, taught ? await taughtWords(tensor, tokenizer, taught, record.threads) : tensor] as const;
    }),
  );
  await writeSealedFolder(path, async (into) => {
    await into.write("config.json", [new TextEncoder().encode(`${JSON.stringify(config, undefined, 2)}\n`)]);
    await into.write("model.safetensors", [safetensorsBytes(tensors)]);
    for (const { name, chunks } of await tokenizerFiles(directory(folder))) await into.write(name, chunks);
    return "untrained";
  });
}
