import {
  type AdaptedModel,
  aloneBecause,
  compileMixedRows,
  compileRows,
  type EncodedExample,
  type Engine,
  type MixedRowProgram,
  type OpenModel,
  type Prediction,
  type RowOutput,
  type RowProgram,
} from "@petl/core";

/** A row and the adapter that it asks. */
export interface AskedRow {
  readonly model: OpenModel;
  readonly row: EncodedExample;
}

/** Compiled models, one for all adapters of the same methods, options and goal. */
export interface RowPrograms {
  /** Computes rows that {@link together} says can be one batch, in their order. Not while others are computed. */
  run(rows: readonly AskedRow[], output: RowOutput): Promise<readonly Prediction[]>;
  release(): Promise<void>;
}

/** Whether the rows of two adapters can be one batch: each of one adapter, or adapters of a kind that differ in numbers alone. */
export const together = (a: OpenModel, b: OpenModel): boolean =>
  a === b || (structureOf(a.adapted) === structureOf(b.adapted) && aloneBecause(a.adapted).length === 0);

/** Kept at most; the one that was asked longest ago goes. */
const kept = 64;

/** @param slots adapters of a kind that lie ready for mixed batches; no fewer than rows in a batch */
export function rowPrograms(engine: Engine, slots: number): RowPrograms {
  const programs = latest<RowProgram>();
  const mixed = latest<Mixed>();
  return {
    async run(rows, output) {
      const [first] = rows;
      if (!first) return [];
      const { model } = first;
      const key = `${output} ${structureOf(model.adapted)}`;
      if (rows.every((each) => each.model === model)) {
        const program = await programs.of(key, () => compileRows(engine, model.adapted, output));
        return program.run(
          model.phi,
          rows.map(({ row }) => row),
        );
      }
      const program = await mixed.of(key, async () =>
        withSlots(await compileMixedRows(engine, model.adapted, output, slots), slots),
      );
      return program.run(rows);
    },
    async release() {
      await Promise.all([programs.release(), mixed.release()]);
    },
  };
}

interface Mixed {
  run(rows: readonly AskedRow[]): Promise<readonly Prediction[]>;
  release(): Promise<void>;
}

/** Finds each adapter its slot: the one where it lies, else that of the adapter that was asked longest ago. */
function withSlots(program: MixedRowProgram, slots: number): Mixed {
  const slotOf = new Map<OpenModel, number>();
  const place = (model: OpenModel): void => {
    const known = slotOf.get(model);
    const slot = known ?? (slotOf.size < slots ? slotOf.size : oldest(slotOf));
    slotOf.delete(model); // and behind all others again
    slotOf.set(model, slot);
    if (known === undefined) program.put(slot, model.phi);
  };
  return {
    run(rows) {
      const models = new Set(rows.map(({ model }) => model));
      for (const model of models) if (slotOf.has(model)) place(model); // none of them makes room for another
      for (const model of models) place(model);
      return program.run(rows.map(({ model, row }) => ({ row, slot: slotOf.get(model) ?? 0 })));
    },
    release: () => program.release(),
  };
}

function oldest(slotOf: Map<OpenModel, number>): number {
  const [model, slot] = slotOf.entries().next().value ?? [];
  if (model === undefined || slot === undefined) return 0;
  slotOf.delete(model);
  return slot;
}

/** Compiled programs by key, of which those asked last are kept. */
function latest<P extends { release(): Promise<void> }>() {
  const programs = new Map<string, Promise<P>>();
  return {
    of(key: string, compile: () => Promise<P>): Promise<P> {
      const program = programs.get(key) ?? compile();
      programs.delete(key);
      programs.set(key, program);
      program.catch(() => programs.delete(key));
      for (const [oldestKey, old] of programs) {
        if (programs.size <= kept) break;
        programs.delete(oldestKey);
        old.then((last) => last.release()).catch(() => undefined);
      }
      return program;
    },
    async release(): Promise<void> {
      const all = [...programs.values()];
      programs.clear();
      await Promise.allSettled(all.map(async (program) => (await program).release()));
    },
  };
}

const structures = new WeakMap<AdaptedModel, string>();

/** What the graph follows from: adapters that agree in it differ in numbers alone. */
function structureOf(adapted: AdaptedModel): string {
  const known = structures.get(adapted);
  if (known !== undefined) return known;
  const { methods, goal, layout, targets } = adapted;
  const uses = methods.map(({ name, options }) => [name, options]);
  const shapes = layout.map(({ name, shape }) => [name, shape]);
  const text = JSON.stringify([uses, goal, shapes, targets]);
  structures.set(adapted, text);
  return text;
}
