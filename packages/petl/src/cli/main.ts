import { once } from "node:events";
import { InputError, RunError } from "@petl/core";
import { CommanderError } from "commander";
import { flagName } from "../flags/flags.ts";
import { inFlags } from "../flags/in-flags.ts";
import { methodFlags } from "../flags/method-flags.ts";
import { flagKnownAs } from "../flags/other-names.ts";
import { explainFileError, MachineError } from "../machine-error.ts";
import { version } from "../version.ts";
import { commandLine } from "./command.ts";
import { harmless, openTerminal, type Terminal } from "./terminal.ts";
import type { Context, Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** What a shell is told of how it went. */
const exits = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Each of them ends a verb once it has saved what can be saved. */
const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Why stdout takes nothing more. */
let outputFault: NodeJS.ErrnoException | undefined;
/** Whether the reader of stdout has seen enough, as in `petl … | head`. */
let readerLeft = false;

process.exitCode = exits.failed; // where nothing is left to wait for before it has ended
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});

async function main(args: readonly string[]): Promise<number> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") readerLeft = true;
    else outputFault ??= error;
  });
  process.stderr.on("error", () => undefined); // nobody listens
  const loaded = await loadVerbs(args);
  const program = commandLine(loaded, version, run);
  if (args.length === 0) {
    process.stderr.write(program.helpInformation());
    return exits.usage;
  }
  try {
    await program.parseAsync(args, { from: "user" });
    await new Promise(setImmediate); // a fault of the last line is told behind it
    return outputFault ? explain(explainFileError(outputFault, "write", "stdout"), loaded) : exits.done;
  } catch (error) {
    return explain(error, loaded);
  }
}

/** The verb that is called or whose help is asked for; all of them where the arguments begin with none. */
async function loadVerbs([first, second]: readonly string[]): Promise<readonly Verb[]> {
  const called = verbs.find(({ name }) => name === (first === "help" ? second : first));
  return Promise.all((called ? [called] : verbs).map(({ load }) => load()));
}

async function run(verb: Verb, given: Readonly<Record<string, unknown>>, operands: readonly string[]): Promise<void> {
  const open = openTerminal();
  const told = (sentence: string) => saidBy(verb, sentence);
  const terminal: Terminal = { ...open, line: (text) => open.line(told(text)) };
  const interruption = new AbortController();
  for (const name of endingSignals.filter((each) => !verb.ownSignals?.includes(each)))
    process.once(name, () => interruption.abort()); // the second time the system ends it at once
  const print = (line: string) => write(`${line}\n`);
  const context: Context = { print, write, terminal, inFlags: told, signal: interruption.signal };
  try {
    await verb.start(given, operands, context);
  } finally {
    terminal.done();
  }
}

async function write(text: string): Promise<void> {
  if (readerLeft) throw new Error("nobody reads stdout");
  if (outputFault) throw explainFileError(outputFault, "write", "stdout");
  try {
    if (!process.stdout.write(process.stdout.isTTY ? harmless(text) : text)) await once(process.stdout, "drain");
  } catch (error) {
    throw readerLeft ? error : explainFileError(error, "write", "stdout"); // a file takes what it takes at once
  }
}

/** Says what went wrong on stderr, and gives the exit code that says it to scripts. */
function explain(error: unknown, loaded: readonly Verb[]): number {
  if (readerLeft) return exits.done;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exits.done;
    const sentence = error.message.replace(/^error: /, "").replace(/\n\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
    const [, asked = ""] = /^unknown option '--?([^'=]+)/.exec(sentence) ?? [];
    const known = flagKnownAs(asked);
    if (known !== undefined && loaded.length === 1 && loaded.some((each) => isFlag(known, each)))
      return say([`unknown option '--${asked}'; did you mean --${known}?`], exits.usage);
    return say([sentence], exits.usage);
  }
  const [verb] = loaded;
  const told = (sentence: string) => (verb && loaded.length === 1 ? saidBy(verb, sentence) : sentence);
  if (error instanceof InputError) return say(error.problems.map(told), exits.usage);
  if (error instanceof MachineError || error instanceof RunError) return say([told(error.message)], exits.failed);
  if (error instanceof Error && error.name === "AbortError") return say(["interrupted"], exits.interrupted);
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return say([`this is a bug in petl: ${trace}`], exits.failed);
}

/** Whether a verb has a flag. */
function isFlag(name: string, verb: Verb): boolean {
  return flagsOf(verb).some((key) => flagName(key) === name);
}

/** A sentence of the library, in a verb's flags. */
function saidBy(verb: Verb, sentence: string): string {
  return inFlags(sentence, (setting) => verb.otherNames?.[setting] ?? flagsOf(verb).find((name) => name === setting));
}

function flagsOf(verb: Verb): readonly string[] {
  return [...Object.keys(verb.flags), ...(verb.takesMethods ? methodFlags().map((flag) => flag.name) : [])];
}

function say(lines: readonly string[], code: number): number {
  const { line } = openTerminal();
  for (const text of lines) line(`petl: ${text}`);
  return code;
}
