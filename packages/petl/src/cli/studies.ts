import { studies } from "@petl/core";
import { defineVerb } from "./verb.ts";

export const studiesVerb = defineVerb({
  name: "studies",
  group: "Study",
  summary: "list the studies and their questions",
  flags: {},
  examples: ["studies", "studies --json"],
  async run({ json }, { print }) {
    if (json) return print(JSON.stringify(studies.map(({ name, question, source }) => ({ name, question, source }))));
    const width = Math.max(...studies.map(({ name }) => name.length));
    for (const { name, question, source } of studies) {
      await print(`${name.padEnd(width)}  ${question}`);
      await print(`${" ".repeat(width)}  ${source}`);
    }
  },
});
