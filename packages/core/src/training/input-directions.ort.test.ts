import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { expect, test } from "vitest";
import { goldenBase, logitsOf } from "../checkpoints/golden.fake.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { viewsOf } from "../peft/phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import { float32Of, int32 } from "../tensor/host-tensor.ts";
import { inputDirections } from "./input-directions.ts";

const rank = 3;
const opened = async () => {
  const { base, rows, path } = await goldenBase("bert-sequence-classification");
  const use = lora.use({ rank, initWeights: "eva", targets: ["query", "value", "output.dense"] });
  const adapted = adapt(base, [use], { task: "classification", labels: 3 });
  const examples = rows.map(({ input_ids }) => ({ inputIds: Int32Array.from(input_ids) }));
  return { base, rows, path, adapted, examples };
};

test("eva's A are the principal components of what the layer reads, whatever the batches and their padding", async () => {
  const { base, path, adapted, examples } = await opened();
  const directions = await inputDirections(nativeEngine(path), adapted, examples);
  const { layerInputs } = adapt(base, [], adapted.goal).forward();
  const paths = adapted.targets;
  const program = await compile(nativeEngine(path), Object.fromEntries(paths.map((at) => [at, layerInputs.get(at)!])));
  const tokens = new Map<string, number[][]>(paths.map((at) => [at, []]));
  for (const { inputIds } of examples) {
    const row = (value: number) => int32([1, inputIds.length], new Int32Array(inputIds.length).fill(value));
    const batch = { input_ids: int32([1, inputIds.length], inputIds), attention_mask: row(1), token_type_ids: row(0) };
    for (const [at, tensor] of Object.entries(await program.run(batch))) {
      const width = tensor.shape.at(-1)!;
      for (let i = 0; i < inputIds.length; i++)
        tokens.get(at)!.push(Array.from(float32Of(tensor).subarray(i * width, (i + 1) * width)));
    }
  }
  await program.release();
  for (const at of paths) {
    const X = new Matrix(tokens.get(at)!).center("column");
    const { rightSingularVectors: V } = new SingularValueDecomposition(X, { autoTranspose: true });
    const wanted = V.subMatrix(0, V.rows - 1, 0, rank - 1).transpose();
    const found = Matrix.from1DArray(rank, V.rows, directions(at, rank));
    // signs are free; the sums are float32, divided by the gaps between the components
    expect(Math.max(...Matrix.sub(found.abs(), wanted.abs()).abs().to1DArray()), at).toBeLessThan(1e-3);
  }
});

test("eva starts as the base, bit for bit, and not without data", async () => {
  const { base, rows, path, adapted, examples } = await opened();
  const phi = await initialPhi(adapted, 1, await inputDirections(nativeEngine(path), adapted, examples));
  const A = viewsOf(phi.layout, phi.values)["bert.encoder.layer.0.attention.self.query.lora_A.weight"]!;
  expect(Math.hypot(...A)).toBeCloseTo(Math.sqrt(rank), 5); // three directions of length 1
  const plain = adapt(base, [], adapted.goal);
  const reference = await logitsOf(plain, await initialPhi(plain, 1), rows, path);
  expect(await logitsOf(adapted, phi, rows, path)).toEqual(reference);
  await expect(initialPhi(adapted, 1)).rejects.toThrow("the start eva comes from the data to train on");
});
