import { helpOf, InputError } from "@petl/core";
import { Command, Option } from "commander";
import { flagName } from "../flags/flags.ts";
import { methodFlags } from "../flags/method-flags.ts";
import { readConfigFile } from "./config-file.ts";
import { type Verb, verbGroups } from "./verb.ts";

/** A verb's flags as they were given, on the command line or below it in a config file. */
type Start = (verb: Verb, given: Readonly<Record<string, unknown>>, operands: readonly string[]) => Promise<void>;

/** The command line's grammar: `petl VERB …`. What it makes of the arguments is handed to `start`. */
export function commandLine(verbs: readonly Verb[], version: string, start: Start): Command {
  const program = new Command("petl")
    .description("Parameter-efficient transfer learning: one frozen base model, many small adapters.")
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [VERB]", "print a verb's help")
    .configureOutput({ writeErr: () => undefined }) // its errors are printed with all others
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();
  const inOrder = verbGroups.flatMap((group) => verbs.filter((verb) => verb.group === group));
  for (const verb of inOrder) addVerb(program, verb, start);
  return program;
}

function addVerb(program: Command, verb: Verb, start: Start): void {
  const command = program.command(verb.name).summary(verb.summary).description(verb.summary);
  command.helpGroup(`${verb.group}:`);
  if (verb.operand) command.argument(verb.operand);
  const nameOf = new Map<string, string>();
  const add = (name: string, option: Option) => {
    nameOf.set(option.attributeName(), name);
    command.addOption(option);
  };
  for (const [name, flag] of Object.entries(verb.flags)) {
    const { placeholder, many, initial, group } = flag;
    for (const option of optionsOf(name, helpOf(flag), placeholder, initial === true)) {
      if (group !== undefined) option.helpGroup(`${group}:`);
      add(name, many ? option.argParser(collect) : option.argParser(once(option)));
    }
  }
  const ownsConfig = "config" in verb.flags; // what it calls so is no file of flags
  if (!ownsConfig)
    add("config", new Option("--config <FILE>", "YAML or JSON with flags by name; flags given here go first"));
  for (const { name, help, placeholder, isOn, hidden } of verb.takesMethods ? methodFlags() : []) {
    if (nameOf.has(name) || name in verb.flags) continue;
    for (const option of optionsOf(name, help, placeholder, isOn)) {
      const single = option.argParser(once(option));
      add(name, hidden ? single.hideHelp() : single.helpGroup("Options of methods:"));
    }
  }
  const lines = verb.examples.map((line) => `  petl ${line}`);
  command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
  command.action(async () => {
    const given = Object.entries(command.opts()).flatMap(([attribute, value]) => {
      const name = nameOf.get(attribute);
      return name !== undefined && command.getOptionValueSource(attribute) === "cli" ? [[name, value] as const] : [];
    });
    const all = Object.fromEntries(given);
    if (ownsConfig) return start(verb, all, command.args);
    const { config, ...flags } = all;
    const names = [...nameOf.values()].filter((name) => name !== "config");
    const below = typeof config === "string" ? await readConfigFile(config, names) : {};
    await start(verb, { ...below, ...flags }, command.args);
  });
}

/** A flag with a value, or a switch with its opposite, of which the help shows the one that changes something. */
function optionsOf(name: string, help: string, placeholder: string | undefined, isOn: boolean): readonly Option[] {
  const long = flagName(name);
  if (placeholder !== undefined) return [new Option(`--${long} <${placeholder}>`, help)];
  const [on, off] = [new Option(`--${long}`, help), new Option(`--no-${long}`, `not: ${help}`)];
  return [on.hideHelp(isOn), off.hideHelp(!isOn)];
}

/** A flag that says twice what can only be one is refused: whichever were taken, one would be passed over. */
function once({ long }: Option): (value: string) => string {
  let given: string | undefined;
  return (value) => {
    if (given !== undefined) throw new InputError(`${long} is given twice, ${given} and ${value}; leave one out`);
    given = value;
    return value;
  };
}

const collect = (value: string, before: readonly string[] | undefined) => [...(before ?? []), value];
