import { join } from "node:path";
import { bundledBases, bundledFolder } from "../bundled/bundled-bases.ts";
import { defineVerb } from "./verb.ts";

export const basesVerb = defineVerb({
  name: "bases",
  group: "Look around",
  summary: "list the base models that come with petl",
  flags: {},
  examples: ["bases"],
  async run({ json }, { print, terminal }) {
    const names = await bundledBases();
    if (json) return print(JSON.stringify(names.map((name) => ({ name, folder: join(bundledFolder, name) }))));
    for (const name of names) await print(name);
    if (names.length === 0) {
      terminal.line("no base model comes with this copy of petl; give --base a folder or a hub id (owner/name)");
    }
  },
});
