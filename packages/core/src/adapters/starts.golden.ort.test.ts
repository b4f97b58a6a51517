import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { distance, goldenBase, goldenFolder, goldenJson, goldenNames, logitsOf } from "../checkpoints/golden.fake.ts";
import type { HfModel } from "../checkpoints/hf-model.ts";
import { memoryFolder } from "../containers/folder.ts";
import { problemList } from "../containers/problem-list.ts";
import { readSafetensors } from "../containers/safetensors.ts";
import { readFloat32 } from "../containers/stored-values.ts";
import { taskOf } from "../models/models.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { type Phi, viewsOf } from "../peft/phi.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import { loadAdapterFiles } from "./adapter-on-base.ts";
import { plainTensors } from "./adapter-tensors.ts";
import { encodeAdapter } from "./encode-adapter.ts";

// float32 sums in another order than torch's; logits are about 1
const tolerance = 1e-4;

/** The tensors of a golden file by petl's names. */
async function tensorsIn(folder: string, file: string): Promise<ReadonlyMap<string, Float32Array>> {
  const source = await goldenFolder(folder).open(file);
  const { tensors } = await readSafetensors(source);
  const plain = [...plainTensors(tensors, problemList(file))];
  return new Map(
    await Promise.all(plain.map(async ([name, tensor]) => [name, await readFloat32(source, tensor)] as const)),
  );
}

const matrix = (values: ArrayLike<number | bigint>, [rows = 0, columns = 0]: readonly number[]) =>
  Matrix.from1DArray(rows, columns, Array.from(values, Number));
const matrixOf = ({ data, shape }: HostTensor) => matrix(data, shape);
const largest = (M: Matrix) => Math.max(...M.abs().to1DArray());

/** The adapted layers with their starts and their weights, [out, in]. */
async function sites(base: HfModel, adapted: AdaptedModel, { starts }: Phi) {
  const transposed = base.model.conventions.transposed ?? false;
  return Promise.all(
    adapted.targets.map(async (path) => {
      const [A, B] = ["A", "B"].map((name) => matrixOf(starts[`${path}.lora_${name}.weight`]!));
      const shape = [B!.rows, A!.columns];
      const stored = matrix(await base.read(`${path}.weight`), transposed ? [...shape].reverse() : shape);
      return { path, A: A!, B: B!, W: transposed ? stored.transpose() : stored };
    }),
  );
}

describe.each(goldenNames("starts"))("%s", (name) => {
  const golden = goldenJson(`starts/${name}/golden.json`);
  const scale = golden.options.alpha / (golden.options.rankStabilized ? Math.sqrt(4) : 4);
  const opened = async () => {
    const { base, rows, path } = await goldenBase(golden.base);
    const task = taskOf(base.config) ?? expect.unreachable();
    const adapted = adapt(base, [lora.use(golden.options)], { task, labels: 3, trainsHead: false });
    return { base, rows, path, adapted, phi: await initialPhi(adapted, 1) };
  };

  test("starts as PEFT does, but for the factors' signs", async () => {
    const { base, adapted, phi } = await opened();
    const theirs = await tensorsIn(`starts/${name}`, "start.safetensors");
    for (const { path, A, B } of await sites(base, adapted, phi)) {
      const [theirA, theirB] = ["A", "B"].map((factor) => theirs.get(`${path}.lora_${factor}.weight`)!);
      const wanted = matrix(theirB!, [B.rows, B.columns]).mmul(matrix(theirA!, [A.rows, A.columns]));
      expect(largest(Matrix.sub(B.mmul(A), wanted)), path).toBeLessThan(1e-5); // PEFT decomposes in float32
      expect(largest(Matrix.sub(A.clone().abs(), matrix(theirA!, [A.rows, A.columns]).abs())), path).toBeLessThan(1e-4);
    }
  });

  if (golden.options.initWeights === "pissa") {
    test("scale · B A is the nearest matrix of its rank to W: no further than the other singular values", async () => {
      const { base, adapted, phi } = await opened();
      for (const { path, A, B, W } of await sites(base, adapted, phi)) {
        const { diagonal } = new SingularValueDecomposition(W, { autoTranspose: true });
        const rest = Math.hypot(...diagonal.slice(A.rows));
        const gap = Matrix.sub(W, B.mmul(A).mul(scale)).norm("frobenius");
        expect(Math.abs(gap - rest), path).toBeLessThan(1e-5); // factors are rounded to float32
      }
    });
  } else {
    test("B's columns are orthonormal, and A is what they keep of W", async () => {
      const { base, adapted, phi } = await opened();
      for (const { path, A, B, W } of await sites(base, adapted, phi)) {
        expect(largest(Matrix.sub(B.transpose().mmul(B), Matrix.eye(B.columns))), path).toBeLessThan(1e-6); // float32
        expect(largest(Matrix.sub(B.transpose().mmul(W), A)), path).toBeLessThan(1e-6); // float32
      }
    });
  }

  test("the adapted model starts as the base, bit for bit", async () => {
    const { base, rows, path, adapted, phi } = await opened();
    const plain = adapt(base, [], adapted.goal);
    const reference = await logitsOf(plain, await initialPhi(plain, 1), rows, path);
    expect(await logitsOf(adapted, phi, rows, path)).toEqual(reference);
  });

  test("trained factors give PEFT's logits on its changed weight, and so do they saved, on the base as it is", async () => {
    const { base, rows, path, adapted, phi } = await opened();
    const views = viewsOf(adapted.layout, phi.values);
    for (const [tensor, values] of await tensorsIn(`starts/${name}`, "trained.safetensors")) views[tensor]?.set(values);
    expect(distance(await logitsOf(adapted, phi, rows, path), golden.logits)).toBeLessThan(tolerance);
    const files = encodeAdapter({ adapted, phi }, { baseName: golden.base });
    expect(JSON.parse(files["adapter_config.json"])).toMatchObject({ r: 8, init_lora_weights: true });
    const bytes = { ...files, "adapter_config.json": new TextEncoder().encode(files["adapter_config.json"]) };
    const again = await loadAdapterFiles(memoryFolder(name, bytes), base);
    expect(distance(await logitsOf(again.adapted, again.phi, rows, path), golden.logits)).toBeLessThan(tolerance);
  });
});
