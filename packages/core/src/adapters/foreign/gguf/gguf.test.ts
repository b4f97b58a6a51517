import fc from "fast-check";
import { expect, test } from "vitest";
import { distance } from "../../../checkpoints/golden.fake.ts";
import { memorySource } from "../../../containers/folder.ts";
import { ggufBytes, readGguf } from "../../../containers/gguf-file.ts";
import { readFloat32 } from "../../../containers/stored-values.ts";
import { InputError } from "../../../errors.ts";
import { viewsOf } from "../../../peft/phi.ts";
import { float32 } from "../../../tensor/host-tensor.ts";
import { roundTrip } from "../round-trip.fake.ts";
import { gguf } from "./gguf.ts";

for (const name of [
  "llama-lora",
  "mistral-lora",
  "qwen2-lora",
  "gemma2-lora",
  "gemma3_text-lora",
  "phi3-lora",
  "gpt2-lora",
]) {
  test(`${name}: written as GGUF and read again, the adapter gives PEFT's logits`, async () => {
    const { before, after, logits, wanted } = await roundTrip(gguf, name);
    expect(after.adapted.targets).toEqual(before.adapted.targets);
    expect(distance(logits, wanted)).toBeLessThan(1e-4); // float32 sums in another order than torch's
  });
}

test("A keeps its bits, and B is multiplied by the scale, as GGUF has no scale of a layer's own", async () => {
  const { before, after } = await roundTrip(gguf, "qwen2-lora");
  const [ours, theirs] = [before, after].map(({ adapted, phi }) => viewsOf(adapted.layout, phi.values));
  const [name = ""] = Object.keys(ours ?? {});
  expect(theirs?.[name]).toEqual(ours?.[name]);
  expect(after.adapted.methods[0]?.options).toMatchObject({ alpha: after.adapted.methods[0]?.options.rank });
});

test("a head is refused with the way to keep it", async () => {
  await expect(roundTrip(gguf, "llama-text-lora")).rejects.toThrow(
    /GGUF holds LoRA on linear layers alone; this adapter has a head \(score\.weight\).*petl merge/,
  );
});

const valid = ggufBytes(
  [
    ["general.type", "adapter"],
    ["adapter.lora.alpha", 4],
  ],
  [
    ["a", float32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))],
    ["b", float32([1], Float32Array.of(7))],
  ],
);

test("a file's fields, shapes and values are read as they were written", async () => {
  const source = memorySource("m.gguf", valid);
  const { fields, tensors } = await readGguf(source);
  expect(Object.fromEntries(fields)).toEqual({ "general.type": "adapter", "adapter.lora.alpha": 4 });
  const [a, b] = [tensors.get("a"), tensors.get("b")];
  expect([a?.shape, b?.shape]).toEqual([[2, 3], [1]]);
  expect(a && (await readFloat32(source, a))).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  expect(b && (await readFloat32(source, b))).toEqual(Float32Array.of(7));
});

test("2,000 damaged files are read within their bytes or refused by one InputError", async () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  const count = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.nat(valid.length),
      async (changes, length) => {
        const file = valid.slice(0, length % 4 === 0 ? length : valid.length);
        for (const [at, value] of changes) if (file.length > 0) file[at % file.length] = value;
        try {
          for (const { offset, byteLength } of (await readGguf(memorySource("m", file))).tensors.values()) {
            expect(offset + byteLength).toBeLessThanOrEqual(file.length);
          }
          count.read++;
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          count.refused++;
        }
      },
    ),
    { numRuns: 2000 },
  );
  expect(Math.min(count.read, count.refused)).toBeGreaterThan(100); // else the damage is too wild or too mild to tell
});
