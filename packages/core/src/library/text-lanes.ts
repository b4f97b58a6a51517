import { compileDecoder, compileSteps, type DecoderSteps } from "../generation/decoder.ts";
import { type LanePrograms, type Lanes, openLanes, type RowNumbers } from "../generation/lanes.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { inSlot, type JoinedKinds, joinKinds, slotTensors } from "../peft/joined.ts";
import { lengthOf, type Phi, tensorsOf } from "../peft/phi.ts";
import { shapeOf } from "../peft/shape-of.ts";
import { lentCopy } from "../runtime/loan.ts";
import { int32 } from "../tensor/host-tensor.ts";
import type { Lender } from "../tensor/lender.ts";
import type { OpenBase } from "./open-base.ts";

/** Texts of one base that are computed side by side at most. */
const most = 32;

/** The texts under way on a base, whichever adapters they ask. */
export const textLanes = (base: OpenBase): Lanes => base.asked.texts(() => openLanes(lanePrograms(base), most));

/** Programs for kinds of adapters that are kept; the one that was used longest ago goes. */
const mostKept = 4;

interface Joined {
  readonly joined: JoinedKinds;
  readonly kinds: readonly AdaptedModel[];
  readonly steps: DecoderSteps;
}

/** One adapter's rows are computed by its own decoder, those of several by one that all of their kinds fit into. */
function lanePrograms(base: OpenBase): LanePrograms {
  const kept: Joined[] = [];
  const programFor = async (needed: readonly AdaptedModel[]): Promise<Joined> => {
    const at = kept.findIndex(({ joined }) => needed.every(joined.takes));
    const [found] = at < 0 ? [await compileJoined(base, needed)] : kept.splice(at, 1);
    if (!found) throw new RangeError(`${at} of ${kept.length}`);
    kept.push(found);
    if (kept.length > mostKept) await kept.shift()?.steps.release();
    return found;
  };
  return async (adapters, work) => {
    const [first] = adapters;
    if (first && adapters.every(({ phi }) => phi === first.phi)) {
      const { adapted, phi } = first;
      const compile = () => compileDecoder(base.engine, adapted);
      return base.programs.decoders.use(shapeOf(adapted), compile, (program) =>
        work({ steps: program, copy: () => alone(phi) }),
      );
    }
    const kinds = new Map(adapters.map(({ adapted }) => [shapeOf(adapted), adapted]));
    const { joined, steps } = await programFor([...kinds.values()]);
    return work({ steps, copy: (rows) => pooled(joined, rows) });
  };
}

async function compileJoined(base: OpenBase, kinds: readonly AdaptedModel[]): Promise<Joined> {
  const joined = await joinKinds(base, kinds);
  return { joined, kinds, steps: await compileSteps(base.engine, joined.adapted, true) };
}

/** Φ that all rows ask. */
function alone(phi: Phi): RowNumbers {
  const loan = lentCopy(tensorsOf(phi));
  return { has: (rows) => rows.every((row) => row.phi === phi), loan: () => loan };
}

/** Φ of the adapters that rows ask, each once, and which row's is which. */
function pooled({ adapted, place }: JoinedKinds, first: readonly AdapterNumbers[]): RowNumbers {
  const adapters = new Map(first.map((adapter) => [adapter.phi, adapter]));
  const slots = new Map([...adapters.keys()].map((phi, slot) => [phi, slot]));
  const { layout } = adapted;
  const count = slots.size;
  const lender: Lender = { values: new Float32Array(count * lengthOf(layout)) };
  for (const [slot, adapter] of [...adapters.values()].entries()) place(adapter, lender.values, inSlot(slot, count));
  return {
    has: (rows) => rows.every(({ phi }) => slots.has(phi)),
    loan(rows) {
      const chosen = Int32Array.from(rows, ({ phi }) => slots.get(phi) ?? 0);
      const slotted = () => ({ ...slotTensors(layout, count, lender.values), slots: int32([rows.length], chosen) });
      return { tensors: slotted, lenders: [lender] };
    },
  };
}
