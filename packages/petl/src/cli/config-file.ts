import { readFile } from "node:fs/promises";
import { InputError, isRecord } from "@petl/core";
import { flagName, settingName } from "../flags/flags.ts";
import { flagSuggestion } from "../flags/other-names.ts";
import { explainFileError } from "../machine-error.ts";

/**
 * What a `--config` file gives: a record of flags by their names (`max-length`, `max_length` or `maxLength`), YAML or
 * JSON by the file's ending.
 * @throws InputError naming the file, and the line of what is not well formed; keys that are no flags
 */
export async function readConfigFile(path: string, allowed: readonly string[]): Promise<Record<string, unknown>> {
  const content = await readFile(path, "utf8").catch((error: unknown) => {
    throw explainFileError(error, "read", path);
  });
  const value = path.endsWith(".json") ? jsonOf(path, content) : await parsedYaml(path, content);
  if (!isRecord(value)) {
    throw new InputError(`${path}: must hold flags by name, as in "base: FOLDER"`);
  }
  const problems = Object.keys(value)
    .filter((key) => !allowed.includes(settingName(key)) && !isSwitchedOff(key, value, allowed))
    .map((key) => `${path}: unknown key "${key}"${flagSuggestion(key, allowed.map(flagName))}`);
  if (problems.length > 0) throw new InputError(problems);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) =>
      !allowed.includes(settingName(key)) && typeof each === "boolean"
        ? [oppositeOf(key), !each]
        : [settingName(key), each],
    ),
  );
}

/** `no-shuffle: true` says what `shuffle: false` says. */
const isSwitchedOff = (key: string, values: object, allowed: readonly string[]): boolean =>
  /^no[-_A-Z]/.test(key) && allowed.includes(oppositeOf(key)) && typeof Reflect.get(values, key) === "boolean";

/** `no-shuffle`, `no_shuffle` and `noShuffle` are the opposite of `shuffle`. */
const oppositeOf = (key: string): string => settingName(key.slice(2)).replace(/^./, (letter) => letter.toLowerCase());

function jsonOf(path: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new InputError(`${path}: is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

async function parsedYaml(path: string, content: string): Promise<unknown> {
  const { parseDocument } = await import("yaml"); // only who has such a file needs it
  const document = parseDocument(content, { uniqueKeys: true, prettyErrors: false });
  const problems = [...document.errors, ...document.warnings].map(({ message, pos }) => {
    return `${path} line ${content.slice(0, pos[0]).split("\n").length}: ${message}`;
  });
  if (problems.length > 0) throw new InputError(problems);
  return document.toJS({ maxAliasCount: 100 });
}
