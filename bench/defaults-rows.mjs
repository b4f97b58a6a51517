// Eleven labelled sets, of which two have the same rows, as rows of { text, textPair?, label }, in an order that a seed draws.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { random } from "@petl/core";

const folder = "../shared/data/classification";
const read = (file) => readFile(join(folder, file), "utf8");

async function lines(file, form, header = 0) {
  return (await read(file))
    .split("\n")
    .slice(header)
    .flatMap((line) => {
      const { groups } = form.exec(line) ?? {};
      return groups ? [{ ...groups }] : [];
    });
}

const starred = /^(?<label>\d) (?<text>.+)$/;

/** A request's intent, of 150. */
async function intents() {
  const { train, val, test } = JSON.parse(await read("clinc150/data_full.json"));
  return [...train, ...val, ...test].map(([text, label]) => ({ text, label }));
}

/** A request's domain, of ten; the file names intents, fifteen a domain. */
async function domains() {
  const [{ train, val, test }, byDomain] = (
    await Promise.all(["clinc150/data_full.json", "clinc150/domains.json"].map(read))
  ).map((text) => JSON.parse(text));
  const domainOf = new Map(Object.entries(byDomain).flatMap(([name, members]) => members.map((each) => [each, name])));
  return [...train, ...val, ...test].map(([text, intent]) => ({ text, label: domainOf.get(intent) }));
}

const news = /^"(?<label>\d)","(?<text>.*)","(?<textPair>.*)"$/;

export const sets = {
  emotion: () => lines("emotion/train.txt", /^(?<text>.*);(?<label>\w+)$/, 1),
  sst2: () => lines("sst2/stsa.binary.train", starred),
  sst5: () => lines("sst5/stsa.fine.train", starred),
  subj: () => lines("subj/subj.all", starred),
  mpqa: () => lines("mpqa/mpqa.all", starred),
  "rt-polarity": () => lines("rt-polarity/rt-polarity.all", starred),
  ag_news: async () =>
    (await lines("ag_news/test.csv", news)).map(({ label, text, textPair }) => ({
      label,
      text: `${text} ${textPair}`,
    })),
  sms_spam: () => lines("sms_spam/SMSSpamCollection", /^(?<label>ham|spam)\t(?<text>.+)$/),
  clinc_domains: domains,
  clinc_intents: intents,
  cola: () => lines("glue-cola/train.tsv", /^[^\t]*\t(?<label>[01])\t[^\t]*\t(?<text>.+)$/),
};

/**
 * Rows to train on, the first of an order that a larger number only continues, and rows to measure on, the order's end.
 * Another seed draws another order.
 */
export async function drawn(set, rows, held, seed = 0) {
  const all = random(seed, `rows of ${set}`).shuffle(await sets[set]());
  if (rows + held > all.length) throw new Error(`${set} has ${all.length} rows, fewer than ${rows} and ${held}`);
  return { train: all.slice(0, rows), test: all.slice(-held) };
}
