import { once } from "node:events";
import { readFileSync } from "node:fs";
import { InputError, RunError } from "@petl/core";
import { CommanderError } from "commander";
import { MachineError } from "../machine-error.ts";
import { openTerminal } from "../terminal.ts";
import { commandLine } from "./command.ts";
import type { Context, Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** What a shell is told of how it went. */
const exits = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  process.stdout.on("error", closedEarly);
  process.stderr.on("error", closedEarly);
  const program = commandLine(verbs, version(), run);
  if (args.length === 0) {
    process.stderr.write(program.helpInformation());
    return exits.usage;
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return exits.done;
  } catch (error) {
    return explain(error);
  }
}

async function run(verb: Verb, given: Readonly<Record<string, unknown>>, operands: readonly string[]): Promise<void> {
  const terminal = openTerminal();
  const interruption = new AbortController();
  process.on("SIGINT", () => {
    if (interruption.signal.aborted || !verb.endsItself) process.exit(exits.interrupted);
    interruption.abort();
  });
  const context: Context = { print: (line) => write(`${line}\n`), write, terminal, signal: interruption.signal };
  try {
    await verb.start(given, operands, context);
  } finally {
    terminal.done();
  }
}

async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

/** Says what went wrong on stderr, and gives the exit code that says it to scripts. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exits.done;
    const sentence = error.message.replace(/^error: /, "").replace(/\n\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
    return say([sentence], exits.usage);
  }
  if (error instanceof InputError) return say(error.problems, exits.usage);
  if (error instanceof MachineError || error instanceof RunError) return say([error.message], exits.failed);
  if (error instanceof Error && error.name === "AbortError") return say(["interrupted"], exits.interrupted);
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return say([`this is a bug in petl: ${trace}`], exits.failed);
}

function say(lines: readonly string[], code: number): number {
  const { line } = openTerminal();
  for (const text of lines) line(`petl: ${text}`);
  return code;
}

/** A reader that has seen enough (`petl … | head`) is no fault. */
function closedEarly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(exits.done);
  throw error;
}

function version(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  return version;
}
