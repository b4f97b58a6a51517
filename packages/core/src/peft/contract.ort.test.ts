import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, sep } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { diskFolder, goldenBase } from "../checkpoints/golden.fake.ts";
import { type HfModel, readBase } from "../checkpoints/hf-model.ts";
import { gathered } from "../containers/chunks.ts";
import { InputError } from "../errors.ts";
import { encodeMerged } from "../exports/merged.ts";
import { firstOutput } from "../graph/operator.ts";
import { Identity } from "../graph/ops/identity.ts";
import { mul } from "../graph/ops/mul.ts";
import { reduceSum } from "../graph/ops/reduce-sum.ts";
import { constant, input, type Value } from "../graph/value.ts";
import { nodesOf } from "../graph/walk.ts";
import { nativeEngine, numbers } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import type { Tensors } from "../runtime/session.ts";
import { float32, int32 } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { type AdaptedModel, adapt } from "./adapt.ts";
import { contractCases, type Lengths } from "./contract-cases.fake.ts";
import type { Goal } from "./goal.ts";
import { initialPhi } from "./initial-phi.ts";
import { head } from "./methods/head.ts";
import { ia3 } from "./methods/ia3.ts";
import { dora } from "./methods/lora/dora.ts";
import { lora } from "./methods/lora/lora.ts";
import { vera } from "./methods/vera.ts";
import { methods } from "./methods.ts";
import { type Phi, tensorsOf } from "./phi.ts";

const goal: Goal = { task: "classification", labels: 3 };
const stream = random(7, "contract");
const texts = [3, 2, 9, 6].map((length) => Array.from({ length }, () => 2 + stream.integer(90)));

/** Texts padded on the right. */
function batchOf(rows: readonly (readonly number[])[], width: number, padId: number): Tensors {
  const tensor = (padded: (row: readonly number[]) => readonly number[]) =>
    int32([rows.length, width], Int32Array.from(rows.flatMap((row) => padded(row))));
  const behind = (row: readonly number[], fill: number) => Array.from({ length: width - row.length }, () => fill);
  return {
    input_ids: tensor((row) => [...row, ...behind(row, padId)]),
    attention_mask: tensor((row) => [...row.map(() => 1), ...behind(row, 0)]),
    token_type_ids: tensor((row) => [...row.map(() => 0), ...behind(row, 0)]),
  };
}

/** Runs a graph over a checkpoint's files on some feeds, one after the other. */
async function runAll(path: string, outputs: Readonly<Record<string, Value>>, fed: readonly Tensors[]) {
  const program = await compile(nativeEngine(path), outputs);
  const results: Tensors[] = [];
  for (const tensors of fed) results.push(await program.run(tensors));
  await program.release();
  return results;
}

/** The logits under some Φ and batches. */
async function logitsOf(adapted: AdaptedModel, path: string, runs: readonly (readonly [Phi, Tensors])[]) {
  const { logits } = adapted.forward();
  const fed = runs.map(([phi, batch]) => ({ ...tensorsOf(phi), ...batch }));
  return (await runAll(path, { logits }, fed)).map((found) => numbers(found.logits!));
}

/** Φ away from where it starts, so that nothing is zero or one by chance. */
async function moved(adapted: AdaptedModel): Promise<Phi> {
  const start = await initialPhi(adapted, 3);
  const noise = random(8, "moved");
  return { ...start, values: start.values.map((value) => value + 0.05 * noise.normal()) };
}

/** What the formulas of the papers are written in, read off the checkpoint. */
function lengthsOf({ model, tensors = new Map() }: HfModel): Lengths {
  const shapes = (ending: RegExp) => [...tensors].flatMap(([name, { shape }]) => (ending.test(name) ? [shape] : []));
  const [down = []] = shapes(/layers?\.0\.(output\.dense|ffn\.lin2|mlp\.down_proj)\.weight$|h\.0\.mlp\.c_fc\.bias$/);
  const tables = shapes(/_embeddings\.weight$|embed_tokens\.weight$|w[tp]e\.weight$/);
  return {
    modelType: model.modelType,
    layers: model.sizes.layers,
    hidden: model.sizes.hidden,
    queries: model.sizes.heads * model.sizes.headSize,
    keys: model.sizes.keyValueHeads * model.sizes.headSize,
    feedForward: down.at(-1) ?? 0,
    embeddings: tables.reduce((sum, [rows = 0]) => sum + rows, 0),
  };
}

