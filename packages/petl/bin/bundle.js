import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

/** Where the command line lies in few files; what compiles them writes it. */
const folder = fileURLToPath(new URL("../bundle/", import.meta.url));

/** What V8 made of a file when it was last run; a V8 of another version or processor refuses it and compiles. */
const codeOf = (file) => `${file}.code`;

/**
 * Runs a file of the bundle and those that it requires, as Node's own `require` would, but with what V8 made of them, where that
 * was kept: to compile them takes a third of the time until a verb begins.
 *
 * @returns keeps what V8 has made of all files that were run
 */
export function runBundle(entry) {
  const loaded = new Map();
  const load = (file) => {
    const known = loaded.get(file);
    if (known) return known.module.exports;
    const script = new vm.Script(asFunction(readFileSync(file, "utf8")), {
      filename: file,
      cachedData: kept(codeOf(file)),
    });
    const module = { exports: {} };
    loaded.set(file, { module, script });
    const others = createRequire(file);
    const require = (name) => {
      const path = resolve(dirname(file), name);
      return name.startsWith(".") && path.startsWith(folder) ? load(path) : others(name);
    };
    script.runInThisContext().call(module.exports, module.exports, require, module, file, dirname(file));
    return module.exports;
  };
  load(resolve(folder, `${entry}.js`));
  return () => {
    for (const [file, { script }] of loaded) writeFileSync(codeOf(file), script.createCachedData());
  };
}

/** What Node makes of a CommonJS module. */
const asFunction = (source) => `(function (exports, require, module, __filename, __dirname) { ${source}\n});`;

function kept(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
