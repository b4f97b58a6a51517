import {
  type AdaptedModel,
  type EncodedExample,
  encodeRows,
  firstChanged,
  headless,
  InputError,
  initialPhi,
  inputOf,
  type OpenModel,
  type Prediction,
  type RowOutput,
  rowLimits,
  startsFromData,
} from "@petl/core";
import type { RowPrograms } from "./bank-programs.ts";

/** Rows of many callers, computed in batches. */
export interface RowBatches {
  /** @throws InputError for a text that the model's tokenizer cannot read */
  ask(
    model: OpenModel,
    output: RowOutput,
    row: { readonly text: string; readonly textPair?: string | undefined },
  ): Promise<Prediction>;
  /** @throws InputError for an adapter that leaves what the base computes in front of its head as it is, unless its head is all it has */
  refuseNeutral(model: OpenModel): Promise<void>;
}

interface Waiting {
  readonly model: OpenModel;
  readonly output: RowOutput;
  readonly row: EncodedExample;
  readonly resolve: (prediction: Prediction) => void;
  readonly reject: (error: unknown) => void;
}

/** A row waits until a batch of adapters of its kind is full, or for `maxWait` ms; while one batch is computed the next ones gather. */
export function rowBatches(
  programs: RowPrograms,
  { maxBatch, maxWait }: { readonly maxBatch: number; readonly maxWait: number },
): RowBatches {
  const waiting: Waiting[] = [];
  let working = false;
  /** what the base computes of the probe row */
  const plain = new Map<RowOutput, Promise<Prediction>>();
  const next = () => takeBatch(programs, waiting, maxBatch);
  const work = async () => {
    for (let batch = next(); batch.length > 0; batch = next()) await compute(programs, batch);
    working = false;
  };
  const put = (each: Waiting) => {
    waiting.push(each);
    if (working) return;
    working = true;
    if (maxWait === 0 || waiting.length >= maxBatch) setImmediate(work);
    else setTimeout(work, maxWait);
  };
  const asked = (model: OpenModel, output: RowOutput, row: EncodedExample): Promise<Prediction> =>
    new Promise((resolve, reject) => put({ model, output, row, resolve, reject }));
  const plainly = (base: OpenModel["base"], output: RowOutput, row: EncodedExample): Promise<Prediction> => {
    const known = plain.get(output) ?? headless(base).then((bare) => asked(bare, output, row));
    plain.set(output, known);
    known.catch(() => plain.delete(output));
    return known;
  };
  return {
    ask: async (model, output, row) => asked(model, output, encoded(model, row)),
    async refuseNeutral(model) {
      const { methods, layout, modelTensors } = model.adapted;
      const own = new Set(modelTensors.filter(({ head }) => head).map(({ name }) => name));
      if (methods.length === 0 || layout.every(({ name }) => own.has(name))) return;
      const row = probe(model.base.model.sizes.vocabulary);
      for (const output of probed(model.adapted)) {
        const [changed, unchanged] = await Promise.all([asked(model, output, row), plainly(model.base, output, row)]);
        if (differs(changed.logits, unchanged.logits)) return;
      }
      if (await changesLogits(model, own, (each) => asked(each, "logits", row))) return;
      const but = layout.some(({ name }) => own.has(name)) ? " but the head" : "";
      throw new InputError(
        `it changes nothing${but}: on a probe row the base computes the same with it and without it`,
      );
    },
  };
}

/** The oldest row with those behind it that can be computed with it; they no longer wait. */
function takeBatch(programs: RowPrograms, waiting: Waiting[], most: number): readonly Waiting[] {
  const first = waiting[0];
  if (!first) return [];
  const chosen: Waiting[] = [];
  const models = new Set<OpenModel>();
  for (const each of waiting) {
    if (chosen.length === most) break;
    const fits = models.has(each.model) || programs.together([...models], each.model);
    if (each.output !== first.output || !fits) continue;
    chosen.push(each);
    models.add(each.model);
  }
  const taken = new Set(chosen);
  waiting.splice(0, waiting.length, ...waiting.filter((each) => !taken.has(each)));
  return chosen;
}

async function compute(programs: RowPrograms, batch: readonly Waiting[]): Promise<void> {
  const first = batch[0];
  if (!first) return;
  try {
    const found = await programs.run(batch, first.output);
    for (const [at, { resolve, reject }] of batch.entries()) {
      const prediction = found[at];
      if (prediction?.logits.every(Number.isFinite)) resolve(prediction);
      else reject(new InputError("the model's numbers grow beyond float32 on this row"));
    }
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

function encoded(
  { adapted, base }: OpenModel,
  { text, textPair }: { readonly text: string; readonly textPair?: string | undefined },
): EncodedExample {
  const examples = [{ kind: "text" as const, text, ...(textPair === undefined ? {} : { pair: textPair }) }];
  const set = { name: "the texts", examples, placeOf: () => "the text", columns: { text: "text" } };
  const how = { tokenizer: base.tokenizer, ...rowLimits(adapted, base.tokenizer, undefined) };
  const [row] = encodeRows(set, adapted, undefined, how);
  if (!row) throw new InputError("a text is missing");
  return row;
}

/** Whether logits are others than with the same head where the method starts, which leaves the base as it is. */
async function changesLogits(
  model: OpenModel,
  headNames: ReadonlySet<string>,
  logits: (model: OpenModel) => Promise<Prediction>,
): Promise<boolean> {
  const { adapted, phi } = model;
  if (startsFromData(adapted)) return false;
  const start = await initialPhi(adapted, 0);
  const head = phi.layout.filter(({ name }) => headNames.has(name));
  for (const { offset, size } of head) start.values.set(phi.values.subarray(offset, offset + size), offset);
  const [changed, unchanged] = await Promise.all([model, { ...model, phi: start }].map(logits));
  return changed !== undefined && unchanged !== undefined && differs(changed.logits, unchanged.logits);
}

/** A row of tokens from all over the vocabulary. */
function probe(vocabulary: number): EncodedExample {
  const tokens = Math.min(4, vocabulary);
  return { inputIds: Int32Array.from({ length: tokens }, (_, at) => Math.floor(((at + 0.5) * vocabulary) / tokens)) };
}

const earliest = new WeakMap<AdaptedModel, string | undefined>();

/** What a difference is looked for in: what Φ changes first, and only where that is the same what comes last. */
function probed(adapted: AdaptedModel): readonly RowOutput[] {
  if (!earliest.has(adapted)) earliest.set(adapted, firstChanged(adapted));
  const path = earliest.get(adapted);
  return [...(path === undefined ? [] : [inputOf(path)]), "hidden"];
}

/** Whether vectors differ by more than the rounding of methods that multiply by 1. */
function differs(a: Float32Array, b: Float32Array): boolean {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.length !== b.length || a.some((value, at) => !(Math.abs(value - (b[at] ?? 0)) <= 1e-6 * largest));
}
