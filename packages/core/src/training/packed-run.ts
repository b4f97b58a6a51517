import { packExamples } from "../data/batches/pack-examples.ts";
import { refuse } from "../errors.ts";
import { heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { longestRow } from "../peft/longest-row.ts";
import { promptLength } from "../peft/prompted.ts";
import type { TrainingRun } from "./train.ts";

/**
 * The same run with its examples packed, where its settings say so; those to validate on stay as they are.
 * @throws InputError for a model that is no causal language model, and for rows longer than it takes
 */
export function packedRun<Run extends Pick<TrainingRun, "examples" | "adapted" | "settings">>(run: Run): Run {
  const { examples, adapted, settings } = run;
  const { task } = adapted.goal;
  const { pack: room } = settings;
  if (room === undefined) return run;
  const longest = longestRow(adapted);
  const stored = "lengths" in examples;
  refuse([
    ...(heads[objectiveOf(task).head].goesOn
      ? []
      : [`only rows of causal language models are packed; this model is for ${task}`]),
    ...(room <= longest ? [] : [`packed rows of ${room} tokens are longer than the ${longest} that the model takes`]),
    ...(promptLength(adapted.methods) === 0
      ? []
      : ["a learned prompt stands in front of one text; packed rows are several"]),
    ...(stored ? ["rows that lie in a file are not packed again"] : []),
  ]);
  return stored ? run : { ...run, examples: packExamples(examples, room) };
}