/** Σ over tokens and classes of a weight of the class times its logit. */
const lossOf = (logits: Value): Value =>
  reduceSum(mul(logits, constant(float32([1, 5], Float32Array.of(0.7, -1.1, 0.4, -0.2, 0.5)))), [0, 1, 2]);

/**
 * The same loss with every detached value fed instead of computed, and these values: DoRA's gradient takes its norms as
 * given, so that central differences must hold them too.
 */
function held(loss: Value): { readonly loss: Value; readonly values: Readonly<Record<string, Value>> } {
  const rebuilt = new Map<Value, Value>();
  const values: Record<string, Value> = {};
  for (const node of nodesOf([loss])) {
    const output = firstOutput(node);
    const inputs = node.inputs.map((value) => rebuilt.get(value) ?? value);
    if (node.operator === Identity) {
      const name = `held ${Object.keys(values).length}`;
      values[name] = output;
      rebuilt.set(output, input(name, output.dtype, output.shape));
    } else if (inputs.some((value, i) => value !== node.inputs[i])) {
      rebuilt.set(output, firstOutput(node.operator.apply(inputs, node.attributes)));
    }
  }
  return { loss: rebuilt.get(loss) ?? loss, values };
}

/**
 * A direction of length 1 with a part along the gradient and a part by chance, in which any wrong component shows; the
 * parts differ in length, so that they never cancel where there is one component only.
 */
function directionOf(gradient: readonly number[], chance: () => number): readonly number[] {
  const unit = (part: readonly number[]) => {
    const length = Math.hypot(...part) || 1;
    return part.map((x) => x / length);
  };
  const [along, byChance] = [unit(gradient), unit(gradient.map(chance))];
  return unit(along.map((x, i) => x + 0.75 * byChance[i]!));
}

/** The slope of the loss at four steps -2h, -h, h and 2h: its error is of order h⁴ (Richardson). */
const steps = [-2, -1, 1, 2].map((times) => times * 8e-3);
const slopeOf = ([a = 0, b = 0, c = 0, d = 0]: readonly number[]) => (8 * (c - b) - (d - a)) / (12 * 8e-3);

const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
const distance = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

