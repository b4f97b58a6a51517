import { readFileSync } from "node:fs";

/** petl's own version, as package.json has it. */
export const { version }: { readonly version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);
