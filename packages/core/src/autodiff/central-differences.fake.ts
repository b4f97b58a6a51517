import type { Value } from "../graph/value.ts";
import { nativeEngine, numbers } from "../runtime/native.fake.ts";
import { compile, type Program } from "../runtime/program.ts";
import type { Tensors } from "../runtime/session.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import { gradients } from "./gradients.ts";

/**
 * The largest |g − d| / max(1, |d|) over all elements of all named inputs, g from `gradients` and d the central
 * difference (L(x + ε) − L(x − ε)) / 2ε.  loss: a graph of one element
 */
export async function gradientError(loss: Value, names: readonly Value[], fed: Tensors, step: number): Promise<number> {
  const found = gradients(loss, names);
  const program = await compile(nativeEngine(), {
    "the loss": loss,
    ...Object.fromEntries(names.map((value, i) => [`gradient of ${nameOf(value)}`, found[i]!])),
  });
  try {
    const computed = await program.run(fed);
    let largest = 0;
    for (const name of names.map(nameOf)) {
      const differences = await centralDifferences(program, fed, name, step);
      const given = numbers(computed[`gradient of ${name}`]!);
      if (given.length !== differences.length) throw new Error(`the gradient of ${name} has another length`);
      given.forEach((g, i) => {
        const error = Math.abs(g - differences[i]!) / Math.max(1, Math.abs(differences[i]!));
        largest = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(largest, error);
      });
    }
    return largest;
  } finally {
    await program.release();
  }
}

async function centralDifferences(program: Program, fed: Tensors, name: string, step: number): Promise<number[]> {
  const tensor = fed[name]!;
  const lossAt = async (moved: HostTensor) => numbers((await program.run({ ...fed, [name]: moved }))["the loss"]!)[0]!;
  const differences: number[] = [];
  for (let i = 0; i < tensor.data.length; i++) {
    const [up, down] = [shifted(tensor, i, step), shifted(tensor, i, -step)];
    const distance = Number(up.data[i]) - Number(down.data[i]); // what is left of 2ε after rounding
    differences.push(((await lossAt(up)) - (await lossAt(down))) / distance);
  }
  return differences;
}

function shifted(tensor: HostTensor, index: number, by: number): HostTensor {
  if (tensor.dtype !== "float32" && tensor.dtype !== "float64") throw new Error(`${tensor.dtype} cannot be moved`);
  const data = tensor.data.slice();
  data[index] = data[index]! + by;
  return tensor.dtype === "float32"
    ? { ...tensor, data: Float32Array.from(data) }
    : { ...tensor, data: Float64Array.from(data) };
}

/** The name under which an input is fed. */
function nameOf({ source }: Value): string {
  if (source.kind !== "input") throw new Error("only inputs can be moved");
  return source.name;
}
