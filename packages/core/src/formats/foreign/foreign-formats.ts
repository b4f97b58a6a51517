import type { ForeignFormat } from "./foreign-format.ts";
import { loralib } from "./loralib.ts";

/** Every layout of other programs: one file or folder beside this one, one line here. */
export const foreignFormats: readonly ForeignFormat[] = [loralib];
