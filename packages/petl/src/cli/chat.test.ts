import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeTinyDecoder } from "../library/tiny-decoder.fake.ts";
import { bin, petlJson, temporaryFolder } from "./run-petl.fake.ts";

const template =
  "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

async function chattyDecoder(folder: string): Promise<string> {
  const base = await writeTinyDecoder(folder, [
    "good day to you",
    "and a good day to you too",
    "the day is long and the way is good",
    "a long way to go today",
  ]);
  const config = join(base, "tokenizer_config.json");
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, "utf8")), chat_template: template }));
  return base;
}

const chat = (input: string, ...flags: readonly string[]) =>
  spawnSync(process.execPath, [bin, "chat", ...flags], { input, encoding: "utf8" });

test("each line is answered as generate answers the whole conversation so far, until it is forgotten", async () => {
  const folder = temporaryFolder();
  const base = await chattyDecoder(folder);
  const how = ["--base", base, "--max-tokens", "6", "--threads", "1"];
  const { stdout, stderr, status } = chat("good day\nto you\n/reset\n\nto you\n/exit\nnever read\n", ...how, "--json");
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const said = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line)) as { role: string; content: string }[];
  expect(said.map(({ role }) => role)).toEqual(["assistant", "assistant", "assistant"]);
  const turns = (...contents: readonly string[]) => ({
    messages: contents.map((content, at) => ({ role: at % 2 === 0 ? "user" : "assistant", content })),
  });
  const conversations = [turns("good day"), turns("good day", said[0]?.content ?? "", "to you"), turns("to you")];
  const rows = join(folder, "rows.jsonl");
  writeFileSync(rows, conversations.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const answers = (await petlJson(["generate", ...how, "--input", rows])) as { text: string }[];
  expect(said.map(({ content }) => content)).toEqual(answers.map(({ text }) => text));
});

test("a base without a chat template is refused with that reason", async () => {
  const base = await writeTinyDecoder(temporaryFolder(), ["good day to you"]);
  const { stderr, status } = chat("good day\n", "--base", base);
  expect(stderr).toContain("chat template");
  expect(status).toBe(2);
});
