import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { studies } from "./studies.ts";

/** Files of this folder that are no study. */
const shared = [
  "attention-layers",
  "base-directions",
  "bench",
  "drawn",
  "findings",
  "rates",
  "recipes",
  "rows",
  "settings",
  "spectrum-carrying",
  "spectrum-intruders",
  "spectrum-names",
  "spectrum-values",
  "studies",
  "study",
  "subspaces",
  "summary",
];

test("every study has a file of its name, and every other file is known to be shared", () => {
  const files = readdirSync(fileURLToPath(new URL(".", import.meta.url)))
    .filter((name) => !name.includes(".test."))
    .map((name) => name.replace(/\.ts$/, ""));
  expect(files.sort()).toEqual([...studies.map(({ name }) => name), ...shared].sort());
});
