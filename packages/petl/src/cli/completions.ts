import { InputError, methods, suggestion } from "@petl/core";
import { bundledBases } from "../bundled/bundled-bases.ts";
import { flagName } from "../flags/flags.ts";
import { methodFlags } from "../flags/method-flags.ts";
import { type CompletedVerb, shells } from "./completion-scripts.ts";
import { defineVerb, type Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

export const completionsVerb = defineVerb({
  name: "completions",
  group: "Look around",
  summary: "print what makes a shell complete verbs, flags and their values",
  operand: "<bash|zsh|fish>",
  operandNames: shells.map(({ name }) => name),
  flags: {},
  examples: [
    "completions bash > ~/.local/share/bash-completion/completions/petl",
    "completions zsh > ~/.zfunc/_petl",
    "completions fish > ~/.config/fish/completions/petl.fish",
  ],
  async run({ operands: [shell = "", ...others], json }, { print }) {
    const script = shells.find(({ name }) => name === shell)?.script;
    const known = shells.map(({ name }) => name);
    if (!script || others.length > 0)
      throw new InputError(
        `completions are for one shell, and not ${[shell, ...others].join(" ")}${suggestion(shell, known)}; shells: ${known.join(", ")}`,
      );
    const loaded = await Promise.all(verbs.map(({ load }) => load()));
    const bases = await bundledBases();
    const text = script(loaded.map((verb) => completed(verb, bases)));
    await print(json ? JSON.stringify({ shell, script: text }) : text);
  },
});

/** A verb with its visible flags and the values that they have. */
function completed(
  { name, summary, flags, takesMethods, operandNames = [] }: Verb,
  bases: readonly string[],
): CompletedVerb {
  const own = Object.entries(flags).map(([flag, { help, placeholder, initial, values }]) => ({
    flag: `--${placeholder === undefined && initial === true ? "no-" : ""}${flagName(flag)}`,
    help,
    takesValue: placeholder !== undefined,
    values: (flag === "method" ? methods.map((method) => method.name) : flag === "base" ? bases : values) ?? [],
    takesFiles: flag === "base",
  }));
  const ofMethods = (takesMethods ? methodFlags() : []).filter((each) => !each.hidden && !(each.name in flags));
  return {
    name,
    summary,
    operands: operandNames,
    flags: [
      ...own,
      ...("config" in flags
        ? []
        : [{ flag: "--config", help: "flags by name, in a file", takesValue: true, values: [] }]),
      ...ofMethods.map(({ name: option, help, placeholder, isOn }) => ({
        flag: `--${isOn ? "no-" : ""}${flagName(option)}`,
        help,
        takesValue: placeholder !== undefined,
        values: [],
      })),
    ],
  };
}
