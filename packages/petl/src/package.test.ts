import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { version } from "./version.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const packed = ["@petl/bases", "@petl/core", "petl"];
const project = mkdtempSync(join(tmpdir(), "petl-package-"));
const modules = join(project, "node_modules");
afterAll(() => rmSync(project, { recursive: true }));

/** An empty project with the tarballs installed, and what they depend on from the repository's own installation. */
beforeAll(() => {
  const workspaces = packed.flatMap((name) => ["--workspace", name]);
  execFileSync("npm", ["pack", ...workspaces, "--pack-destination", project, "--silent"], { cwd: root, stdio: "pipe" });
  mkdirSync(join(modules, "@petl"), { recursive: true });
  for (const name of packed) {
    const folder = join(modules, name);
    const tarball = `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
    mkdirSync(folder);
    execFileSync("tar", ["-xzf", join(project, tarball), "-C", folder, "--strip-components", "1"]);
  }
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name !== "@petl" && name !== "petl") symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
});

const run = (...args: readonly string[]) => execFileSync(process.execPath, args, { cwd: project, encoding: "utf8" });

test("every tarball has a README, the licence and no tests", () => {
  for (const name of packed) {
    const files = readdirSync(join(modules, name), { recursive: true, encoding: "utf8" });
    expect(files, name).toEqual(expect.arrayContaining(["LICENSE", "package.json"]));
    expect(
      files.some((file) => /README\.md$/.test(file)),
      name,
    ).toBe(true);
    expect(
      files.filter((file) => /\.(test|fake)\.(ts|js)$/.test(file)),
      name,
    ).toEqual([]);
  }
});

test("every source map of the tarballs leads to a file", () => {
  for (const name of ["@petl/core", "petl"]) {
    const folder = join(modules, name, "dist");
    const maps = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".map"));
    expect(maps.length, name).toBeGreaterThan(50);
    const lost = maps.filter((map) => {
      const { sources } = JSON.parse(readFileSync(join(folder, map), "utf8"));
      return !sources.every((source: string) => existsSync(join(folder, dirname(map), source)));
    });
    expect(lost, name).toEqual([]);
  }
});

test("the bundle of the command line carries the licences of what is in it", () => {
  const licences = readFileSync(join(modules, "petl/bundle/THIRD-PARTY-LICENSES.txt"), "utf8");
  for (const name of ["commander", "zod", "hyparquet"])
    expect(licences).toMatch(new RegExp(`^${name} [\\d.]+, MIT$`, "m"));
});

/** The declaration files that a package's own refers to, itself among them; those of other packages by their names. */
function declarations(file: string, seen = new Map<string, string>()): ReadonlyMap<string, string> {
  if (seen.has(file)) return seen;
  const text = readFileSync(file, "utf8");
  seen.set(file, text);
  for (const [, name = ""] of text.matchAll(/(?:from|import)[ (]"([^"]+)"/g)) {
    if (name === "@petl/core") declarations(join(modules, "@petl/core/dist/index.d.ts"), seen);
    else if (name.startsWith(".")) declarations(join(dirname(file), name.replace(/[.][jt]s$/, ".d.ts")), seen);
    else seen.set(name, "");
  }
  return seen;
}

test("declarations are read by TypeScript from 5.0 on: of other packages they import none, and no type that it lacks", () => {
  const found = declarations(join(modules, "petl/dist/index.d.ts"));
  expect(found.size).toBeGreaterThan(100);
  expect([...found.keys()].filter((name) => !name.endsWith(".d.ts") && !name.startsWith("node:"))).toEqual([]);
  const code = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  for (const [name, text] of found)
    expect(code(text).match(/\b(?:Uint|Int|Float)\d+Array<|\bNoInfer\b/), name).toBeNull();
});

test("editors show what every option does: each of trainings, data, answers and methods has its words above it", () => {
  const folder = join(modules, "@petl/core/dist");
  const files = ["training/settings", "library/settings", "library/train", "library/predict", "peft/methods"];
  const options = files.flatMap((file) => {
    const lines = readFileSync(join(folder, `${file}.d.ts`), "utf8").split("\n");
    return lines.flatMap((line, at) =>
      /^\s*(?:readonly )?\w+: (?:import\("[^"]+"\)\.)?(?:(?:Defaulted)?Setting|Option)</.test(line)
        ? [{ file, line: line.trim(), words: lines[at - 1]?.trim() ?? "" }]
        : [],
    );
  });
  expect(options.length).toBeGreaterThan(150);
  expect(options.filter(({ words }) => !/^\/\*\* \S.* \*\/$/.test(words))).toEqual([]);
});

test("in an empty project the command line runs and knows the bundled bases", () => {
  const bases = run(join(modules, "petl/bin/petl.js"), "bases");
  expect(bases).toContain("petl-mini-encoder");
  expect(bases).toContain("petl-mini-decoder");
});

test("the command line brings no code that V8 made elsewhere, and passes over such that is there", () => {
  const bundle = join(modules, "petl/bundle");
  const files = readdirSync(bundle, { recursive: true, encoding: "utf8" });
  expect(files.filter((file) => file.endsWith(".code"))).toEqual([]);
  for (const file of files.filter((script) => script.endsWith(".js")))
    writeFileSync(join(bundle, `${file}.code`), "strange");
  expect(run(join(modules, "petl/bin/petl.js"), "methods")).toContain("lora");
});

test("in an empty project the program of the package's README runs", () => {
  const readme = readFileSync(join(modules, "petl/README.md"), "utf8");
  const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  writeFileSync(join(project, "program.mjs"), program);
  expect(run("program.mjs")).toMatch(/step[\s\S]*label: '(good|bad)'/);
});
