import { basesVerb } from "./bases.ts";
import { logitsVerb } from "./logits.ts";
import { methodsVerb } from "./methods.ts";
import type { Verb } from "./verb.ts";

/** Every verb: one file in cli, one line here. */
export const verbs: readonly Verb[] = [logitsVerb, methodsVerb, basesVerb];
