// Puts the command line's thousand modules into a few files, since a process reads few files sooner: packages/petl/bundle. What a
// verb does not use stays in files of other verbs. The library is imported from dist, module by module.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "packages/petl/dist");
const bundle = join(root, "packages/petl/bundle");

/** Files that processes and threads begin with; each keeps its place, so that others find it. */
const entries = [
  "cli/start",
  "engine/engine-worker",
  "library/digest-thread",
  "studies/cell-process",
  "executors/end-with-parent",
];

/** What stays in packages of its own: binaries, what only some install, and what seldom is needed. */
const apart = ["onnxruntime-node", "bullmq", "ioredis", "pg", "undici", "@huggingface/hub", "@observablehq/plot"];

/** A module asks for files relative to its own place, wherever the bundle has put it. */
const ownPlaces = {
  name: "own-places",
  transform(code, id) {
    if (!id.startsWith(dist) || !code.includes("import.meta.url")) return null;
    const place = relative(dist, id).split(sep).join("/");
    return code.replaceAll("import.meta.url", `new URL("../${place}", import.meta.url).href`);
  },
};

/** What is still imported when it is asked for is a package outside of the bundle, which a file outside of it imports. */
const importedOutside = {
  name: "imported-outside",
  renderChunk: (code) => code.replaceAll(/\bimport\(/g, 'require("../../bin/import-package.cjs")('),
};

rmSync(bundle, { recursive: true, force: true });
const built = await rolldown({
  input: Object.fromEntries(entries.map((entry) => [entry, join(dist, `${entry}.js`)])),
  platform: "node",
  external: (id) => apart.some((name) => id === name || id.startsWith(`${name}/`)),
  plugins: [ownPlaces, importedOutside],
  logLevel: "warn",
});
const { output } = await built.write({
  dir: bundle,
  format: "cjs", // V8 keeps what it has made of scripts, not of modules
  entryFileNames: "[name].js",
  chunkFileNames: "chunks/[name]-[hash].js",
});
writeFileSync(join(bundle, "package.json"), '{ "type": "commonjs" }\n');
keepCode();
writeFileSync(
  join(bundle, "THIRD-PARTY-LICENSES.txt"),
  licencesOf(output.flatMap((each) => ("moduleIds" in each ? each.moduleIds : []))),
);

/** The licences of the packages whose modules are in the bundle. */
function licencesOf(modules) {
  const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []);
  return [...new Set(folders)].sort().map(licenceIn).join("\n\n");
}

function licenceIn(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  return [`${name} ${version}, ${license}`, ...(file ? [readFileSync(join(folder, file), "utf8").trim()] : [])].join(
    "\n\n",
  );
}

/** Trains and asks a little, so that what V8 makes of the code that this takes is kept. */
function keepCode() {
  const out = mkdtempSync(join(tmpdir(), "petl-bundle-"));
  const run = (...args) =>
    execFileSync(process.execPath, [join(root, "scripts/keep-code.mjs"), ...args], { stdio: "pipe" });
  const base = ["--base", "petl-mini-encoder", "--offline"];
  const rows = join(out, "rows.csv");
  writeFileSync(rows, "text,label\na fine film,1\na dull one,0\n");
  try {
    run("train", ...base, "--data", rows, "--method", "lora", "--steps", "2", "--out", join(out, "adapter"));
    run("predict", ...base, "--adapter", join(out, "adapter"), "--text", "a fine film");
  } catch (error) {
    console.error(`the command line will start slower: ${error.message}`);
  } finally {
    rmSync(out, { recursive: true });
  }
}
