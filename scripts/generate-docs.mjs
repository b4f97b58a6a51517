// Writes the parts of README.md and docs/ that follow from the code: what stands between
// `<!-- generated: PART ARGUMENT -->` and `<!-- end of generated -->`. Reads the build.
//   node scripts/generate-docs.mjs           brings the pages up to date and names those that it changed
//   node scripts/generate-docs.mjs --check   changes nothing; names the pages that are not up to date, and then fails
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { helpOf, methods } from "../packages/core/dist/index.js";
import { verbs as listed } from "../packages/petl/dist/cli/verbs.js";
import { flagName } from "../packages/petl/dist/flags/flags.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const verbs = await Promise.all(listed.map(({ load }) => load()));

/** What a page can ask for. */
const parts = new Map([
  ["methods", (folder) => methodsTable(folder)],
  ["options", (name) => optionsTable(methods.find((method) => method.name === name))],
  ["study", (folder) => studyFound(folder)],
  ["verbs", () => verbs.map(verbSection).join("\n\n")],
  ["file", (path) => fenced(path.split(".").at(-1), readFileSync(root + path, "utf8").trim())],
]);

/** What a study in results/studies found: its figures, its numbers where they are few, and what they say of each claim. */
function studyFound(name) {
  const folder = `results/studies/${name}`;
  const {
    question,
    settings,
    rows,
    findings,
    table: side,
  } = JSON.parse(readFileSync(`${root}${folder}/summary.json`, "utf8"));
  const { base, rows: trained, seeds } = settings;
  const figures = readdirSync(`${root}${folder}/figures`).sort();
  const numbers = rows.map(({ cell, mean, low, high }) => [
    Object.entries(cell)
      .map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`)
      .join(", "),
    ...[mean, low, high].map((value) => value.toPrecision(3)),
  ]);
  const said = findings.map(
    ({ claim, holds, evidence }) =>
      `- **${holds === "undecided" ? "undecided" : holds ? "yes" : "no"}**: ${claim} (${evidence})`,
  );
  return [
    `*${question}* \`${base}\`, ${trained} training rows, ${seeds} seeds ([records](../${folder}/records.jsonl)).`,
    ...figures.map((file) => `![${file.replace(/\.svg$/, "").replaceAll("-", " ")}](../${folder}/figures/${file})`),
    ...(side
      ? [table(side.columns, side.rows)]
      : numbers.length <= fewRows
        ? [table(["cell", "score", "from", "to"], numbers)]
        : []),
    said.join("\n"),
  ].join("\n\n");
}

const fewRows = 18;

/** The methods with links to their pages in a folder, as the asking page sees it. */
function methodsTable(folder) {
  const rows = methods.map(({ name, summary, source, peft }) => [
    `[\`${name}\`](${folder}/${name}.md)`,
    summary,
    source,
    peft === undefined ? "" : `\`${peft.type}\``,
  ]);
  return table(["method", "what it does", "paper", "PEFT's type"], rows);
}

function optionsTable({ options }) {
  const rows = Object.entries(options).map(([name, { help, initial, placeholder }]) => {
    // of a switch that is on, the flag that changes something is its opposite
    const switched = initial === true ? "no-" : "";
    const value = placeholder === undefined ? "" : ` ${placeholder}`;
    return [`\`--${switched}${flagName(name)}${value}\``, `\`${name}\``, shown(initial), help];
  });
  return rows.length === 0 ? "None." : table(["flag", "in TypeScript", "default", "what it is"], rows);
}

function shown(initial) {
  if (typeof initial === "boolean") return initial ? "on" : "off";
  if (initial === undefined || typeof initial === "object") return "";
  return `\`${initial}\``;
}

/** @param {import("../packages/petl/dist/cli/verb.js").Verb} verb */
function verbSection({ name, summary, operand, flags, takesMethods, examples }) {
  const rows = Object.entries(flags).map(([flag, setting]) => {
    const { placeholder, initial, many } = setting;
    const help = helpOf(setting);
    const isOn = placeholder === undefined && initial === true;
    const value = placeholder === undefined ? "" : ` ${placeholder}`;
    return [`\`--${isOn ? "no-" : ""}${flagName(flag)}${value}\`${many ? " …" : ""}`, isOn ? `not: ${help}` : help];
  });
  return [
    `## petl ${name}`,
    `${summary[0].toUpperCase()}${summary.slice(1)}.`,
    `\`petl ${[name, operand, takesMethods && "[method options]", "[flags]"].filter(Boolean).join(" ")}\``,
    table(["flag", "what it is"], rows),
    ...(takesMethods ? ["The [methods' options](#options-of-methods) are flags of this command too."] : []),
    fenced("sh", examples.map((line) => `petl ${line}`).join("\n")),
  ].join("\n\n");
}

const fenced = (language, text) => `\`\`\`${language}\n${text}\n\`\`\``;

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

const isChecking = process.argv.includes("--check");
const pages = readdirSync(`${root}docs`, { recursive: true }).map((path) => `docs/${path.replaceAll("\\", "/")}`);
for (const path of ["README.md", ...pages.filter((page) => page.endsWith(".md")).sort()]) {
  const before = readFileSync(root + path, "utf8");
  const after = before.replace(
    /^(<!-- generated: (\S+) ?(\S*) -->\n)[\s\S]*?^(<!-- end of generated -->)/gm,
    (_, open, part, argument, close) => `${open}\n${parts.get(part)(argument)}\n\n${close}`,
  );
  if (after === before) continue;
  console.log(path);
  if (isChecking) process.exitCode = 1;
  else writeFileSync(root + path, after);
}
