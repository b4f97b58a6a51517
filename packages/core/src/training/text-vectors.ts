import { planEvaluation } from "../data/batches/batches.ts";
import { collate } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { pool } from "../nn/pooling.ts";
import { headlessTask } from "../objectives/objectives.ts";
import { adapt } from "../peft/adapt.ts";
import type { Base } from "../peft/base.ts";
import { compile } from "../runtime/program.ts";
import type { Engine } from "../runtime/session.ts";

/** A base model that gives whole texts vectors. */
export interface TextVectors {
  /** length of a vector */
  readonly size: number;
  /** A vector of length 1 for every row, in the rows' order. */
  run(rows: readonly EncodedExample[]): Promise<readonly Float32Array[]>;
  release(): Promise<void>;
}

const batchRows = 32;

/**
 * Compiles the frozen base so that it gives every text the mean over its tokens of the last hidden states, divided by its
 * norm (Reimers & Gurevych 2019, arXiv:1908.10084, section 3: mean pooling).
 */
export async function compileTextVectors(engine: Engine, base: Base): Promise<TextVectors> {
  const { hidden, inputs } = adapt(base, [], { task: headlessTask, labels: 1 }).forward();
  const program = await compile(engine, { vectors: pool("mean", hidden, inputs.attentionMask) });
  const { hidden: size, padId } = base.model.sizes;
  return {
    size,
    async run(rows) {
      const found = new Array<Float32Array>(rows.length);
      const lengths = rows.map(({ inputIds }) => inputIds.length);
      for (const places of planEvaluation(lengths, batchRows)) {
        const { items: _items, ...batch } = collate(
          places.flatMap((place) => rows[place] ?? []),
          padId,
        );
        const { vectors } = await program.run(batch);
        for (const [i, place] of places.entries())
          found[place] = unit(Float32Array.from({ length: size }, (_, axis) => Number(vectors?.data[i * size + axis])));
      }
      return found;
    },
    release: () => program.release(),
  };
}

/** x / |x| */
function unit(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return norm === 0 ? vector : vector.map((value) => value / norm);
}
