// Conversations as petl feeds them to a language model, for check_chats.py.
//
//     npm run build && node packages/core/golden/chat_rows.mjs FOLDER…
//
// Each FOLDER holds a tokenizer with its template and conversations.jsonl; writes petl.json beside them: for each line
// `rows`, each with `ids` and `learnt`, 1 for tokens that are learnt, or `refused`.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { feedRows, labelMap, loadTokenizer, objectiveOf, readExamples, readTable } from "@petl/core";

const rule = objectiveOf("causal-lm").targets(labelMap([]));
const files = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json"];

for (const folder of process.argv.slice(2)) {
  const present = files.filter((name) => existsSync(join(folder, name)));
  const tokenizer = loadTokenizer(
    Object.fromEntries(present.map((name) => [name, readFileSync(join(folder, name), "utf8")])),
  );
  const lines = readFileSync(join(folder, "conversations.jsonl"), "utf8").trim().split("\n");
  const answers = [];
  for (const line of lines) answers.push(await answerOf(line, tokenizer));
  writeFileSync(join(folder, "petl.json"), JSON.stringify(answers));
}

async function answerOf(line, tokenizer) {
  try {
    const set = readExamples(await readTable("row.jsonl", new TextEncoder().encode(line)));
    const { rows } = feedRows(set, rule, { tokenizer, maxLength: 2 ** 20 });
    return { rows: rows.map(({ inputIds, target }) => ({ ids: [...inputIds], learnt: learntOf(target.ids) })) };
  } catch (error) {
    if (error.name !== "InputError") throw error;
    return { refused: error.message };
  }
}

/** A target stands one token in front of what it foretells. */
function learntOf(ids) {
  return [0, ...ids].slice(0, ids.length).map((id, at) => Number(at > 0 && id !== -100));
}
