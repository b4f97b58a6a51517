import * as ort from "onnxruntime-node";
import type { Value } from "../graph/value.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import { ortEngine } from "./ort.ts";
import { compile } from "./program.ts";
import type { Engine, Tensors } from "./session.ts";

/** Native ONNX Runtime in this thread, for tests; `folder` holds the files of the graph's frozen tensors. */
export const nativeEngine = (folder?: string): Engine =>
  ortEngine({
    ort,
    fileName: (file) => file,
    writesInPlace: true,
    options: async ({ weights, how }) => ({
      executionProviders: ["cpu"],
      intraOpNumThreads: 1,
      enableMemPattern: false,
      graphOptimizationLevel: "basic",
      logSeverityLevel: 3,
      extra: {
        session: {
          disable_prepacking: "1",
          ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
        },
        ...withoutOptimizers([
          ...(weights.some(({ dtype }) => dtype !== "float32") ? ["ConstantFolding"] : []),
          ...(how.repeats ? ["CommonSubexpressionElimination"] : []),
        ]),
      },
    }),
  });

const withoutOptimizers = (names: readonly string[]) =>
  names.length === 0 ? {} : { optimization: { disable_specified_optimizers: names.join(";") } };

/** Compiles a graph without frozen tensors, runs it once and gives it back. */
export async function runOnce(outputs: Readonly<Record<string, Value>>, inputs: Tensors): Promise<Tensors> {
  const program = await compile(nativeEngine(), outputs);
  try {
    return await program.run(inputs);
  } finally {
    await program.release();
  }
}

/** A tensor's numbers, whatever its type. */
export const numbers = ({ data }: HostTensor): readonly number[] => Array.from(data, Number);
