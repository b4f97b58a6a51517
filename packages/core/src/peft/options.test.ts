import { expect, test } from "vitest";
import { targetModules } from "./options.ts";

test.each(["q_proj,v_proj", "q_proj, v_proj", " q_proj ,v_proj "])("targets %o are two names", (text) => {
  expect(targetModules("").read(text)).toEqual({
    value: { kind: "names", names: ["q_proj", "v_proj"], required: true },
  });
});

test.each([".*(q|v)_proj", "q_proj v_proj", "(q, v)"])("targets %o are a pattern", (text) => {
  expect(targetModules("").read(text)).toEqual({ value: { kind: "pattern", pattern: text } });
});
