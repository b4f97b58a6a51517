import {
  columnSettings,
  compare,
  evaluate,
  InputError,
  pickSettings,
  RunError,
  rowRemarks,
  tokenSettings,
} from "@petl/core";
import { type DataAccess, type DataFile, findData, givenTwice } from "../data/find-data.ts";
import { pausing } from "../data/pausing.ts";
import { readData } from "../data/read-data.ts";
import { optionalChoice, text, texts } from "../flags/flags.ts";
import { writeEvaluationReport } from "../reports/write-report.ts";
import { comparisonLines } from "./comparison-report.ts";
import { evaluationLines } from "./evaluation-report.ts";
import { modelFlags, shownDownload, withAdapters, withModel } from "./open.ts";
import { refuseWithoutTexts, scored, scoringFlags } from "./scoring-flags.ts";
import { defineVerb } from "./verb.ts";

const splits = ["test", "validation", "train"] as const;

export const evaluateVerb = defineVerb({
  name: "evaluate",
  group: "Ask and measure",
  summary: "measure a model on labelled data",
  flags: {
    ...modelFlags,
    ...tokenSettings,
    data: texts("DATA", "a file of labelled rows, or a folder or a hub data set with splits; several are joined"),
    split: optionalChoice(splits, "which split of a folder (default: the first that there is)"),
    compare: texts("ADAPTER...", "two adapters: whether they differ on the same rows, in place of --adapter"),
    ...columnSettings,
    report: text("FILE", "an HTML page: confusion, the rows answered worst, the model card"),
    ...scoringFlags,
  },
  examples: [
    "evaluate --base models/tiny --adapter out --data reviews/test.csv",
    "evaluate --base models/tiny --adapter out --data reviews --split validation --json",
    "evaluate --base models/tiny --compare out other --data reviews",
    'evaluate --base models/tiny-llama --adapter out --data gsm8k/test.jsonl --generate --answer "#### (.+)"',
  ],
  async run({ flags, json }, { print, ...where }) {
    refuseWithoutTexts(flags);
    const pair = comparedAdapters(flags);
    const { maxLength, lossOn, endToken, seed } = flags;
    const onProgress = shownDownload("the data", where.terminal);
    const access = { offline: flags.offline, signal: where.signal, onProgress };
    const files = await filesOf(flags, access);
    const { set } = await readData(files, pickSettings(columnSettings, flags), access);
    const onRemark = (remark: string) => where.terminal.line(remark);
    for (const remark of [...(await givenTwice(files)), ...rowRemarks(set)]) onRemark(remark);
    const pause = pausing(where.signal);
    const how = { maxLength, lossOn, endToken, seed, signal: where.signal, onRemark, pause };
    if (pair)
      return withAdapters({ ...flags, adapters: pair }, where, async (models) => {
        const compared = await compare(models, set, how);
        if (json || !process.stdout.isTTY) return print(JSON.stringify({ adapters: pair, ...compared }));
        for (const line of comparisonLines(compared, pair)) await print(line);
      });
    await withModel(flags, where, async (model) => {
      const measured = await evaluate(model, set, how);
      if (!Number.isFinite(measured.loss)) throw new RunError(`the loss is ${measured.loss}`);
      const result = { ...measured, ...(flags.generate && (await scored(model, set, flags, where))) };
      if (flags.report !== undefined)
        await writeEvaluationReport(flags.report, {
          model,
          set,
          evaluation: measured,
          maxLength,
          signal: where.signal,
        });
      if (json || !process.stdout.isTTY) return print(JSON.stringify(result));
      for (const line of evaluationLines(result)) await print(line);
    });
  },
});

/** The two adapters of --compare; undefined where none are named. @throws InputError for another number of them */
function comparedAdapters({
  compare: named,
  adapter,
  generate,
  report,
}: {
  readonly compare: readonly string[];
  readonly adapter: string | undefined;
  readonly generate: boolean;
  readonly report: string | undefined;
}): readonly [string, string] | undefined {
  const [first, second, ...others] = named;
  if (first === undefined) return undefined;
  if (adapter !== undefined) throw new InputError("--compare names both adapters; leave --adapter out");
  if (report !== undefined) throw new InputError("--report shows one adapter; leave --compare or --report out");
  if (generate) throw new InputError("--compare measures labels and losses; leave --generate out");
  if (second !== undefined && others.length === 0) return [first, second];
  throw new InputError(`--compare ${named.join(" ")}: it takes two adapters, as in --compare first second`);
}

/** The files of a data set's split that is asked for, else of the test set, else of the next that there is. */
async function filesOf(
  { data, split }: { readonly data: readonly string[]; readonly split: (typeof splits)[number] | undefined },
  access: DataAccess,
): Promise<readonly DataFile[]> {
  if (data.length === 0) throw new InputError("--data is missing");
  const files = await findData(data, split ?? "test", access);
  const found = files[split ?? splits.find((name) => files[name]) ?? "test"];
  if (found) return found;
  throw new InputError(`${data.join(", ")} has no ${split} set; it has ${Object.keys(files).join(", ")}`);
}
