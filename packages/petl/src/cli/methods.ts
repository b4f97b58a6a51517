import { methods } from "@petl/core";
import { flagName } from "../flags/flags.ts";
import { defineVerb } from "./verb.ts";

export const methodsVerb = defineVerb({
  name: "methods",
  group: "Look around",
  summary: "list the methods and their options",
  flags: {},
  examples: ["methods", "methods --json"],
  async run({ json }, { print }) {
    if (json) return print(JSON.stringify(methods.map(described)));
    const width = Math.max(...methods.map(({ name }) => name.length));
    for (const { name, summary, source, options } of methods) {
      await print(`${name.padEnd(width)}  ${summary}`);
      await print(`${" ".repeat(width)}  ${source}`);
      for (const [option, { help, placeholder, initial }] of Object.entries(options)) {
        const form = `--${flagName(option)}${placeholder === undefined ? "" : ` ${placeholder}`}`;
        await print(`${" ".repeat(width)}    ${form.padEnd(28)}  ${help}${shown(initial)}`);
      }
    }
  },
});

const described = ({ name, summary, source, options, peft, start }: (typeof methods)[number]) => ({
  name,
  summary,
  source,
  peft_type: peft?.type ?? null,
  starts_as_base: start === "base",
  options: Object.entries(options).map(([option, { help, initial }]) => {
    return { flag: `--${flagName(option)}`, help, default: initial ?? null };
  }),
});

function shown(initial: unknown): string {
  if (initial === undefined || typeof initial === "boolean" || typeof initial === "object") return "";
  return ` (${initial})`;
}
