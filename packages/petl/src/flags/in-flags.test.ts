import { expect, test } from "vitest";
import { inFlags } from "./in-flags.ts";

test("the library's names of settings become flags of the verb; other words in backquotes stay", () => {
  const flags = ["maxLength", "header", "encoding", "textColumn"];
  const flagOf = (name: string) => (name === "text" ? "textColumn" : flags.find((flag) => flag === name));
  const said = 'cut (`maxLength`); say `header: false` or `encoding: "latin1"`, name `text`; "`q`", `petl methods`';
  expect(inFlags(said, flagOf)).toBe(
    'cut (--max-length); say --no-header or --encoding latin1, name --text-column; "`q`", `petl methods`',
  );
  expect(inFlags('say `encoding: ";"`', flagOf)).toBe('say --encoding ";"'); // a shell would end there
});
