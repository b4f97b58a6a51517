import { compileDecoder, compileSteps, type DecoderSteps } from "../generation/decoder.ts";
import { type LanePrograms, type Lanes, openLanes, type RowNumbers } from "../generation/lanes.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { inSlot, type JoinedKinds, joinKinds } from "../peft/joined.ts";
import { lengthOf, type Phi, tensorsOf } from "../peft/phi.ts";
import { shapeOf } from "../peft/shape-of.ts";
import { heldCopy } from "../runtime/held-copy.ts";
import type { Engine } from "../runtime/session.ts";
import { int32 } from "../tensor/host-tensor.ts";
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
    if (first && adapters.every(({ phi }) => phi.values === first.phi.values)) {
      const { adapted, phi } = first;
      const compile = () => compileDecoder(base.engine, adapted);
      return base.programs.decoders.use(shapeOf(adapted), compile, (program) =>
        work({ steps: program, copy: () => alone(base.engine, phi) }),
      );
    }
    const kinds = new Map(adapters.map(({ adapted }) => [shapeOf(adapted), adapted]));
    const { joined, steps } = await programFor([...kinds.values()]);
    return work({ steps, copy: (rows) => pooled(base.engine, joined, rows) });
  };
}

async function compileJoined(base: OpenBase, kinds: readonly AdaptedModel[]): Promise<Joined> {
  const joined = await joinKinds(base, kinds);
  return { joined, kinds, steps: await compileSteps(base.engine, joined.adapted, true) };
}

/** Φ that all rows ask. */
async function alone(engine: Engine, phi: Phi): Promise<RowNumbers> {
  const { values } = phi;
  const { tensors, release } = await heldCopy(engine, tensorsOf(phi));
  return { has: (rows) => rows.every((row) => row.phi.values === values), tensors: () => tensors, release };
}

/** Φ of the adapters that rows ask, each once, and which row's is which. */
async function pooled(
  engine: Engine,
  { adapted: { layout }, place }: JoinedKinds,
  first: readonly AdapterNumbers[],
): Promise<RowNumbers> {
  const adapters = new Map(first.map((adapter) => [adapter.phi.values, adapter]));
  const slots = new Map([...adapters.keys()].map((own, slot) => [own, slot]));
  const count = slots.size;
  const values = new Float32Array(count * lengthOf(layout));
  for (const [slot, adapter] of [...adapters.values()].entries()) place(adapter, values, inSlot(slot, count));
  const held = await engine.hold(values);
  const tensors = Object.fromEntries(
    layout.map(({ name, shape, offset }) => [name, { held, start: count * offset, shape: [count, ...shape] }]),
  );
  return {
    has: (rows) => rows.every(({ phi }) => slots.has(phi.values)),
    tensors(rows) {
      const chosen = Int32Array.from(rows, ({ phi }) => slots.get(phi.values) ?? 0);
      return { ...tensors, slots: int32([rows.length], chosen) };
    },
    release: () => held.release(),
  };
}
