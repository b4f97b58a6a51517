import { InternalError } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import { type CompileOptions, encodeGraph } from "../onnx/encode.ts";
import { sizeOf } from "../tensor/host-tensor.ts";
import type { Dim } from "../tensor/shape.ts";
import { withActivations } from "./activations.ts";
import { deviceOf } from "./devices.ts";
import type { Engine, Fed, Session } from "./session.ts";

/** A compiled graph: compile once, run for every batch, whatever its batch and token lengths. */
export interface Program {
  /** Runs on tensors by input name; tensors that the graph does not read are ignored. Lends as a session does. */
  readonly run: Session["run"];
  release(): Promise<void>;
}

/** Writes the graph that the named outputs reach and makes a session of it. */
export async function compile(
  engine: Engine,
  outputs: Readonly<Record<string, Value>>,
  how: CompileOptions = {},
): Promise<Program> {
  const values = deviceOf(engine.device).emission(withActivations(Object.values(outputs), engine.activations));
  const emitted = Object.fromEntries(Object.entries(outputs).map(([name, value], i) => [name, values[i] ?? value]));
  const graph = encodeGraph(emitted, engine.fileName, how);
  const session = await engine.createSession(graph);
  return {
    run(inputs, into, lenders) {
      const symbols = new Map<Dim, number>();
      const fed = graph.inputs.map(({ name, dtype, shape }) => {
        const tensor = inputs[name];
        if (!tensor) throw new InternalError(`input "${name}" was not fed; fed: ${Object.keys(inputs).join(", ")}`);
        const given = typeOf(tensor);
        const fits =
          given.dtype === dtype &&
          tensor.shape.length === shape.length &&
          given.length === sizeOf(tensor.shape) &&
          shape.every((dim, axis) => bindLength(dim, tensor.shape[axis] ?? -1, symbols));
        if (!fits) {
          const is = `${given.dtype}[${tensor.shape}] of ${given.length}`;
          throw new InternalError(`input "${name}" should be ${dtype}[${shape}], is ${is}`);
        }
        return [name, tensor] as const;
      });
      return session.run(Object.fromEntries(fed), into, lenders);
    },
    release: () => session.release(),
  };
}

/** What a tensor is made of, and how many numbers of it are there. */
const typeOf = (tensor: Fed[string]) =>
  "held" in tensor
    ? { dtype: "float32", length: Math.min(sizeOf(tensor.shape), tensor.held.length - tensor.start) }
    : { dtype: tensor.dtype, length: tensor.data.length };

/** Binds a symbol to the first length that is fed for it; whether a length is the number, or its symbol's, everywhere. */
function bindLength(dim: Dim, length: number, symbols: Map<Dim, number>): boolean {
  if (typeof dim === "number") return dim === length;
  const known = symbols.get(dim) ?? length;
  symbols.set(dim, known);
  return known === length;
}
