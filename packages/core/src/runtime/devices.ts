import { forWebGpu } from "../graph/for-webgpu.ts";
import { softmax } from "../graph/ops/softmax.ts";
import { input, type Value } from "../graph/value.ts";
import { encodeGraph } from "../onnx/encode.ts";

/** What computes, and how a graph has to be written for it. */
interface Device {
  readonly name: string;
  /** The same values in operators that it has. */
  emission(values: readonly Value[]): readonly Value[];
  /** whether it computes in chunks; otherwise all is one chunk */
  readonly takesChunks: boolean;
  /** whether several sessions may be open at once */
  readonly takesSessions: boolean;
}

const asItIs = (values: readonly Value[]) => values;

/** Every device: one entry each. A provider of ONNX Runtime has each one's name. */
const devices = [
  { name: "cpu", emission: asItIs, takesChunks: true, takesSessions: true },
  { name: "cuda", emission: asItIs, takesChunks: true, takesSessions: true },
  // two sessions at once crash it: onnxruntime #32561
  { name: "webgpu", emission: forWebGpu, takesChunks: false, takesSessions: false },
] as const satisfies readonly Device[];

export type DeviceName = (typeof devices)[number]["name"];
export const deviceNames = devices.map(({ name }) => name);

/** The device of a name; the processor where none is given. */
export const deviceOf = (name: DeviceName = "cpu"): Device =>
  devices.find((device) => device.name === name) ?? devices[0];

/** A ModelProto of one small operator, to see whether a device can be opened. */
export const encodeProbe = (): Uint8Array => encodeGraph({ y: softmax(input("x", "float32", ["rows", 4])) }).model;
