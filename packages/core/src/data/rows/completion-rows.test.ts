import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { causalLm } from "../../objectives/causal-lm.ts";
import { regression } from "../../objectives/regression.ts";
import { readTable } from "../tables/readers.ts";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import { readExamples } from "./columns.ts";
import { encodeCompletion } from "./completion-rows.ts";
import { encodeExamples } from "./encode.ts";
import { labelMap } from "./labels.ts";
import { guessTask } from "./task.ts";

const none = labelMap([]); // of tasks without classes

const golden = new URL("../../../golden/tokenizer/", import.meta.url);
const words = readFileSync(new URL("tiny-wordpiece.json", golden), "utf8");
const plain = { ...JSON.parse(words), post_processor: null };
/** A tokenizer that adds nothing to a text, with a token for its end. */
const tokenizer = loadTokenizer({
  "tokenizer.json": JSON.stringify(plain),
  "tokenizer_config.json": JSON.stringify({ eos_token: "[SEP]" }),
});
const set = async (text: string) => readExamples(await readTable("t.jsonl", new TextEncoder().encode(text)));
const ids = (text: string) => Array.from(tokenizer.encode(text).inputIds);

test("a completion's tokens and the end of the text are asked for, its prompt's are not", async () => {
  const data = await set('{"prompt":"the film","completion":" was good"}');
  expect(guessTask(data)).toEqual({ task: "causal-lm", why: "rows are prompts with completions" });
  const [row] = encodeExamples(data, causalLm.targets(none), { tokenizer, maxLength: 99 });
  const end = tokenizer.idOf("[SEP]")!;
  const [prompt, completion] = [ids("the film"), ids(" was good")];
  expect(Array.from(row!.inputIds)).toEqual([...prompt, ...completion, end]);
  const asked = [...prompt.slice(1).map(() => -100), ...completion, end, -100];
  expect(row!.target).toEqual({ kind: "tokens", ids: Int32Array.from(asked) });
});

test("what is too long is cut at its end", () => {
  const { inputIds, labels } = encodeCompletion(
    { kind: "completion", prompt: "the film", completion: " was good" },
    tokenizer,
    ids("the film").length + 1,
  );
  expect(inputIds.length).toBe(ids("the film").length + 1);
  expect(Array.from(labels.slice(-1))).toEqual(ids("was").slice(0, 1));
});

test("Alpaca's rows are prompts of instruction and input, each with an empty line behind it", async () => {
  const data = await set(
    '{"instruction":"say it","input":"in short","output":"no"}\n{"instruction":"say it","input":"","output":"no"}',
  );
  expect(data.examples).toEqual([
    { kind: "completion", prompt: "say it\n\nin short\n\n", completion: "no" },
    { kind: "completion", prompt: "say it\n\n", completion: "no" },
  ]);
});

test("E2E's rows are prompts with a line's end behind them; questions and answers are prompts and completions; with a label they are texts", async () => {
  expect((await set('{"mr":"a","ref":"b"}')).examples).toEqual([
    { kind: "completion", prompt: "a\n", completion: "b" },
  ]);
  for (const names of [
    ["question", "answer"],
    ["prompt", "response"],
    ["query", "solution"],
  ] as const)
    expect((await set(`{"${names[0]}":"a","${names[1]}":"b"}`)).examples).toEqual([
      { kind: "completion", prompt: "a", completion: "b" },
    ]);
  expect((await set('{"question":"a","answer":"b","label":"c"}')).examples).toEqual([
    { kind: "text", text: "a", label: "c" },
  ]);
});

test("rows without a prompt or for another task are refused", async () => {
  await expect(set('{"prompt":7,"completion":"a"}')).rejects.toThrow(
    't.jsonl line 1: "prompt" is a number instead of text',
  );
  const data = await set('{"prompt":"a","completion":"b"}');
  expect(() => encodeExamples(data, regression.targets(none), { tokenizer, maxLength: 9 })).toThrow(
    "t.jsonl has prompts with completions, which regression can't use",
  );
});
