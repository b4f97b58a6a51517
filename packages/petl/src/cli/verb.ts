import { type Flags, type FlagValues, parseFlags, toggle } from "../flags/flags.ts";
import type { Terminal } from "./terminal.ts";

/** What the command line lends to a verb. */
export interface Context {
  /** A line of data on stdout; wait for it, so that a slow reader is not outrun. */
  print(line: string): Promise<void>;
  /** A piece of a line. */
  write(piece: string): Promise<void>;
  /** Progress and remarks, on stderr. */
  readonly terminal: Terminal;
  /** A sentence of the library, in which settings of the verb become its flags; terminal and errors do so by themselves. */
  inFlags(sentence: string): string;
  /** Aborted by Ctrl-C; the verb then ends as soon as it can, with an AbortError where its work is not done. */
  readonly signal: AbortSignal;
}

/** What a verb is told. */
export interface Call<F extends Flags> {
  readonly flags: FlagValues<F>;
  /** whether stdout is to hold one JSON document */
  readonly json: boolean;
  /** what stands behind the verb without a flag */
  readonly operands: readonly string[];
  /** options of methods as they were given, by name; empty where the verb takes none */
  readonly methodOptions: Readonly<Record<string, unknown>>;
}

/** A signal that asks a process to end. */
type EndingSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** The headings of lists of verbs, in their order. */
export const verbGroups = [
  "Begin",
  "Train",
  "Ask and measure",
  "Write in other forms",
  "Serve",
  "Study",
  "Look around",
] as const;
type VerbGroup = (typeof verbGroups)[number];

interface Description<F extends Flags> {
  readonly name: string;
  /** under which heading lists of verbs show it */
  readonly group: VerbGroup;
  /** one line for lists and help */
  readonly summary: string;
  /** the form of what stands behind the verb without a flag: `<BASE|ADAPTER>` */
  readonly operand?: string;
  /** the names that the operand may have, where it is one of a few */
  readonly operandNames?: readonly string[];
  readonly flags: F;
  /** signals that the verb itself ends at; of the others each ends it as Ctrl-C does */
  readonly ownSignals?: readonly EndingSignal[];
  /** whether the methods' options are flags too */
  readonly takesMethods?: boolean;
  /** settings of the library that have another name among its flags, which may mean something else by theirs */
  readonly otherNames?: Readonly<Record<string, string>>;
  /** command lines for the help, without `petl` */
  readonly examples: readonly string[];
}

interface VerbRule<F extends Flags> extends Description<F> {
  run(call: Call<F>, context: Context): Promise<void>;
}

/** A verb as lists hold it, whatever its flags. */
export interface Verb extends Description<Flags> {
  /** Checks the given flags and does the work. */
  start(given: Readonly<Record<string, unknown>>, operands: readonly string[], context: Context): Promise<void>;
}

const common = { json: toggle(false, "one JSON document on stdout") };

/** Declares a verb: one file in cli, one line in cli/verbs.ts. */
export function defineVerb<const F extends Flags>({ run, ...described }: VerbRule<F>): Verb {
  return {
    ...described,
    flags: { ...described.flags, ...common },
    start(given, operands, context) {
      const own = parseFlags(described.flags, given);
      const { values, rest } = parseFlags(common, own.rest);
      return run({ flags: own.values, json: values.json, operands, methodOptions: rest }, context);
    },
  };
}
