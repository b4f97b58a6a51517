import { compileDecoder, compileSteps, type DecoderSteps } from "../generation/decoder.ts";
import { type LanePrograms, type Lanes, openLanes, type RowNumbers } from "../generation/lanes.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { type JoinedKinds, joinKinds } from "../peft/joined.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import { rowPhi } from "../peft/row-phi.ts";
import { shapeOf } from "../peft/shape-of.ts";
import { lentCopy } from "../runtime/loan.ts";
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
      return base.programs.decoders.use(shapeOf(adapted), compile, (steps) => work({ steps, copy: () => alone(phi) }));
    }
    const kinds = new Map(adapters.map(({ adapted }) => [shapeOf(adapted), adapted]));
    const { joined, steps } = await programFor([...kinds.values()]);
    return work({ steps, copy: (rows) => each(joined, rows) });
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

/** Φ of each row; rows that end are taken out, and the others keep their numbers. */
function each(joined: JoinedKinds, first: readonly AdapterNumbers[]): RowNumbers {
  const phi = rowPhi(joined, first.length);
  for (const [row, adapter] of first.entries()) phi.put(row, adapter);
  return {
    has: (rows) => isWithin(rows, phi.held()),
    loan(rows) {
      for (const [row, adapter] of rows.entries()) phi.put(row, adapter); // from behind: none is put over one that goes on
      return { tensors: () => phi.tensors(rows.length), lenders: [phi.lender] };
    },
  };
}

/** Whether rows ask what some hold, in their order, though not all of it. */
function isWithin(rows: readonly AdapterNumbers[], held: readonly (Phi | undefined)[]): boolean {
  let from = 0;
  return rows.every(({ phi }) => {
    from = held.indexOf(phi, from) + 1;
    return from > 0;
  });
}
