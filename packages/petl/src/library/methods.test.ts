import { bottleneck, InputError, lora, methods, topLayers } from "@petl/core";
import { expect, test } from "vitest";
import * as functions from "../../../core/src/library/methods.ts";
import * as library from "../index.ts";

test("every method has its function, in the package's public names too, with the declaration's defaults", () => {
  const made = Object.values(functions).map((make) => make());
  expect(made.map(({ name }) => name).sort()).toEqual(methods.map(({ name }) => name).sort());
  for (const { name, options } of made) {
    expect(options).toEqual(methods.find((method) => method.name === name)?.use({}).options);
  }
  expect(Object.keys(library)).toEqual(expect.arrayContaining(Object.keys(functions)));
});

test("options are typed by the declaration, and checked when the types are passed over", () => {
  expect(lora({ rank: 2, targets: ["query"], layers: "top:1" }).options).toMatchObject({
    rank: 2,
    layers: { end: "top", count: 1 },
  });
  // @ts-expect-error rank is a number
  expect(() => lora({ rank: "many" })).toThrow(InputError);
  // @ts-expect-error no method has this option
  expect(() => topLayers({ counts: 2 })).toThrow('did you mean "count"');
  // @ts-expect-error a choice has its names
  expect(() => bottleneck({ placement: "somewhere" })).toThrow("placement");
});
