// Writes what each option does, with its default, above it in the declarations that editors show: from the same settings
// that flags and their help follow from. Part of `npm run build`, behind tsc; a second time it changes nothing.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as core from "../packages/core/dist/index.js";

const root = fileURLToPath(new URL("../packages", import.meta.url));
const { adaptSettings, batchSettings, cacheSettings, columnSettings, helpOf, methods, purposeSettings, tokenSettings } =
  core;
const shared = {
  ...adaptSettings,
  ...batchSettings,
  ...cacheSettings,
  ...columnSettings,
  ...purposeSettings,
  ...tokenSettings,
  ...core.recipeSettings,
  ...core.teachingSettings,
  ...core.trainingSettings,
  topK: core.topKSetting,
};

const line = /^(\s*)(?:readonly )?(\w+)\??: (?:import\("[^"]+"\)\.)?(?:(?:Defaulted)?Setting|Option)</;
const comment = /^\s*\/\*\* .* \*\/$/;

/** What a line declares does, in words; undefined where it declares no option of these. */
function wordsOf(text, options) {
  const [, , name] = line.exec(text) ?? [];
  const option = name === undefined ? undefined : options?.[name];
  return option && helpOf(option).replaceAll("*/", "* /");
}

/** The method whose declaration begins in a line. */
function methodIn(text) {
  const [, name] = /^(?:export declare const|\s*readonly) (\w+): .*MethodOf</.exec(text) ?? [];
  const kebab = name?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return methods.find((method) => method.name === kebab);
}

function documented(text, own) {
  const lines = [];
  let options = own;
  for (const each of text.split("\n")) {
    options = methodIn(each)?.options ?? options;
    const words = wordsOf(each, options);
    if (words !== undefined && comment.test(lines.at(-1) ?? "")) lines.pop();
    if (words !== undefined) lines.push(`${/^\s*/.exec(each)[0]}/** ${words} */`);
    lines.push(each);
  }
  return lines.join("\n");
}

for (const folder of ["core/dist", "petl/dist"])
  for (const name of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter((each) =>
    each.endsWith(".d.ts"),
  )) {
    const path = join(root, folder, name);
    const text = readFileSync(path, "utf8");
    const written = documented(text, /^peft[/\\]/.test(name) ? {} : shared);
    if (written !== text) writeFileSync(path, written);
  }
