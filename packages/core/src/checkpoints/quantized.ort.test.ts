import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { gathered } from "../containers/chunks.ts";
import { InputError } from "../errors.ts";
import { encodeMerged } from "../exports/merged.ts";
import { MatMulNBits } from "../graph/ops/mat-mul-n-bits.ts";
import { mul } from "../graph/ops/mul.ts";
import { reduceSum } from "../graph/ops/reduce-sum.ts";
import { Transpose } from "../graph/ops/transpose.ts";
import { nodesOf } from "../graph/walk.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import { contractCases } from "../peft/contract-cases.fake.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import type { MethodUse } from "../peft/method.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import { nativeEngine, numbers } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import type { BlockFormat } from "../tensor/block-format.ts";
import { dequantizeBlocks, quantizeBlocks } from "../tensor/block-quantization.ts";
import { int32 } from "../tensor/host-tensor.ts";
import { isQuantized } from "../tensor/quantized-tensor.ts";
import { random } from "../tensor/random.ts";
import { transposedValues } from "../tensor/transposed-values.ts";
import { encodeQuantized } from "./encode-quantized.ts";
import { diskFolder, distance, goldenBase, logitsOf } from "./golden.fake.ts";
import { type HfModel, readBase } from "./hf-model.ts";

const goal = { task: "classification", labels: 3 } as const;

