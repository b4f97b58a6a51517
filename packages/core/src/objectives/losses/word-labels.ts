import { input, type Value } from "../../graph/value.ts";

/** The labels of the positions whose logits are computed, int32 [chunks, 1, rows]. */
export const wordLabels = (): Value => input("labels", "int32", ["chunks", 1, "rows"]);
