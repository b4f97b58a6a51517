import { input, type Value } from "../graph/value.ts";
import type { Model, ModelInputs } from "../nn/model.ts";
import { joinPath, type Scope } from "../nn/scope.ts";
import { type Hooks, noHooks } from "../nn/sites.ts";
import { batchDim, type Dim, tokensDim } from "../tensor/shape.ts";
import type { Building } from "./building.ts";
import { hooksOf } from "./module-scope.ts";
import { moduleTensor, tiedTensor } from "./module-tensors.ts";

/** What an architecture says of itself while it encodes a batch: its tensors and its sites, in its order. */
interface Announcements {
  readonly inputs: ModelInputs;
  /** the last hidden states, [batch, tokens, hidden], where nothing acts */
  readonly hidden: Value;
  /** Says it all to a building, as `model.encode` with the building's own scope would. */
  tell(building: Building): void;
}

/** A batch as a graph's inputs; `keys` are its tokens with those in front that were computed before. */
export const batchInputs = (keys: Dim = tokensDim, packed = false): ModelInputs => ({
  inputIds: input("input_ids", "int32", [batchDim, tokensDim]),
  attentionMask: input("attention_mask", "int32", [batchDim, keys]),
  tokenTypeIds: input("token_type_ids", "int32", [batchDim, tokensDim]),
  documents: packed ? input("documents", "int32", [batchDim, tokensDim]) : undefined,
});

/** A model never changes, so what it announces is asked once and kept as long as the model is. */
const known = new WeakMap<Model, Announcements>();

/** A model's announcements. */
export function announcementsOf(model: Model): Announcements {
  const announcements = known.get(model) ?? listen(model);
  known.set(model, announcements);
  return announcements;
}

function listen(model: Model): Announcements {
  const said: ((building: Building) => void)[] = [];
  // what a site can do later, its layer on another input, speaks to the building that is told at that time
  let told: Building | undefined;
  const say = <T>(announcement: (building: Building) => T, alone: () => T): T => {
    if (told) return announcement(told);
    said.push(announcement);
    return alone();
  };
  const tensors = new Map<string, Value>();
  const bare = (name: string, shape: readonly number[]): Value => {
    const value = tensors.get(name) ?? input(name, "float32", shape);
    tensors.set(name, value);
    return value;
  };
  const hooks: Hooks = {
    virtualTokens: 0,
    act: (kind, site) =>
      say(
        (building) => hooksOf(building).act(kind, site),
        () => noHooks.act(kind, site),
      ),
  };
  const scope = (path: string, layer?: number): Scope => ({
    path,
    layer,
    hooks,
    at: (name, own = layer) => scope(joinPath(path, name), own),
    parameter(own, shape, role) {
      const name = joinPath(path, own);
      const tensor = { module: path, name, shape, role, layer };
      return say(
        (building) => moduleTensor(building, tensor),
        () => bare(name, shape),
      );
    },
    tied(own, shape, table) {
      const tensor = { module: path, name: joinPath(path, own), shape, role: "weight" as const, layer };
      return say(
        (building) => tiedTensor(building, tensor, table),
        () => bare(table, shape),
      );
    },
    dropout: (x) => x,
  });
  const inputs = batchInputs();
  const hidden = model.encode(scope(model.prefix), inputs);
  return {
    inputs,
    hidden,
    tell(building) {
      told = building;
      try {
        for (const announcement of said) announcement(building);
      } finally {
        told = undefined;
      }
    },
  };
}
