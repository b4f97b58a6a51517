import { expect, test } from "vitest";
import { goldenJson } from "../checkpoints/golden.fake.ts";
import { random } from "../tensor/random.ts";
import { candidates, nextToken } from "./sampling.ts";
import { parseGenerationSettings } from "./settings.ts";

const golden = goldenJson("generation/sampling.json");
const logits = Float32Array.from(golden.logits);
const text: readonly number[] = golden.seen;
const settingsOf = (flags: Readonly<Record<string, number>>) =>
  parseGenerationSettings({
    ...("temperature" in flags && { temperature: flags.temperature }),
    ...("top-k" in flags && { topK: flags["top-k"] }),
    ...("top-p" in flags && { topP: flags["top-p"] }),
    ...("repetition-penalty" in flags && { repetitionPenalty: flags["repetition-penalty"] }),
  });

/** The share of all of each token that may come. */
function sharesOf(seen: readonly number[], settings: ReturnType<typeof settingsOf>): ReadonlyMap<number, number> {
  const { ids, masses } = candidates(logits, seen, settings);
  const sum = masses.reduce((all, mass) => all + mass, 0);
  return new Map(Array.from(masses, (mass, at) => [ids ? ids[at]! : at, mass / sum]));
}

test.each([...golden.settings.entries()])(
  "setting %i: the probabilities are those of transformers' processors",
  (at, flags) => {
    const shares = sharesOf(text, settingsOf(flags));
    const found = Array.from(logits, (_, id) => shares.get(id) ?? 0);
    const wanted: readonly number[] = golden.probabilities[at];
    // transformers computes them in float32
    found.forEach((share, id) => {
      expect(share).toBeCloseTo(wanted[id]!, 6);
    });
    expect(found.map((share) => share > 0)).toEqual(wanted.map((share) => share > 0));
  },
);

test.each([0, 7, logits.length - 1])("a NaN at place %i ends the text, however tokens are chosen", (place) => {
  const broken = logits.with(place, Number.NaN);
  for (const flags of [{}, { temperature: 1 }, { "top-k": 4 }, { "top-p": 0.9 }])
    expect(() => nextToken(broken, text, settingsOf(flags), random(1, "draw"))).toThrow("a logit is NaN");
});

test("tokens are drawn as often as they are likely, and alike for one seed", () => {
  const settings = settingsOf({ "top-k": 4 });
  const shares = sharesOf([], settings);
  const draws = 4000;
  const counts = new Map<number, number>();
  for (let i = 0; i < draws; i++) {
    const id = nextToken(logits, [], settings, random(1, "draw", i));
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([...shares.keys()].sort());
  // five standard deviations of a share of 4000 draws are at most 0.04
  for (const [id, share] of shares) expect(Math.abs((counts.get(id) ?? 0) / draws - share)).toBeLessThan(0.04);
  expect(nextToken(logits, [], settings, random(1, "draw", 7))).toBe(
    nextToken(logits, [], settings, random(1, "draw", 7)),
  );
});

test("without a temperature the likeliest token is taken, the first of several", () => {
  const settings = parseGenerationSettings({});
  expect(nextToken(Float32Array.of(0, 3, 3, 1), [], settings, random(0, "draw"))).toBe(1);
});
