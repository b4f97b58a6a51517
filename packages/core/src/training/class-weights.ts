import { z } from "zod";
import type { ClassWeights } from "../objectives/labels/class-weights.ts";
import type { Setting } from "../settings/setting.ts";
import { parsedJson } from "../values.ts";

const weights = z.union([z.literal("balanced"), z.record(z.string(), z.number())]);

/** What classes weigh in the loss: an object by the classes' names, or the JSON that writes it. */
export const classWeights: Setting<ClassWeights | undefined> = {
  initial: undefined,
  placeholder: "balanced|JSON",
  help: "what classes weigh in the loss: as much as they are rare, or by name as in '{\"spam\": 2}'",
  otherwise: "all the same",
  read(given) {
    if (given === undefined) return { value: undefined };
    const parsed = weights.safeParse(typeof given === "string" ? (parsedJson(given) ?? given) : given);
    return parsed.success
      ? { value: parsed.data }
      : { problems: ["must be balanced, or numbers by the classes' names"] };
  },
};
