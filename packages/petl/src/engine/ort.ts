import { freemem } from "node:os";
import { join } from "node:path";
import {
  type DeviceName,
  deviceOf,
  type EncodedGraph,
  type Engine,
  InputError,
  oneSession,
  ortEngine,
} from "@petl/core/engine";
import * as ort from "onnxruntime-node";
import { realLocation } from "../disk/files.ts";
import { blaming, requireProvider } from "./providers.ts";

export interface OrtOptions {
  /** threads that share one operator's work; the machine's cores where left out */
  readonly threads?: number | undefined;
  /** what computes; the processor where left out */
  readonly device?: DeviceName | undefined;
}

/**
 * The native engine in this thread, over a checkpoint's files, which stay where they are: sessions map them into memory,
 * so that all sessions and processes share one copy.
 *
 * @param folder the folder of the checkpoint; undefined for graphs without frozen tensors
 * @param files the names of its safetensors files
 * @throws MachineError for a device that cannot be opened here
 */
export async function nativeEngine(
  folder: string | undefined,
  files: readonly string[],
  { threads, device = "cpu" }: OrtOptions = {},
): Promise<Engine> {
  await requireProvider(device);
  const locations = await Promise.all(
    files.map(async (file) => [file, await realLocation(join(folder ?? ".", file))] as const),
  );
  const names = new Map(locations.map(([file, { name }]) => [file, name]));
  const folders = [...new Set(locations.map(([, location]) => location.folder))];
  if (folders.length > 1)
    throw new InputError(`the files of ${folder} lie in several folders: ${folders.join(", ")}; copy them into one`);
  const engine = ortEngine({
    ort,
    fileName: (file) => names.get(file) ?? file,
    writesInPlace: true,
    options: async ({ operators, weights, how }) => {
      const keeps = how.keepsWeights === true && hasRoomFor(weights);
      const packs = device === "cpu" && (keeps || how.packs === true);
      return {
        executionProviders: [device],
        ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
        enableMemPattern: false,
        executionMode: "sequential",
        graphOptimizationLevel: "basic",
        logSeverityLevel: 3, // errors: its warnings are of its own rewriting, and name nodes that no user knows
        extra: {
          session: {
            // weights stay mapped, one copy for all sessions; but 4 bits that were not packed anew would be dequantised at every run
            disable_prepacking: packs || operators.includes("MatMulNBits") ? "0" : "1",
            force_spinning_stop: "1", // idle threads of one session do not take another's core
            ...(keeps ? { disable_quant_qdq: "1" } : {}),
            ...(folders[0] === undefined ? {} : { model_external_initializers_file_folder_path: folders[0] }),
          },
          ...withoutOptimizers([
            // folded, half-precision weights are kept as float32, and the zeros that gradients are added to as tables
            ...(keeps ? [] : ["ConstantFolding"]),
            ...(how.repeats ? ["CommonSubexpressionElimination"] : []),
          ]),
        },
      };
    },
  });
  if (device === "cpu") return engine;
  return { ...blaming(device, deviceOf(device).takesSessions ? engine : oneSession(engine)), device };
}

const withoutOptimizers = (names: readonly string[]) =>
  names.length === 0 ? {} : { optimization: { disable_specified_optimizers: names.join(";") } };

/** Whether half of the memory that is free holds a copy of the weights in float32. */
function hasRoomFor(weights: EncodedGraph["weights"]): boolean {
  return (
    weights.reduce((sum, { shape }) => sum + 4 * shape.reduce((all, length) => all * length, 1), 0) < freemem() / 2
  );
}
