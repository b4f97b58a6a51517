import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const folder = new URL(".", import.meta.url);
const source = (file: string) => readFileSync(new URL(file, folder), "utf8");

test("every verb of the folder is listed once, under its own name, and loaded from its own file", () => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".ts") && !/\.(test|fake)\.ts$/.test(file));
  const defined = files.flatMap((file) => {
    const [, verb, name] = /const (\w+) = defineVerb\(\{\s*name: "([^"]+)"/.exec(source(file)) ?? [];
    return name === undefined ? [] : [`{ name: "${name}", load: async () => (await import("./${file}")).${verb} }`];
  });
  const listed = source("verbs.ts").match(/\{ name: .*? \}(?=,\n)/g) ?? [];
  expect(listed.sort()).toEqual(defined.sort());
});
