import { InternalError } from "../errors.ts";
import type { EncodedGraph } from "../onnx/encode.ts";
import type { DType } from "../tensor/dtype.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import { lengthUnder } from "../tensor/shape.ts";
import { heldMemory } from "./held.ts";
import type { Engine, Fed, RunTargets, Session } from "./session.ts";

/** As much of ONNX Runtime's JavaScript interface as petl uses; onnxruntime-node and onnxruntime-web both have it. */
export interface Ort {
  readonly Tensor: new (type: OrtType, data: OrtData, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
}
type OrtType = "float32" | "int64" | "int32" | "bool" | "float64";
type OrtData = Float32Array | BigInt64Array | Int32Array | Uint8Array | Float64Array;
interface OrtTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}
interface OrtSession {
  run(feeds: Record<string, OrtTensor>, fetches: Record<string, OrtTensor | null>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** What tells one host of ONNX Runtime from another. */
interface OrtHost {
  readonly ort: Ort;
  /** the session's options, with what the host needs to find the model's frozen tensors */
  readonly options: (graph: EncodedGraph) => Promise<object>;
  /** the name under which a session finds a file of the checkpoint */
  fileName(file: string): string;
  /** whether outputs can be written straight into arrays that the caller owns */
  readonly writesInPlace: boolean;
}

/** The engine of a host of ONNX Runtime; sessions run in the thread that calls them. */
export function ortEngine({ ort, options, fileName, writesInPlace }: OrtHost): Engine {
  const memory = heldMemory();
  const targetOf = (target: RunTargets[string]) => ("held" in target ? memory.numbersOf(target) : target);
  return {
    fileName,
    hold: memory.hold,
    share: memory.share,
    sees: memory.sees,
    async createSession(graph): Promise<Session> {
      const session = await ort.InferenceSession.create(graph.model, await options(graph));
      return {
        async run(inputs, into = {}) {
          const feeds = entries(inputs, (tensor) =>
            "held" in tensor
              ? new ort.Tensor("float32", memory.numbersOf(tensor), tensor.shape)
              : new ort.Tensor(typeOf(tensor.dtype), arrayOf(tensor), tensor.shape),
          );
          const symbols = symbolsOf(graph.inputs, inputs);
          const targets = entries(into, targetOf);
          const fetches = Object.fromEntries(
            graph.outputs.map(({ name, shape }) => {
              const target = writesInPlace ? targets[name] : undefined;
              const lengths = shape.map((dim) => lengthUnder(dim, symbols) ?? Number.NaN);
              return [name, target ? new ort.Tensor("float32", target, lengths) : null];
            }),
          );
          const outputs = entries(await session.run(feeds, fetches), fromOrt);
          const lent = entries(targets, (target, name) => written(target, outputs[name], writesInPlace));
          const stays = (name: string) => into[name] !== undefined && "held" in into[name];
          return Object.fromEntries(Object.entries({ ...outputs, ...lent }).filter(([name]) => !stays(name)));
        },
        release: () => session.release(),
      };
    },
  };
}

/** What each symbolic length is in tensors that are fed. */
function symbolsOf(inputs: EncodedGraph["inputs"], fed: Fed): ReadonlyMap<string, number> {
  const lengths = inputs.flatMap(({ name, shape }) =>
    shape.map((dim, axis) => [String(dim), fed[name]?.shape[axis] ?? Number.NaN] as const),
  );
  return new Map(lengths);
}

const entries = <A, B>(
  record: Readonly<Record<string, A>>,
  convert: (value: A, name: string) => B,
): Record<string, B> => Object.fromEntries(Object.entries(record).map(([name, value]) => [name, convert(value, name)]));

function typeOf(dtype: DType): OrtType {
  const type = (["float32", "float64", "int64", "int32", "bool"] as const).find((name) => name === dtype);
  return type ?? unsupported(dtype);
}

function arrayOf({ dtype, data }: HostTensor): OrtData {
  return data instanceof Uint16Array || data instanceof Int16Array || data instanceof Int8Array
    ? unsupported(dtype)
    : data;
}

function fromOrt({ type, dims, data }: OrtTensor): HostTensor {
  if (type === "float32" && data instanceof Float32Array) return { dtype: type, shape: dims, data };
  if (type === "float64" && data instanceof Float64Array) return { dtype: type, shape: dims, data };
  if (type === "int64" && data instanceof BigInt64Array) return { dtype: type, shape: dims, data };
  if (type === "int32" && data instanceof Int32Array) return { dtype: type, shape: dims, data };
  if (type === "bool" && data instanceof Uint8Array) return { dtype: type, shape: dims, data };
  return unsupported(type);
}

/** The output in a lent array: it is there already, or is copied. */
function written(target: Float32Array, output: HostTensor | undefined, inPlace: boolean): HostTensor {
  if (output?.dtype !== "float32") throw new InternalError("only float32 outputs are written into lent arrays");
  if (!inPlace) target.set(output.data);
  return { ...output, data: target };
}

function unsupported(type: string): never {
  throw new InternalError(`tensors of type ${type} do not cross the engine's border`);
}
