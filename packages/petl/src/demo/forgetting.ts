import { type ExampleSet, evaluate, type OpenModel, taskOf, unadapted } from "@petl/core";
import type { OpenBase } from "../library/open-base.ts";
import { underSourceHead } from "../studies/source-loss.ts";

/** What a base was made for, hiding tokens and guessing them, as a measure of what an adapter makes it forget. */
export interface OwnTask {
  readonly texts: number;
  /** the base's masked-LM loss on these texts */
  readonly loss: number;
  /** The same with an adapter's trained tensors in the base's body, under the base's own head. */
  lossWith(model: OpenModel): Promise<number>;
}

/** The masked-LM task of a base on texts, always with the same tokens hidden; undefined for a base without that head. */
export async function ownTask(base: OpenBase, texts: readonly string[]): Promise<OwnTask | undefined> {
  if (taskOf(base.config) !== "masked-lm") return undefined;
  const set = textSet(texts);
  const { loss } = await evaluate(await unadapted(base), set);
  return {
    texts: texts.length,
    loss,
    lossWith: async (model) => (await evaluate(await underSourceHead(model, "masked-lm"), set)).loss,
  };
}

const textSet = (texts: readonly string[]): ExampleSet => ({
  name: "the held-out texts",
  examples: texts.map((text) => ({ kind: "text", text })),
  placeOf: (row) => `held-out text ${row + 1}`,
  columns: { text: "text" },
});