/** A golden model in blocks, and the ordinary checkpoint of its dequantised weights. */
interface Pair {
  readonly original: HfModel;
  readonly quantized: HfModel;
  readonly dense: HfModel;
  /** the two folders */
  readonly paths: { readonly quantized: string; readonly dense: string };
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

async function written(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "petl-quantized-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

async function filesOf(base: HfModel, format: BlockFormat): Promise<Record<string, string | Uint8Array>> {
  const { weights, config } = encodeQuantized(base, format);
  return { "model.safetensors": await gathered(weights), "config.json": (await config()).text };
}

async function pairOf(name: string, format: BlockFormat): Promise<Pair> {
  const { base: original } = await goldenBase(name);
  const quantizedPath = await written(await filesOf(original, format));
  const quantized = await readBase(diskFolder(quantizedPath));
  const bare = adapt(quantized, [], { ...goal, trainsHead: false });
  const merged = await encodeMerged(
    quantized,
    { adapted: bare, phi: await initialPhi(bare, 0) },
    nativeEngine(quantizedPath),
  );
  const densePath = await written({
    "config.json": merged["config.json"],
    "model.safetensors": await gathered(merged["model.safetensors"]),
  });
  return {
    original,
    quantized,
    dense: await readBase(diskFolder(densePath)),
    paths: { quantized: quantizedPath, dense: densePath },
  };
}

/**
 * An encoder with every method in 4 bits; decoders in both, and in 8 with what differs: there nothing but dequantising.
 * GPT-2 keeps its matrices as [in, out].
 */
const cases: readonly (readonly [model: string, format: BlockFormat, titles: RegExp])[] = [
  ["bert-sequence-classification", { bits: 4, blockSize: 16 }, /./],
  ["llama-sequence-classification", { bits: 4, blockSize: 16 }, /./],
  ["llama-sequence-classification", { bits: 8, blockSize: 32 }, /^(lora|dora|ia3|prefix)$/],
  ["gpt2-sequence-classification", { bits: 4, blockSize: 16 }, /./],
  ["gpt2-sequence-classification", { bits: 8, blockSize: 16 }, /^(lora|dora|ia3|prefix)$/],
];

/** Methods that train the matrices of the stack. */
const thaws = ({ title }: { readonly title: string }) => ["full", "subspace", "top-layers"].includes(title);

const batch = {
  input_ids: int32([2, 6], Int32Array.of(5, 9, 31, 17, 2, 8, 11, 3, 29, 4, 0, 0)),
  attention_mask: int32([2, 6], Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0)),
  token_type_ids: int32([2, 6], new Int32Array(12)),
};

async function drawn(base: HfModel, methods: readonly MethodUse[]): Promise<{ adapted: AdaptedModel; phi: Phi }> {
  const adapted = adapt(base, methods, goal);
  const phi = await initialPhi(adapted, 1);
  const noise = new Float32Array(phi.values.length);
  random(7, "test").fillNormal(noise, 0, 0.05);
  noise.forEach((value, at) => {
    phi.values[at]! += value;
  });
  return { adapted, phi };
}

/** Logits and the gradient of Σ logits² with respect to every tensor of Φ. */
async function computed(base: HfModel, methods: readonly MethodUse[], path: string, phi: Phi) {
  const { logits, phi: parameters } = adapt(base, methods, goal).forward();
  const loss = reduceSum(mul(logits, logits), [0, 1]);
  const found = gradients(loss, parameters);
  const outputs = Object.fromEntries(found.map((gradient, at) => [`gradient ${at}`, gradient]));
  const program = await compile(nativeEngine(path), { logits, ...outputs });
  const results = await program.run({ ...batch, ...tensorsOf(phi) });
  await program.release();
  return ["logits", ...Object.keys(outputs)].map((name) => numbers(results[name]!));
}

describe.each(cases)("%s in %o", (name, format, titles) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await pairOf(name, format);
  });

  test("what is read is what was rounded, and all else keeps its bits", async () => {
    const { original, quantized, dense } = pair;
    const names = [...original.tensors!.keys()];
    expect([...quantized.tensors!.keys()].sort()).toEqual(names.sort());
    const rounded = names.filter((tensor) => isQuantized(quantized.tensors!.get(tensor)!));
    expect(rounded.length).toBeGreaterThan(4);
    expect(rounded.filter((tensor) => /embed|norm|bias|pooler|classifier|score|ln_|w[tp]e/i.test(tensor))).toEqual([]);
    const { transposed = false } = original.model.conventions;
    for (const tensor of names) {
      const weights = await original.read(tensor);
      const [rows = 1, columns = 1] = original.tensors!.get(tensor)!.shape;
      const nearest = (values: Float32Array, width: number) =>
        dequantizeBlocks(quantizeBlocks(values, width, format), format);
      const turned = () => transposedValues(nearest(transposedValues(weights, rows, columns), rows), columns, rows);
      const wanted = !rounded.includes(tensor) ? weights : transposed ? turned() : nearest(weights, columns);
      expect(await quantized.read(tensor), tensor).toEqual(wanted);
      expect(await dense.read(tensor), tensor).toEqual(wanted);
    }
  });

  test("of 4 bits every matrix is multiplied from its bits, of 8 from its numbers; none is turned about", () => {
    const { quantized } = pair;
    const bare = adapt(quantized, [], { ...goal, trainsHead: false });
    const nodes = nodesOf([bare.forward().logits]);
    const rounded = [...quantized.tensors!.values()].filter(isQuantized);
    expect(nodes.filter(({ operator }) => operator === MatMulNBits)).toHaveLength(
      format.bits === 4 ? rounded.length : 0,
    );
    expect(nodes.filter((node) => node.operator === Transpose && node.outputs[0]?.shape.length === 2)).toEqual([]);
  });

  test.each(contractCases.filter(thaws))(
    "$title is refused, since it would train what is rounded",
    ({ title, methods }) => {
      expect(() => adapt(pair.quantized, methods, goal)).toThrow(
        `${title} would train weights that this base holds in ${format.bits} bits, and those stay frozen`,
      );
    },
  );

  test.each(contractCases.filter((entry) => titles.test(entry.title) && !thaws(entry)))(
    "$title: logits and gradients are those on the dequantised weights",
    async ({ methods, refused }) => {
      const { quantized, dense, paths } = pair;
      if (refused?.[quantized.model.modelType] !== undefined) return;
      const { adapted, phi } = await drawn(quantized, methods);
      expect(adapted.layout.map(({ name: tensor }) => tensor)).toEqual(
        adapt(dense, methods, goal).layout.map(({ name: tensor }) => tensor),
      );
      const found = await computed(quantized, methods, paths.quantized, phi);
      const wanted = await computed(dense, methods, paths.dense, phi);
      // the same float32 products, summed in another order where a kernel dequantises by itself
      found.forEach((values, at) => {
        const size = Math.max(1, ...wanted[at]!.map(Math.abs));
        expect(distance([values], [wanted[at]!]), `output ${at}`).toBeLessThan(1e-5 * size);
      });
    },
  );

  test("an adapter merges into the dequantised weights", async () => {
    const { quantized, paths } = pair;
    const { adapted, phi } = await drawn(quantized, [lora.use({ rank: 2 })]);
    const files = await encodeMerged(quantized, { adapted, phi }, nativeEngine(paths.quantized));
    expect(files["config.json"]).not.toContain("quantization_config");
    const folder = await written({
      "config.json": files["config.json"],
      "model.safetensors": await gathered(files["model.safetensors"]),
    });
    const merged = await readBase(diskFolder(folder));
    const bare = adapt(merged, [], { ...goal, trainsHead: false });
    const rows = [{ input_ids: [5, 9, 31, 17, 2] }];
    const alone = await logitsOf(bare, await initialPhi(bare, 0), rows, folder);
    // one product with the sum of two matrices for the sum of two products
    expect(distance(alone, await logitsOf(adapted, phi, rows, paths.quantized))).toBeLessThan(1e-4);
  });
});

