import { type AdaptedModel, compileRows, type Engine, type RowOutput, type RowProgram } from "@petl/core";

/** Compiled models, one for all adapters of the same methods, options and goal. */
export interface RowPrograms {
  of(adapted: AdaptedModel, output: RowOutput): Promise<RowProgram>;
  release(): Promise<void>;
}

/** Kept at most; the one that was asked longest ago goes. */
const kept = 64;

export function rowPrograms(engine: Engine): RowPrograms {
  const programs = new Map<string, Promise<RowProgram>>();
  return {
    of(adapted, output) {
      const key = `${output} ${structureOf(adapted)}`;
      const program = programs.get(key) ?? compileRows(engine, adapted, output);
      programs.delete(key);
      programs.set(key, program);
      program.catch(() => programs.delete(key));
      for (const [oldest, old] of programs) {
        if (programs.size <= kept) break;
        programs.delete(oldest);
        old.then((last) => last.release()).catch(() => undefined);
      }
      return program;
    },
    async release() {
      const all = [...programs.values()];
      programs.clear();
      await Promise.allSettled(all.map(async (program) => (await program).release()));
    },
  };
}

const structures = new WeakMap<AdaptedModel, string>();

/** What the graph follows from: adapters that agree in it differ in numbers alone. */
export function structureOf(adapted: AdaptedModel): string {
  const known = structures.get(adapted);
  if (known !== undefined) return known;
  const { methods, goal, layout, targets } = adapted;
  const uses = methods.map(({ name, options }) => [name, options]);
  const shapes = layout.map(({ name, shape }) => [name, shape]);
  const text = JSON.stringify([uses, goal, shapes, targets]);
  structures.set(adapted, text);
  return text;
}
