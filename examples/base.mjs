// The base of the examples: `node examples/NAME.mjs BASE` takes any folder or hub id; without one, the demo's tiny base is
// made on first use (some seconds) and kept beside this file.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writeDemoBase } from "petl";

const folder = fileURLToPath(new URL("base/", import.meta.url));

export const baseName = process.argv[2] ?? (existsSync(folder) ? folder : await writeDemoBase(folder));

/** The path of one of the examples' data files. */
export const data = (/** @type {string} */ name) => fileURLToPath(new URL(`data/${name}`, import.meta.url));
