// The base of the examples: `node examples/NAME.mjs BASE` takes any folder, hub id or bundled name; without one, the
// small encoder that comes with petl.
import { fileURLToPath } from "node:url";

export const baseName = process.argv[2] ?? "petl-mini-encoder";

/** The path of one of the examples' data files. */
export const data = (/** @type {string} */ name) => fileURLToPath(new URL(`data/${name}`, import.meta.url));
