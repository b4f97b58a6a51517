import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { causalLm } from "../../objectives/causal-lm.ts";
import { readTable } from "../tables/readers.ts";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import { readExamples } from "./columns.ts";
import { ignoredLabel } from "./examples.ts";
import { type FeedOptions, feedRows } from "./fed-rows.ts";
import { labelMap } from "./labels.ts";

const bytes = readFileSync(new URL("../../../golden/tokenizer/tiny-bytes.json", import.meta.url), "utf8");
const json = JSON.stringify({ ...JSON.parse(bytes), post_processor: null });
const tokenizer = loadTokenizer({
  "tokenizer.json": json,
  "tokenizer_config.json": JSON.stringify({ eos_token: "</s>", bos_token: "<s>" }),
});
const feed = async (name: string, text: string, options: Partial<FeedOptions> = {}, text_?: string) => {
  const table = await readTable(name, new TextEncoder().encode(text));
  const set = readExamples(table, text_ === undefined ? {} : { text: text_ });
  return feedRows(set, causalLm.targets(labelMap([])), { tokenizer, maxLength: 99, ...options });
};
const end = tokenizer.idOf("</s>");

test("rows of text end with the end token, unless it is not wanted or cut away", async () => {
  const text = '{"text":"the film"}\n{"text":"a fine one"}';
  const { rows, remarks } = await feed("t.jsonl", text);
  expect(rows.map(({ inputIds }) => inputIds.at(-1))).toEqual([end, end]);
  expect(rows.map(({ target }) => target?.kind === "tokens" && target.ids.includes(end ?? -1))).toEqual([true, true]);
  expect(remarks).toEqual(['rows of text end with "</s>", so that the model learns to stop (`endToken: "no"`)']);
  const open = await feed("t.jsonl", text, { endToken: false });
  expect(open.rows.some(({ inputIds }) => inputIds.includes(end ?? -1))).toBe(false);
  expect(open.remarks).toEqual([]);
});

test("rows of which nothing is learnt are left out and counted, cut ones are counted, none left is refused", async () => {
  const long = '{"prompt":"the film the film the film the film","completion":" a"}';
  const { rows, set, remarks } = await feed("t.jsonl", `${long}\n{"prompt":"a","completion":"b"}`, { maxLength: 6 });
  expect([rows.length, set.placeOf(0)]).toEqual([1, "t.jsonl line 2"]);
  expect(remarks).toEqual(["1 row cut after 6 tokens (`maxLength`)", "1 row left out: no token of them is learnt"]);
  await expect(feed("t.jsonl", long, { maxLength: 6 })).rejects.toThrow(
    "t.jsonl: none of the 1 row has a token that is learnt; prompts fill the 6 tokens of `maxLength`",
  );
});

test("answers are learnt under their usual names, and a row whose answer nobody reads is refused", async () => {
  const learnt = async (row: object) => {
    const { rows } = await feed("t.jsonl", JSON.stringify(row));
    const target = rows[0]?.target;
    return tokenizer
      .decode(target?.kind === "tokens" ? [...target.ids].filter((id) => id !== ignoredLabel) : [])
      .trim();
  };
  for (const [asked, answer] of [
    ["prompt", "response"],
    ["question", "answer"],
    ["instruction", "response"],
    ["Instruction", "Output"],
    ["query", "response"],
  ] as const)
    expect(await learnt({ id: 7, [asked]: "the film", [answer]: "so" })).toBe("so");
  const refused = (row: object) => expect(feed("t.jsonl", JSON.stringify(row))).rejects;
  await refused({ prompt: "a", mine: "b" }).toThrow('t.jsonl: "prompt" would be learnt and "mine" left out; name the');
  await refused({ text: "a", summary: "b" }).toThrow('"text" would be learnt and "summary" left out');
  await refused({ title: "a", description: "b" }).toThrow('"title", "description" are two');
  await refused({ prompt: "a", chosen: "b", rejected: "c" }).toThrow('"chosen" and "rejected" are preferences');
  expect((await feed("t.jsonl", '{"text":"the film","url":"x"}')).remarks[0]).toBe('t.jsonl: not read: "url"');
  expect((await feed("t.jsonl", '{"prompt":"the film","mine":"b"}', {}, "prompt")).rows).toHaveLength(1);
});

test("a prompt holds its system text, its past turns and its context in their order", async () => {
  const row = { instruction: "c", input: "d", output: "e", system: "s", history: [["a", "b"]] };
  const { set } = await feed("t.jsonl", JSON.stringify(row));
  expect(set.examples).toEqual([{ kind: "completion", prompt: "s\n\na\n\nb\n\nc\n\nd\n\n", completion: "e" }]);
});

test("rows that the base's tokenizer does not know, half of them or more, are counted; a byte's model knows all", async () => {
  const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film"];
  const words = loadTokenizer({ "vocab.txt": vocabulary.join("\n") });
  const text = "text,note\ngood film,a\nقصة film,b\nقصة 😀 film,a\nقصة,b\ngood good قصة,a\n,b\n";
  expect((await feed("t.csv", text, { tokenizer: words, endToken: false }, "text")).remarks.slice(-1)).toEqual([
    "3 rows whose words the base does not know, half of them or more ([UNK]), the first of them t.csv line 3",
  ]);
  const gpt2 = { ...tokenizer, specialIds: { ...tokenizer.specialIds, unk_token: end ?? 0 } };
  expect((await feed("t.jsonl", '{"text":"a"}', { tokenizer: gpt2 })).remarks.join()).not.toContain("does not know");
});
