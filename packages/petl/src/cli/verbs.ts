import { basesVerb } from "./bases.ts";
import { methodsVerb } from "./methods.ts";
import type { Verb } from "./verb.ts";

/** Every verb: one file in cli, one line here. */
export const verbs: readonly Verb[] = [methodsVerb, basesVerb];