test("the list of methods is what the folder peft/methods declares, and the contract tries every one", () => {
  const folder = new URL("./methods/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const declaring = files.filter((file) => /= defineMethod\(/.test(readFileSync(new URL(file, folder), "utf8")));
  const names = methods.map(({ name }) => name);
  expect([...names].sort()).toEqual(declaring.map((file) => basename(file, ".ts")).sort());
  expect(files.filter((file) => !file.includes(sep)).sort()).toEqual(
    declaring.filter((file) => !file.includes(sep)).sort(),
  );
  const tried = new Set(contractCases.flatMap((entry) => entry.methods.map(({ name }) => name)));
  expect([...tried].sort()).toEqual([...names].sort());
});

/** Every encoder, and of the decoders one of each kind: plain, one projection for three, a norm of each head, GPT-2. */
const architecturesTried = ["bert", "roberta", "distilbert", "llama", "phi3", "qwen3", "gpt2"];

describe.each(architecturesTried)("%s", (modelType) => {
  let [base, path, folder]: [HfModel | undefined, string, string] = [undefined, "", ""];
  let [digest, reference]: [string, readonly number[]] = ["", []];
  const opened = () => base ?? expect.unreachable();
  const batch = () => batchOf(texts, 9, opened().model.sizes.padId);

  beforeAll(async () => {
    ({ base, path } = await goldenBase(`${modelType}-sequence-classification`));
    folder = mkdtempSync(join(tmpdir(), "petl-contract-"));
    digest = sha256(`${path}/model.safetensors`);
    const plain = adapt(base, [head.use({})], goal);
    [reference = []] = await logitsOf(plain, path, [[await initialPhi(plain, 3), batch()]]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const impossible = contractCases.filter(({ refused }) => refused?.[modelType] !== undefined);
  test.each(impossible)("$title has nothing to do on it, and says so", ({ methods: uses, refused }) => {
    const reason = `${modelType}: ${refused?.[modelType]}`;
    expect(() => adapt(opened(), uses, goal), reason).toThrow(/finds nothing to (train|act on)/);
  });

  describe.each(contractCases.filter((entry) => !impossible.includes(entry)))("$title", (entry) => {
    const adapted = () => adapt(opened(), entry.methods, goal);
    const starts = entry.methods.map(({ start }) => start);
    const differs = starts.flatMap((start) => (start === "base" ? [] : [start.differs]));

    /** Logits at the start, then with Φ moved: of the batch, wider, in another order, and of two texts only. */
    let runs: readonly (readonly number[])[] = [];
    beforeAll(async () => {
      const model = adapted();
      const [start, phi] = [await initialPhi(model, 3), await moved(model)];
      const { padId } = opened().model.sizes;
      const other = [
        batchOf(texts, 17, padId),
        batchOf([...texts].reverse(), 9, padId),
        batchOf(texts.slice(0, 2), 3, padId),
      ];
      runs = await logitsOf(model, path, [
        [start, batch()],
        [phi, batch()],
        ...other.map((each) => [phi, each] as const),
      ]);
    });

    test(differs.length > 0 ? `does not start as the base: ${differs}` : "starts as the base", () => {
      const [logits = []] = runs;
      if (differs.length > 0) expect(distance(logits, reference)).toBeGreaterThan(1e-3);
      else if (entry.startsWithin) expect(distance(logits, reference)).toBeLessThan(entry.startsWithin);
      else expect(logits).toEqual(reference);
    });

    test("trains its own parameters, as many as its formula says, and of the base what it says", () => {
      const { layout, modelTensors } = adapted();
      const unfreezes = entry.unfreezes?.(lengthsOf(opened()));
      const ofModel = new Set(modelTensors.map(({ name }) => name));
      const names = entry.methods.map(({ name }) => name);
      for (const { name, part, method } of layout) {
        if (part !== "head") expect(names).toContain(method);
        expect(ofModel.has(name)).toBe(part !== "adapter");
      }
      const unfrozen = modelTensors.filter(({ name, head: isHead }) => !isHead && unfreezes?.test(name));
      const inBase = layout.filter(({ part }) => part === "base").map(({ name }) => name);
      expect([...inBase].sort()).toEqual(unfrozen.map(({ name }) => name).sort());
      const count = layout.filter(({ part }) => part !== "head").reduce((sum, { size }) => sum + size, 0);
      expect(count).toBe(entry.count(lengthsOf(opened())));
    });

    // float32: the loss is about 10, known to 1e-5, over a step of 8e-3; and h⁴ times fifth derivatives
    test("its gradients agree with central differences", async () => {
      const forTokens = adapt(opened(), entry.methods, { task: "token-classification", labels: 5 });
      const phi = await moved(forTokens);
      const { logits, phi: trained } = forTokens.forward();
      const loss = lossOf(logits);
      const fixed = held(loss);
      const found = gradients(loss, trained).map((gradient, i) => [`gradient ${i}`, gradient] as const);
      const fed = { ...tensorsOf(phi), ...batchOf(texts.slice(1), 9, opened().model.sizes.padId) };
      const [computed = {}] = await runAll(path, { ...fixed.values, ...Object.fromEntries(found) }, [fed]);
      const { normal } = random(9, "directions");
      const moves = forTokens.layout.map(({ name, shape, offset, size }, i) => {
        const gradient = numbers(computed[`gradient ${i}`]!);
        expect(gradient.length).toBe(size);
        const direction = directionOf(gradient, normal);
        const at = (step: number) => direction.map((u, k) => phi.values[offset + k]! + step * u);
        return {
          name,
          length: Math.hypot(...gradient),
          slope: direction.reduce((sum, u, k) => sum + u * gradient[k]!, 0),
          feeds: steps.map((step) => ({ ...fed, ...computed, [name]: float32(shape, Float32Array.from(at(step))) })),
        };
      });
      const losses = await runAll(
        path,
        { loss: fixed.loss },
        moves.flatMap(({ feeds }) => feeds),
      );
      for (const [i, { name, slope, length }] of moves.entries()) {
        const values = losses.slice(4 * i, 4 * i + 4).map((each) => numbers(each.loss!)[0]!);
        expect(Math.abs(slopeOf(values) - slope) / Math.max(1, length), name).toBeLessThan(3e-3);
      }
    });

    test(entry.merges ? "merged, it computes what it computes unmerged" : "cannot be merged, and says so", async () => {
      const model = adapted();
      if (!entry.merges) {
        expect(() => model.merged()).toThrow(InputError);
        expect(() => model.merged()).toThrow("cannot be merged");
        return;
      }
      const phi = await moved(model);
      const [, unmerged = []] = runs;
      const files = await encodeMerged(opened(), { adapted: model, phi }, nativeEngine(path));
      writeFileSync(join(folder, "config.json"), files["config.json"]);
      writeFileSync(join(folder, "model.safetensors"), await gathered(files["model.safetensors"]));
      const merged = adapt(await readBase(diskFolder(folder)), [head.use({})], goal);
      const [alone = []] = await logitsOf(merged, folder, [[await initialPhi(merged, 3), batch()]]);
      expect(distance(alone, unmerged)).toBeLessThan(1e-5); // x (W + BA) and x W + x B A round differently
      expect(distance(alone, reference)).toBeGreaterThan(1e-2); // Φ was moved, so the law is not empty
    });

    test("a text's logits depend on no other text and on no padding", () => {
      const [, all = [], wide, reversed = [], two] = runs;
      expect(wide).toEqual(all);
      expect([3, 2, 1, 0].flatMap((row) => reversed.slice(3 * row, 3 * row + 3))).toEqual(all);
      expect(two).toEqual(all.slice(0, 6));
    });
  });

  test("all this leaves every byte of the base as it was", () => {
    expect(sha256(`${path}/model.safetensors`)).toBe(digest);
  });
});

/**
 * Each round begins and ends with the same bytes on the disk, and nothing else is carried from one to the next, so that what
 * holds for three of them holds for any number.
 */
test.each([lora, dora, vera, ia3])(
  "a base on the disk into which $name is merged, and which is put back, merges to the same bytes again",
  async (method) => {
    const { path } = await goldenBase("bert-sequence-classification");
    const place = mkdtempSync(join(tmpdir(), "petl-merged-"));
    const [snapshot, weights] = [path, place].map((each) => join(each, "model.safetensors"));
    copyFileSync(join(path, "config.json"), join(place, "config.json"));
    // a file of a new name, since the old one may still be mapped
    const replace = (bytes: Uint8Array) => {
      writeFileSync(`${weights}.new`, bytes);
      renameSync(`${weights}.new`, weights!);
    };
    const merged = new Set<string>();
    for (let round = 0; round < 3; round++) {
      replace(readFileSync(snapshot!));
      const base = await readBase(diskFolder(place));
      const adapted = adapt(base, [method.use({})], goal);
      const files = await encodeMerged(base, { adapted, phi: await moved(adapted) }, nativeEngine(place));
      const bytes = await gathered(files["model.safetensors"]);
      expect(sha256(weights!), "the base that was put back").toBe(sha256(snapshot!));
      replace(bytes);
      merged.add(sha256(weights!));
    }
    rmSync(place, { recursive: true });
    expect(merged.size).toBe(1);
    expect(merged).not.toContain(sha256(snapshot!));
  },
);
