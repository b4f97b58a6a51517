import type { Plan } from "@petl/core";

/** A plan for people. */
export function* planLines({ base, target, plans }: Plan): Generator<string> {
  yield `${base.architecture}: ${base.base_parameters.toLocaleString("en-US")} parameters, ${base.layers} layers, hidden ${base.hidden}`;
  for (const plan of plans)
    yield `${plan.method} ${plan.trained_parameters} ${plan.adapter_bytes} ${plan.training_memory_bytes.total}`;
  yield String(target?.kind ?? "");
}
