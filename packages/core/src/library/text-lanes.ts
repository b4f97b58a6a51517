import { compileDecoder, compileSteps, type DecoderSteps } from "../generation/decoder.ts";
import { type LaneProgram, type LanePrograms, type Lanes, openLanes } from "../generation/lanes.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { type JoinedKinds, joinKinds } from "../peft/joined.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import { shapeOf } from "../peft/shape-of.ts";
import type { Tensors } from "../runtime/session.ts";
import { float32, int32 } from "../tensor/host-tensor.ts";
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
      return base.programs.decoders.use(shapeOf(adapted), compile, (steps) =>
        work({ steps, model: () => tensorsOf(phi) }),
      );
    }
    const kinds = new Map(adapters.map(({ adapted }) => [shapeOf(adapted), adapted]));
    const { joined, steps } = await programFor([...kinds.values()]);
    return work({ steps, model: pooled(joined) });
  };
}

async function compileJoined(base: OpenBase, kinds: readonly AdaptedModel[]): Promise<Joined> {
  const joined = await joinKinds(base, kinds);
  return { joined, kinds, steps: await compileSteps(base.engine, joined.adapted, true) };
}

/** Φ of the adapters that rows ask, each once, and which row's is which. */
const pooled =
  (joined: JoinedKinds): LaneProgram["model"] =>
  (rows): Tensors => {
    const slots = new Map<Phi, { readonly slot: number; readonly adapter: AdapterNumbers }>();
    for (const adapter of rows) if (!slots.has(adapter.phi)) slots.set(adapter.phi, { slot: slots.size, adapter });
    const { layout } = joined.adapted;
    const count = slots.size;
    const values = new Float32Array(count * layout.reduce((sum, { size }) => sum + size, 0));
    for (const { slot, adapter } of slots.values())
      joined.place(adapter, values, ({ offset, size }) => count * offset + slot * size);
    const pools = layout.map(({ name, shape, offset, size }) => {
      return [name, float32([count, ...shape], values.subarray(count * offset, count * (offset + size)))] as const;
    });
    const chosen = Int32Array.from(rows, ({ phi }) => slots.get(phi)?.slot ?? 0);
    return { ...Object.fromEntries(pools), slots: int32([rows.length], chosen) };
  };
