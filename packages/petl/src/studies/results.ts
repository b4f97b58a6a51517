import { join } from "node:path";
import { drawFigure, type Study, type StudyRecord, type Summary, summarise } from "@petl/core";
import { writeFileSafely } from "../disk/safe-write.ts";
import type { StudyContext } from "./context.ts";
import { figureFile, studyPage } from "./report.ts";

/** Writes summary.json, figures/*.svg and report.html, all of them made of the records. */
export async function writeResults(
  out: string,
  study: Study,
  context: StudyContext,
  records: readonly StudyRecord[],
): Promise<Summary> {
  const write = (name: string, text: string) => writeFileSafely(join(out, name), [new TextEncoder().encode(text)]);
  const summary = summarise(study, settingsOf(context), records);
  const figures = study.figures(records);
  const drawn = await Promise.all(figures.map(async (figure) => ({ figure, svg: await drawFigure(figure) })));
  for (const { figure, svg } of drawn) await write(`figures/${figure.name}.svg`, figureFile(svg));
  await write("report.html", studyPage(summary, drawn));
  await write("summary.json", `${JSON.stringify(summary, undefined, 2)}\n`);
  return summary;
}

/** What the numbers depend on. */
function settingsOf({ study: _, columns: __, labels, parameters, tokenizer_sha256, ...context }: StudyContext) {
  return {
    ...context,
    ...(tokenizer_sha256 !== undefined && { tokenizer_sha256 }),
    ...(parameters !== undefined && { parameters }),
    labels: [...labels],
    methods: context.methods ? [...context.methods] : null,
  };
}
