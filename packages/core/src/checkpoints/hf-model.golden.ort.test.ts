import { expect, test } from "vitest";
import { cast } from "../graph/ops/cast.ts";
import { input, weight } from "../graph/value.ts";
import { labelCount, taskOf } from "../models/models.ts";
import type { ModelInputs } from "../nn/model.ts";
import { joinPath, type Scope } from "../nn/scope.ts";
import { noHooks } from "../nn/sites.ts";
import { adapt } from "../peft/adapt.ts";
import { type Base, findTensor } from "../peft/base.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import { int32 } from "../tensor/host-tensor.ts";
import { isQuantized } from "../tensor/quantized-tensor.ts";
import { batchDim, tokensDim } from "../tensor/shape.ts";
import { distance, goldenBase, goldenJson, goldenNames, logitsOf } from "./golden.fake.ts";

// float32 sums in another order than torch's; outputs are about 1
const tolerance = 1e-4;

const isBare = (name: string): boolean => name.endsWith("-base");

for (const name of goldenNames("models").filter((model) => !isBare(model))) {
  test(`${name}: the logits are transformers'`, async () => {
    const { base, rows, path } = await goldenBase(name);
    const task = taskOf(base.config);
    expect(task).toBeDefined();
    if (!task) return;
    const adapted = adapt(base, [], { task, labels: labelCount(base.config), trainsHead: false });
    const phi = await initialPhi(adapted, 0);
    expect(phi.values).toHaveLength(0);
    const wanted: unknown[] = goldenJson(`models/${name}/golden.json`).logits;
    expect(distance(await logitsOf(adapted, phi, rows, path), wanted)).toBeLessThan(tolerance);
  });
}

/** The scope of a model that nothing acts on. */
function frozenScope(base: Base, path: string, layer?: number): Scope {
  return {
    path,
    layer,
    hooks: noHooks,
    at: (name, own = layer) => frozenScope(base, joinPath(path, name), own),
    parameter(name) {
      const stored = findTensor(base, joinPath(path, name));
      if (!stored || isQuantized(stored)) throw new Error(`no float tensor ${path}.${name}`);
      return cast(weight(stored), "float32");
    },
    tied: (_, shape, table) => frozenScope(base, "").parameter(table, shape, "table"),
    dropout: (x) => x,
  };
}

const batch = (name: string) => input(name, "int32", [batchDim, tokensDim]);
const inputs: ModelInputs = {
  inputIds: batch("input_ids"),
  attentionMask: batch("attention_mask"),
  tokenTypeIds: batch("token_type_ids"),
};

for (const name of goldenNames("models").filter(isBare)) {
  test(`${name}: the last hidden states, and the pooler's output where the task's class uses it, are transformers'`, async () => {
    const { base, rows, path } = await goldenBase(name);
    const { last_hidden_state: states, pooler_output: pooled } = goldenJson(`models/${name}/golden.json`);
    const scope = frozenScope(base, base.model.prefix);
    const hidden = base.model.encode(scope, inputs);
    const outputs = base.model.poolerModule ? { hidden, pooled: base.model.pool(scope, hidden, inputs) } : { hidden };
    const program = await compile(nativeEngine(path), outputs);
    expect(rows.length).toBe(states.length);
    expect(rows.length).toBeGreaterThan(0);
    for (const [at, { input_ids: ids, attention_mask: mask, token_type_ids: types }] of rows.entries()) {
      const row = (values: readonly number[]) => int32([1, ids.length], Int32Array.from(values));
      const visible = mask ?? ids.map(() => 1);
      const got = await program.run({
        input_ids: row(ids),
        attention_mask: row(visible),
        token_type_ids: row(types ?? ids.map(() => 0)),
      });
      const flat = Array.from(got.hidden?.data ?? [], Number);
      const size = flat.length / ids.length;
      const text = visible.flatMap((on, token) => (on ? flat.slice(token * size, (token + 1) * size) : []));
      expect(distance([text], [states[at]])).toBeLessThan(tolerance);
      if (got.pooled) expect(distance([Array.from(got.pooled.data, Number)], [pooled[at]])).toBeLessThan(tolerance);
    }
    await program.release();
  });
}
