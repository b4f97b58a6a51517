/** A flag as a shell completes it. */
interface CompletedFlag {
  /** with its dashes */
  readonly flag: string;
  readonly help: string;
  readonly takesValue: boolean;
  /** the values that it may have; a file's name where there are none */
  readonly values: readonly string[];
  /** whether a file may stand in place of these values */
  readonly takesFiles?: boolean;
}

/** A verb as a shell completes it. */
export interface CompletedVerb {
  readonly name: string;
  readonly summary: string;
  /** what may stand behind it without a flag; a file's name where there are none */
  readonly operands: readonly string[];
  readonly flags: readonly CompletedFlag[];
}

/** The shells, each with what it runs to complete a command line. */
export const shells: readonly {
  readonly name: string;
  readonly script: (verbs: readonly CompletedVerb[]) => string;
}[] = [
  { name: "bash", script: bashScript },
  { name: "zsh", script: zshScript },
  { name: "fish", script: fishScript },
];

const namesOf = (verbs: readonly CompletedVerb[]): string => verbs.map(({ name }) => name).join(" ");

/** The verbs that names may stand behind, `help` among them. */
const namedOperands = (verbs: readonly CompletedVerb[]) =>
  [...verbs, { name: "help", operands: verbs.map(({ name }) => name) }].filter(({ operands }) => operands.length > 0);

/** The lines of a case statement: what a verb's flag may be followed by. */
const valueCases = (
  verbs: readonly CompletedVerb[],
  line: (pattern: string, words: string, takesFiles: boolean) => string,
): string =>
  verbs
    .flatMap(({ name, flags }) =>
      flags
        .filter(({ values }) => values.length > 0)
        .map(({ flag, values, takesFiles = false }) => line(`"${name} ${flag}"`, values.join(" "), takesFiles)),
    )
    .join("\n");

const fileFlags = (flags: readonly CompletedFlag[]): readonly string[] =>
  flags.filter(({ takesValue, values }) => takesValue && values.length === 0).map(({ flag }) => flag);

function bashScript(verbs: readonly CompletedVerb[]): string {
  const flagCases = verbs.map(
    ({ name, flags }) => `    ${name})\n      words="${flags.map(({ flag }) => flag).join(" ")} --help" ;;`,
  );
  const fileCases = verbs
    .filter(({ flags }) => fileFlags(flags).length > 0)
    .map(
      ({ name, flags }) =>
        `    ${fileFlags(flags)
          .map((flag) => `"${name} ${flag}"`)
          .join("|")}) return ;;`,
    );
  return `# bash completion of petl; a flag that takes a file is left to bash itself
_petl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" verb="\${COMP_WORDS[1]}" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${namesOf(verbs)} help --help --version" -- "$current"))
    return
  fi
  case "$verb $previous" in
${valueCases(verbs, (pattern, words) => `    ${pattern}) COMPREPLY=($(compgen -W "${words}" -- "$current")); return ;;`)}
${fileCases.join("\n")}
  esac
  if [ "$COMP_CWORD" -eq 2 ]; then
    case "$verb" in
${namedOperands(verbs)
  .map(({ name, operands }) => `    ${name}) words="${operands.join(" ")}" ;;`)
  .join("\n")}
    esac
  fi
  case "$current" in -*) ;; *) COMPREPLY=($(compgen -W "$words" -- "$current")); return ;; esac
  case "$verb" in
${flagCases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _petl petl`;
}

/** A text within single quotes of zsh and fish, without what _describe takes for a separator. */
const described = (text: string): string => text.replaceAll("'", "’").replaceAll("\\", "").replaceAll(":", " –");

function zshScript(verbs: readonly CompletedVerb[]): string {
  const lines = verbs.map(({ name, summary }) => `    '${name}:${described(summary)}'`);
  const flagCases = verbs.map(
    ({ name, flags }) =>
      `    ${name}) flags=(\n${flags.map(({ flag, help }) => `      '${flag}:${described(help)}'`).join("\n")}\n    ) ;;`,
  );
  return `#compdef petl
_petl() {
  local -a verbs flags
  verbs=(
${lines.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe 'verb' verbs
    return
  fi
  case "$words[2] $words[CURRENT-1]" in
${valueCases(verbs, (pattern, words, takesFiles) => `    ${pattern}) compadd -- ${words}${takesFiles ? "; _files" : ""}; return ;;`)}
  esac
  if [[ "$words[CURRENT]" != -* ]]; then
    if (( CURRENT == 3 )); then
      case "$words[2]" in
${namedOperands(verbs)
  .map(({ name, operands }) => `        ${name}) compadd -- ${operands.join(" ")}; return ;;`)
  .join("\n")}
      esac
    fi
    _files
    return
  fi
  case "$words[2]" in
${flagCases.join("\n")}
  esac
  _describe 'flag' flags
}
if [ "$funcstack[1]" = "_petl" ]; then _petl "$@"; else compdef _petl petl; fi`;
}

function fishScript(verbs: readonly CompletedVerb[]): string {
  const lines = verbs.flatMap(({ name, summary, flags }) => [
    `complete -c petl -n __fish_use_subcommand -f -a ${name} -d '${described(summary)}'`,
    ...flags.map(({ flag, help, takesValue, values, takesFiles }) => {
      const alone = takesFiles ? "-r" : "-x";
      const value = values.length > 0 ? ` ${alone} -a '${values.join(" ")}'` : takesValue ? " -r" : "";
      return `complete -c petl -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}${value} -d '${described(help)}'`;
    }),
  ]);
  const operands = namedOperands(verbs).map(
    ({ name, operands: names }) =>
      `complete -c petl -n '__fish_seen_subcommand_from ${name}' -f -a '${names.join(" ")}'`,
  );
  return [
    "# fish completion of petl",
    "complete -c petl -n __fish_use_subcommand -f -a help -d 'what a verb takes'",
    ...lines,
    ...operands,
  ].join("\n");
}
