import fc from "fast-check";
import { expect, test } from "vitest";
import { advance, type Beam, begunBeams, type SearchRules } from "./beams.ts";

const vocabulary = 3;
const end = 0;
const most = 4;
const rules: SearchRules = {
  beams: 1,
  lengthPenalty: 1,
  earlyStopping: "never",
  most,
  endings: 1,
  ends: (ids) => ids.at(-1) === end || ids.length === most,
};

/** A model: log-probabilities behind every text of so few tokens. */
type Model = (ids: readonly number[]) => Float32Array;
const models = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 243, maxLength: 243 }).map((weights): Model => {
  return (ids) => {
    const place = ids.reduce((number, id) => number * vocabulary + id + 1, 0) * vocabulary;
    const row = Array.from({ length: vocabulary }, (_, id) => weights[(place + id) % weights.length] ?? 1);
    const sum = row.reduce((all, each) => all + each);
    return Float32Array.from(row, (each) => Math.log(each / sum));
  };
});

function searched(model: Model, more: Partial<SearchRules>): Beam | undefined {
  let beams = begunBeams;
  while (!beams.done) {
    const scores = beams.running.map(({ ids }) => model(ids));
    beams = advance(beams, scores, { ...rules, ...more });
  }
  return beams.ended[0];
}

/** Every text that the model can write, with its score. */
function allTexts(model: Model, ids: readonly number[] = [], score = 0): readonly Omit<Beam, "from">[] {
  if (ids.length > 0 && rules.ends(ids)) return [{ ids, score }];
  return Array.from(model(ids)).flatMap((more, id) => allTexts(model, [...ids, id], score + more));
}

const valued = ({ score, ids }: Omit<Beam, "from">, penalty: number) => score / ids.length ** penalty;

test("with as many beams as there are texts, the best of all is found, so that it is worth no less than the greedy one", () => {
  fc.assert(
    fc.property(models, fc.constantFrom(-1, 0, 0.7, 1, 2), (model, lengthPenalty) => {
      const found = searched(model, { beams: vocabulary ** most, lengthPenalty });
      const best = Math.max(...allTexts(model).map((text) => valued(text, lengthPenalty)));
      expect(found && valued(found, lengthPenalty)).toBe(best);
    }),
  );
});

test("a single beam is greedy where no token ends a text", () => {
  fc.assert(
    fc.property(models, (model) => {
      const found = searched(model, { endings: 0, ends: (ids) => ids.length === most });
      const greedy: number[] = [];
      while (greedy.length < most) {
        const scores = model(greedy);
        greedy.push(scores.indexOf(Math.max(...scores)));
      }
      expect(found?.ids).toEqual(greedy);
    }),
  );
});

test("a search that stops early never finds a better text than one that doesn't", () => {
  fc.assert(
    fc.property(models, fc.integer({ min: 2, max: 6 }), fc.constantFrom(0, 1, 2), (model, beams, lengthPenalty) => {
      const [early, usual, never] = ([true, false, "never"] as const).map((earlyStopping) => {
        const found = searched(model, { beams, lengthPenalty, earlyStopping });
        return found ? valued(found, lengthPenalty) : Number.NaN;
      });
      expect(early).toBeLessThanOrEqual(usual ?? Number.NaN);
      expect(usual).toBeLessThanOrEqual(never ?? Number.NaN);
    }),
  );
});

test("where no token may follow, a text ends as it is", () => {
  const nothing = Float32Array.from({ length: vocabulary }, () => Number.NEGATIVE_INFINITY);
  const found = searched((ids) => (ids.length < 2 ? Float32Array.of(-9, -1, -2) : nothing), { beams: 2 });
  expect(found?.ids).toEqual([1, 1]);
});
