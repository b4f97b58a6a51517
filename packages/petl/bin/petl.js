#!/usr/bin/env node
import { statSync } from "node:fs";

/** When a file was written; 0 where there is none. */
const written = (path) => statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** What the compiler writes last: whoever has called it alone has a bundle of the modules before. */
const compiled = ["../tsconfig.tsbuildinfo", "../../core/tsconfig.tsbuildinfo"].map(written);
const isBundled = written("../bundle/cli/start.js") > Math.max(...compiled);
if (isBundled) (await import("./bundle.js")).runBundle("cli/start");
else await import("../dist/cli/start.js");
