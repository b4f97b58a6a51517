import { InternalError } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import { compile } from "../runtime/program.ts";
import type { Engine, Tensors } from "../runtime/session.ts";
import { sizeOf } from "../tensor/host-tensor.ts";

/** Changed tensors by name, computed group by group as they are asked for in turn. */
export interface ChangedValues {
  read(name: string): Promise<Float32Array>;
  forget(): void;
}

type Named = { readonly name: string; readonly value: Value };

const groupSize = 2 ** 24; // elements that are in memory at a time, unless one tensor alone has more

/** `ordered` is the order in which they will be asked for. */
export function changedValues(ordered: readonly Named[], phi: Tensors, engine: Engine | undefined): ChangedValues {
  const computed = ordered.filter(({ value }) => value.source.kind !== "input");
  const groups = groupsOf(computed);
  const fed = new Map(
    ordered.flatMap(({ name, value: { source } }) => (source.kind === "input" ? [[name, source.name]] : [])),
  );
  let current: { readonly group: readonly Named[]; readonly tensors: Tensors } | undefined;
  return {
    async read(name) {
      const input = fed.get(name);
      if (input !== undefined) return floatsOf(phi, input);
      const group = groups.find((each) => each.some((one) => one.name === name)) ?? [];
      if (current?.group !== group) {
        current = undefined;
        current = { group, tensors: await compute(group, phi, engine) };
      }
      return floatsOf(current.tensors, name);
    },
    forget() {
      current = undefined;
    },
  };
}

function groupsOf(values: readonly Named[]): readonly (readonly Named[])[] {
  const groups: Named[][] = [];
  let room = 0;
  for (const named of values) {
    const size = sizeOf(named.value.shape.map(Number));
    const last = groups.at(-1);
    if (last && size <= room) last.push(named);
    else groups.push([named]);
    room = (last && size <= room ? room : groupSize) - size;
  }
  return groups;
}

async function compute(group: readonly Named[], phi: Tensors, engine: Engine | undefined): Promise<Tensors> {
  if (!engine) throw new InternalError("merging computes, so it needs an engine");
  const program = await compile(engine, Object.fromEntries(group.map(({ name, value }) => [name, value])));
  try {
    return await program.run(phi);
  } finally {
    await program.release();
  }
}

function floatsOf(tensors: Tensors, name: string): Float32Array {
  const tensor = tensors[name];
  if (tensor?.dtype !== "float32") throw new InternalError(`"${name}" was not computed in float32`);
  return tensor.data;
}
