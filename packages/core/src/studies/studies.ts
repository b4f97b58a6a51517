import { compare } from "./compare.ts";
import type { Study } from "./study.ts";

/** Every study: one file here, one line in this list. */
export const studies: readonly Study[] = [compare];
