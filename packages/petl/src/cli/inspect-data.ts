import {
  adapt,
  columnSettings,
  type FeedReport,
  fedRows,
  feedReport,
  findPurpose,
  InputError,
  openTokenizer,
  outputsFor,
  pickSettings,
  readBase,
  rowLimits,
  type ShownRow,
  type Task,
  targetRuleOf,
  tokenSettings,
} from "@petl/core";
import { type DataAccess, findData, givenTwice } from "../data/find-data.ts";
import { readData } from "../data/read-data.ts";
import { directory } from "../disk/files.ts";
import { type FlagValues, texts } from "../flags/flags.ts";

/** What says which rows are looked at, and how they are read. */
export const dataFlags = {
  data: texts("DATA", "show how these rows are fed to the model; several are joined"),
  ...columnSettings,
  ...tokenSettings,
};
type DataFlags = FlagValues<typeof dataFlags> & { readonly task: Task | undefined };

/** What a base would be fed of DATA's rows to train on. */
export async function inspectData(folder: string, flags: DataFlags, access: DataAccess): Promise<FeedReport> {
  const base = await readBase(directory(folder), { weights: false });
  const files = await findData(flags.data, "train", access);
  if (!files.train)
    throw new InputError(`${flags.data.join(", ")} holds no training file; it has ${Object.keys(files).join(", ")}`);
  const read = async (found: typeof files.train) =>
    (await readData(found, pickSettings(columnSettings, flags), access)).set;
  const set = await read(files.train);
  const validation = files.validation && (await read(files.validation));
  const purpose = findPurpose(base, set, { task: flags.task });
  const { task, labels, remarks } = purpose;
  const adapted = adapt(base, [], { task, labels: outputsFor(task, labels.length), trainsHead: true });
  const tokenizer = set.examples[0]?.kind === "tokens" ? undefined : await openTokenizer(directory(folder));
  const { maxLength, lossOn, endToken } = flags;
  const how = { tokenizer, lossOn, endToken, ...rowLimits(adapted, tokenizer, maxLength) };
  const rule = targetRuleOf(purpose);
  const fed = fedRows(set, adapted, rule, how);
  const report = feedReport(fed, tokenizer, { foretold: rule.ofOwnTokens ?? false, validation });
  return { ...report, remarks: [...new Set([...(await givenTwice(files.train)), ...remarks, ...report.remarks])] };
}

/** The report in words; what is learnt stands in brackets. */
export function* dataLines({ rows, tokens, learnt, lengths, first, remarks, columns }: FeedReport): Iterable<string> {
  const own = [columns.text, columns.pair, columns.label, ...(columns.more ?? [])];
  const read = [...new Set(own.filter((column) => column !== undefined))];
  yield `columns read: ${read.map((column) => `"${column}"`).join(", ")}`;
  yield* remarks;
  const { shortest, median, longest } = lengths;
  yield `${rows} rows are fed, of ${shortest} to ${longest} tokens (half of them up to ${median}): ${tokens} tokens, ${learnt} targets`;
  for (const row of first) yield* rowLines(row);
}

function* rowLines({ place, tokens, learnt, target }: ShownRow): Iterable<string> {
  yield `${place}${target === undefined ? "" : `, target ${target}`}:`;
  yield `  ${tokens.map((token, at) => (learnt?.[at] ? `[${token}]` : token)).join(" ")}`;
}
