import { InternalError } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import { encode } from "../onnx/encode.ts";
import { float32, sizeOf } from "../tensor/host-tensor.ts";
import { type Dim, evaluate } from "../tensor/shape.ts";
import type { Engine, Tensors } from "./session.ts";

/** A compiled graph: compile once, run for every batch, whatever its batch and token lengths. */
export interface Program {
  /**
   * Runs on tensors by input name; tensors that the graph does not read are ignored. Arrays in `into`, for outputs of
   * their length, and inputs in `lent` are lent, as to a session.
   */
  run(inputs: Tensors, into?: Readonly<Record<string, Float32Array>>, lent?: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}

/** Writes the graph that the named outputs reach and makes a session of it. */
export async function compile(engine: Engine, outputs: Readonly<Record<string, Value>>): Promise<Program> {
  const graph = encode(outputs, engine.fileName);
  const session = await engine.createSession(graph);
  return {
    run(inputs, into = {}, lent = {}) {
      const symbols = new Map<string, number>();
      const given = { ...inputs, ...lent };
      const fed = graph.inputs.map(({ name, dtype, shape }) => {
        const tensor = given[name];
        if (!tensor) throw new InternalError(`input "${name}" was not fed; fed: ${Object.keys(given).join(", ")}`);
        const fits =
          tensor.dtype === dtype &&
          tensor.shape.length === shape.length &&
          tensor.data.length === sizeOf(tensor.shape) &&
          shape.every((dim, axis) => agrees(dim, tensor.shape[axis] ?? -1, symbols));
        if (!fits) {
          const [wanted, given] = [`${dtype}[${shape}]`, `${tensor.dtype}[${tensor.shape}] of ${tensor.data.length}`];
          throw new InternalError(`input "${name}" should be ${wanted}, is ${given}`);
        }
        return [name, tensor] as const;
      });
      const targets = graph.outputs.flatMap(({ name, shape }) => {
        const target = into[name];
        const lengths = shape.map((dim) => evaluate(dim, symbols) ?? -1);
        return target ? [[name, float32(lengths, target)] as const] : [];
      });
      const copied = fed.filter(([name]) => !(name in lent));
      return session.run(Object.fromEntries(copied), Object.fromEntries(targets), lent);
    },
    release: () => session.release(),
  };
}

/** A fed length agrees with a number if equal, with a symbol if it is the symbol's length everywhere. */
function agrees(dim: Dim, length: number, symbols: Map<string, number>): boolean {
  if (typeof dim === "number") return dim === length;
  const known = symbols.get(dim) ?? length;
  symbols.set(dim, known);
  return known === length;
}
