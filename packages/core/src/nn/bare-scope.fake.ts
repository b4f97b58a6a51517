import { input, type Value } from "../graph/value.ts";
import { joinPath, type Scope } from "./scope.ts";
import { noHooks } from "./sites.ts";

/** A scope that makes an input of every tensor, under its path, and drops nothing. */
export function bareScope(
  hooks = noHooks,
  path = "",
  layer: number | undefined = 0,
  tensors = new Map<string, Value>(),
): Scope {
  return {
    path,
    layer,
    hooks,
    at: (name, own = layer) => bareScope(hooks, joinPath(path, name), own, tensors),
    parameter(name, shape) {
      const own = joinPath(path, name);
      const known = tensors.get(own) ?? input(own, "float32", shape);
      tensors.set(own, known);
      return known;
    },
    tied: (_, shape, table) => bareScope(hooks, "", layer, tensors).parameter(table, shape, "table"),
    dropout: (x) => x,
  };
}
