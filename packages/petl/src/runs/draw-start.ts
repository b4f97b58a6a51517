import {
  type AdaptedModel,
  type EncodedRows,
  type HfModel,
  initialPhi,
  inputDirections,
  type Phi,
  startsFromData,
} from "@petl/core";
import { workerEngine } from "../engine/worker-engine.ts";

/** Draws Φ's start; where it comes from the data to train on, the base reads them once. */
export async function drawStart(
  { checkpoint }: Pick<HfModel, "checkpoint">,
  folder: string,
  adapted: AdaptedModel,
  examples: EncodedRows,
  seed: number,
): Promise<Phi> {
  if (!startsFromData(adapted)) return initialPhi(adapted, seed);
  const engine = await workerEngine(folder, checkpoint?.files ?? []);
  try {
    return await initialPhi(adapted, seed, await inputDirections(engine, adapted, examples));
  } finally {
    await engine.close();
  }
}
