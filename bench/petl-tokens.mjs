// petl's half of `node bench/reading.mjs tokens`: makes the texts of a file tokens, one by one.
//   node bench/petl-tokens.mjs MODEL ROWS.jsonl
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadTokenizer } from "@petl/core";

const [model, path] = process.argv.slice(2);
const tokenizer = loadTokenizer({ "tokenizer.json": readFileSync(join(model, "tokenizer.json"), "utf8") });
const texts = readFileSync(path, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line).text);
const began = process.cpuUsage();
let tokens = 0;
for (const text of texts) tokens += tokenizer.encode(text).inputIds.length;
const { user, system } = process.cpuUsage(began);
console.log(JSON.stringify({ tokens, seconds: (user + system) / 1e6 }));
