import { InternalError } from "../errors.ts";
import { float32Of } from "../tensor/host-tensor.ts";
import { type AdaptedModel, adapt } from "./adapt.ts";
import type { AdapterNumbers } from "./adapter.ts";
import { emptyPhi, tensorWriter, trainedTensors } from "./phi.ts";

/** The form in which an adapter is saved, as far as its options decide it and not what was trained. */
export function settledForm(adapted: AdaptedModel): AdaptedModel {
  const uses = adapted.methods.map((use) => use.settle?.({ tensors: {}, starts: {} })?.use ?? use);
  return uses.every((use) => adapted.methods.includes(use)) ? adapted : adapt(adapted.base, uses, adapted.goal);
}

/** A trained adapter in the form in which it is saved: it computes the same, and needs no start of its own. */
export function settle<A extends AdapterNumbers>(adapter: A): A {
  const { adapted, phi } = adapter;
  const { base, goal, layout } = adapted;
  const all = trainedTensors(phi);
  const forms = adapted.methods.map((use) => {
    const own = layout.filter(({ part, method }) => part === "adapter" && method === use.name).map(({ name }) => name);
    const among = <T>(named: Readonly<Record<string, T>>) =>
      Object.fromEntries(Object.entries(named).filter(([name]) => own.includes(name)));
    return use.settle?.({ tensors: among(all), starts: among(phi.starts) }) ?? { use, tensors: {} };
  });
  if (forms.every(({ use }) => adapted.methods.includes(use))) return adapter;
  const settled = adapt(
    base,
    forms.map(({ use }) => use),
    goal,
  );
  const changed = Object.fromEntries(forms.flatMap(({ tensors: ownTensors }) => Object.entries(ownTensors)));
  const tensors = { ...all, ...changed };
  const settledPhi = { ...emptyPhi(settled.layout), projections: phi.projections };
  const put = tensorWriter(settledPhi);
  for (const { name } of settled.layout) {
    const tensor = tensors[name];
    if (!tensor) throw new InternalError(`"${name}" was settled into nothing`);
    put(name, float32Of(tensor));
  }
  return { ...adapter, adapted: settled, phi: settledPhi };
}