test("layers whose rows are no whole number of blocks stay as they are", async () => {
  const { base } = await goldenBase("llama-causal-lm"); // 32 wide, 48 in its feed-forward
  const { layers, left } = encodeQuantized(base, { bits: 8, blockSize: 32 });
  expect(left.every((path) => path.endsWith("down_proj")) && left.length === base.model.sizes.layers).toBe(true);
  expect(layers.some((path) => path.endsWith("q_proj"))).toBe(true);
});

test("what cannot be quantised is refused, with the blocks that are possible", async () => {
  const { base } = await goldenBase("llama-causal-lm");
  expect(() => encodeQuantized(base, { bits: 4, blockSize: 64 })).toThrow(
    "no linear layer's input is a multiple of 128, as 4 bits in blocks of 64 need it; possible blocks: 16",
  );
  const folder = await written(await filesOf(base, { bits: 4, blockSize: 16 }));
  const quantized = await readBase(diskFolder(folder));
  expect(() => encodeQuantized(quantized, { bits: 8, blockSize: 16 })).toThrow("is held in 4 bits already");
});

describe("a damaged base", () => {
  const config = async (change: (fields: Record<string, unknown>) => void) => {
    const { base } = await goldenBase("llama-causal-lm");
    const files = await filesOf(base, { bits: 4, blockSize: 16 });
    const fields = JSON.parse(String(files["config.json"]));
    change(fields.quantization_config);
    return readBase(diskFolder(await written({ ...files, "config.json": JSON.stringify(fields) })));
  };

  test.each([
    ["quant_method", "bitsandbytes", 'is of quant_method "bitsandbytes", which petl does not read'],
    ["bits", 3, "quantization_config: bits"],
    ["block_size", 20, "quantization_config: block_size"],
    ["relative_error", -1, "quantization_config: relative_error"],
  ])("%s %s in config.json is refused", async (field, value, refusal) => {
    await expect(config((fields) => Object.assign(fields, { [field]: value }))).rejects.toThrow(refusal);
  });

  test.each([
    ["bits", 8],
    ["block_size", 32],
  ])("tensors that do not fit %s %d are refused, all of them", async (field, value) => {
    const error = await config((fields) => Object.assign(fields, { [field]: value })).catch((reason) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect(error.problems.length).toBeGreaterThan(3);
    expect(error.message).toMatch(/weight_packed" is uint8 \[.*\]; its matrix in blocks needs uint8/);
  });

  test("missing parts are refused, all of them", async () => {
    const { base } = await goldenBase("llama-causal-lm");
    const files = await filesOf(base, { bits: 4, blockSize: 16 });
    const text = Buffer.from(files["model.safetensors"]!).toString("latin1");
    const renamed = text.replaceAll("weight_scale", "weight_scare");
    const folder = await written({ ...files, "model.safetensors": Buffer.from(renamed, "latin1") });
    await expect(readBase(diskFolder(folder))).rejects.toThrow('q_proj.weight_scale" is missing');
  });
});
