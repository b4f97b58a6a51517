// Draws summaries, figures and reports of studies anew, of their records alone: neither base nor data are needed.
//   node scripts/draw-studies.mjs [FOLDER …]   (all of results/studies where none is named)
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { studies } from "../packages/core/dist/index.js";
import { readContext } from "../packages/petl/dist/studies/context.js";
import { openRecordLog } from "../packages/petl/dist/studies/record-log.js";
import { writeResults } from "../packages/petl/dist/studies/results.js";

const root = "results/studies";
const all = () => readdirSync(root).flatMap((set) => readdirSync(join(root, set)).map((name) => join(root, set, name)));
const named = process.argv.slice(2);
for (const folder of named.length > 0 ? named : all()) {
  const context = await readContext(folder);
  const study = studies.find(({ name }) => name === context?.study);
  if (!study) throw new Error(`${folder} holds no study`);
  const log = openRecordLog(join(folder, "records.jsonl"));
  await writeResults(folder, study, context, log.records);
  log.close();
  console.log(folder);
}
