import { flagName } from "./flags.ts";

/**
 * A sentence of the library for the command line: `lr` becomes --lr, `header: false` --no-header, `sheet: "a b"` --sheet "a b"
 * and `encoding: "latin1"` --encoding latin1. What stands in backquotes and names no flag stays as it is.
 */
export const inFlags = (sentence: string, flagOf: (setting: string) => string | undefined): string =>
  sentence.replace(/`([a-z]\w*)(?:: ("[^"`]*"|[\w.-]+))?`/g, (whole, setting: string, value: string | undefined) => {
    const name = flagOf(setting);
    if (name === undefined) return whole;
    if (value === "false") return `--no-${flagName(name)}`;
    return value === undefined || value === "true"
      ? `--${flagName(name)}`
      : `--${flagName(name)} ${value.replace(/^"([\w.-]+)"$/, "$1")}`;
  });
