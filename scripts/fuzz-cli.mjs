// Calls the command line's verbs with flags, values and files drawn at random, all in one process: every call must end well
// or by an error of a known kind, which become the exit codes 0, 1, 2 and 130; a bug's stack trace is a fault.
//   node scripts/fuzz-cli.mjs [--count 2000] [--seed 0] [VERB …]        after npm run build
// Prints a line for each fault with its arguments, and exits with 1 where there is one.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const dist = (path) => import(new URL(`../packages/petl/dist/${path}.js`, import.meta.url).href);
const golden = fileURLToPath(new URL("../packages/core/golden/", import.meta.url));
process.env.HF_HUB_OFFLINE = "1";

/** These serve, wait or take minutes: what they are given is checked by the same schemas. */
const leftOut = ["serve", "worker", "chat", "demo", "studio", "pretrain", "study", "train-many"];
const longest = 60_000;

/** Numbers below a bound, the same for the same seed (Mulberry32). */
function numbers(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

const contents = {
  "rows.csv": "text,label\na film,good\na rose,bad\nthe old house,good\n",
  "rows.tsv": "text\tlabel\na\t1\nb\t2\n",
  "ids.jsonl": '{"input_ids":[5,6,7],"label":0}\n{"input_ids":[5,9],"label":1}\n{"input_ids":[8],"label":2}\n',
  "tokens.jsonl": '{"input_ids":[5,6,7],"labels":[5,6,7]}\n{"input_ids":[5,9],"labels":[-100,9]}\n',
  "many.jsonl": '{"input_ids":[5,6,7],"labels":[0,1,1]}\n{"input_ids":[5,9],"labels":[1,0,0]}\n',
  "prompts.jsonl": '{"prompt":"a film","completion":"is good"}\n{"input_ids":[1,2]}\n',
  "chats.jsonl": '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n',
  "pairs.jsonl": '{"prompt":"a","chosen":"b","rejected":"c"}\n',
  "array.json": '[{"text":"a","label":1.5},{"text":"b","label":2}]',
  "odd.jsonl": '{"text":null}\n[]\n{"text":{"a":1},"label":[[1]]}\n',
  "empty.csv": "",
  "header.csv": "text,label\n",
  "binary.parquet": "PAR1\u0000\u0001PAR1",
  "run.yaml": "method: lora\nrank: 2\nsteps: 1\nlabels: [a, b]\n",
  "run.json": '{"method":"lora","rank":{"a":1},"steps":-1}',
  "odd.yaml": "a: &a [*a]\n? {x: 1}\n: 2\n",
  "plain.txt": "a film\n\na rose\n",
};

const odd = [
  "",
  " ",
  "0",
  "-1",
  "1",
  "2",
  "1e400",
  "NaN",
  "0.5",
  "1.5",
  "99999999999999999999",
  "true",
  "null",
  "none",
  "a=b",
  "a,b",
];
const more = [
  "[]",
  "{}",
  '{"a":1}',
  "../..",
  "/dev/null",
  "/",
  ".",
  "-",
  "--",
  "\u0000",
  "ä\ud800",
  "(",
  "q.*",
  "x".repeat(3000),
  "owner/name",
];

/** Values by what a flag's help calls them; anything else may be given to any. */
const usual = {
  BASE: (pick) =>
    golden +
    pick([
      "models/bert-sequence-classification",
      "models/llama-causal-lm",
      "models/bert-masked-lm",
      "models/gpt2-causal-lm",
      "models/none",
    ]),
  ADAPTER: (pick) =>
    golden +
    pick([
      "adapters/bert-lora",
      "adapters/llama-lora",
      "adapters/llama-prompt",
      "adapters/bert-prefix",
      "adapters/none",
    ]),
  METHOD: (pick) =>
    pick(["lora", "dora", "ia3", "bitfit", "prefix", "prompt", "full", "head", "lora+bitfit", "bottleneck", "lorra"]),
  N: (pick) => pick(["1", "2", "3"]),
  NAMES: (pick) => pick(["query,value", "q_proj", "all-linear", "q_prj", ".*(query|v_proj)"]),
};

/** Nothing outside of the folder is ever written to. */
const outsFor = (pick, folder) =>
  pick([...["out", "out2", "rows.csv", "a/b/c"].map((name) => join(folder, name)), "", " ", "a=b"]);

function valueFor(placeholder, pick, folder) {
  const known = Object.keys(usual).find((word) => placeholder.includes(word));
  if (pick([0, 0, 0, 1]) === 1) return pick([...odd, ...more]);
  if (known) return usual[known](pick);
  return pick([
    ...odd,
    ...more,
    ...Object.keys(contents).map((name) => join(folder, name)),
    join(folder, pick(["out", "out2"])),
  ]);
}

/** Flags that a call of a verb cannot do without, so that more than their absence is tried. */
const needed = ["base", "data", "input", "adapter", "out", "method", "prompt", "text"];

function argumentsFor(verb, pick, folder) {
  const flags = Object.entries(verb.flags);
  const chosen = flags.filter(
    ([name]) => pick([0, 1, 2, 3, 4, 5]) === 0 || (needed.includes(name) && pick([0, 1, 2]) > 0),
  );
  const args = chosen.flatMap(([name, { placeholder }]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (/DIR/.test(placeholder ?? "") || name === "out") return [flag, outsFor(pick, folder)];
    return placeholder === undefined
      ? [flag]
      : [
          flag,
          name === "data" || name === "input"
            ? join(folder, pick(Object.keys(contents)))
            : valueFor(placeholder, pick, folder),
        ];
  });
  if (verb.takesMethods && pick([0, 1]) === 1)
    args.push(
      `--${pick(["rank", "targets", "rank-pattern", "tokens", "layers", "alpha", "scale"])}`,
      pick([...odd, "q_proj=2", "0-1"]),
    );
  const strange = pick([...Array(20).fill(undefined), "--learning-rate", "--r", "-x", "--", "--base", "extra"]);
  if (strange !== undefined) args.push(strange);
  if (verb.flags.steps) args.push("--steps", "1");
  if (verb.flags.threads) args.push("--threads", "1");
  return verb.operand ? [...args, valueFor(verb.operand, pick, folder)] : args;
}

/** What an error means to a shell; undefined for a bug. */
function kindOf(error) {
  if (error?.name === "CommanderError") return "usage";
  if (["InputError", "MachineError", "RunError", "AbortError", "TimeoutError"].includes(error?.name)) return error.name;
  return undefined;
}

async function call(verb, args) {
  const [{ commandLine }, stop] = [await dist("cli/command"), new AbortController()];
  const terminal = {
    line: () => undefined,
    progress: () => undefined,
    done: () => undefined,
    columns: 80,
    isTty: false,
  };
  const quiet = async () => undefined;
  const timer = setTimeout(() => stop.abort(), longest / 2);
  const started = process.cpuUsage();
  const program = commandLine([verb], "0", (each, given, operands) =>
    each.start(given, operands, { print: quiet, write: quiet, terminal, signal: stop.signal }),
  );
  try {
    await program.parseAsync([verb.name, ...args], { from: "user" });
    return { kind: "done" };
  } catch (error) {
    return { kind: kindOf(error), error };
  } finally {
    clearTimeout(timer);
    const { user } = process.cpuUsage(started);
    if (user > longest * 1000) console.log(`${verb.name} ${JSON.stringify(args)}: took ${Math.round(user / 1e6)} s`);
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: "string", default: "2000" }, seed: { type: "string", default: "0" } },
});
const { verbs } = await dist("cli/verbs");
const wanted = verbs.filter(({ name }) =>
  positionals.length > 0 ? positionals.includes(name) : !leftOut.includes(name),
);
const loaded = await Promise.all(wanted.map(({ load }) => load()));
const scratch = mkdtempSync(join(tmpdir(), "petl-fuzz-cli-"));
process.chdir(scratch);
const kinds = {};
let faults = 0;
process.on("unhandledRejection", (error) => {
  faults++;
  console.log(`unhandled: ${error instanceof Error ? error.stack : error}`);
});
for (let number = 0; number < Number(values.count); number++) {
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(scratch, name), content);
  const below = numbers(Number(values.seed) * 1_000_003 + number);
  const pick = (list) => list[below(list.length)];
  const verb = pick(loaded);
  const args = argumentsFor(verb, pick, scratch);
  const { kind, error } = await call(verb, args);
  kinds[kind ?? "bug"] = (kinds[kind ?? "bug"] ?? 0) + 1;
  const changed = Object.entries(contents).find(
    ([name, content]) => readFileSync(join(scratch, name), "utf8") !== content,
  );
  if (kind === undefined || changed) {
    faults++;
    console.log(
      `${number}: petl ${verb.name} ${JSON.stringify(args)}\n  ${changed ? `changed ${changed[0]}` : (error?.stack ?? error)}`,
    );
  }
}
rmSync(scratch, { recursive: true, force: true });
console.log(`${values.count} calls, ${faults} faults: ${JSON.stringify(kinds)}`);
process.exit(faults > 0 ? 1 : 0);
