import { basesVerb } from "./bases.ts";
import { chatVerb } from "./chat.ts";
import { convertVerb } from "./convert.ts";
import { demoVerb } from "./demo.ts";
import { embedVerb } from "./embed.ts";
import { evaluateVerb } from "./evaluate.ts";
import { generateVerb } from "./generate.ts";
import { inspectVerb } from "./inspect.ts";
import { logitsVerb } from "./logits.ts";
import { mergeVerb } from "./merge.ts";
import { methodsVerb } from "./methods.ts";
import { planVerb } from "./plan.ts";
import { predictVerb } from "./predict.ts";
import { pretrainVerb } from "./pretrain.ts";
import { quantizeVerb } from "./quantize.ts";
import { serveVerb } from "./serve.ts";
import { studiesVerb } from "./studies.ts";
import { studyVerb } from "./study.ts";
import { trainVerb } from "./train.ts";
import { trainManyVerb } from "./train-many.ts";
import type { Verb } from "./verb.ts";
import { workerVerb } from "./worker.ts";

/** Every verb: one file in cli, one line here. */
export const verbs: readonly Verb[] = [
  demoVerb,
  trainVerb,
  trainManyVerb,
  pretrainVerb,
  evaluateVerb,
  predictVerb,
  generateVerb,
  chatVerb,
  embedVerb,
  logitsVerb,
  inspectVerb,
  planVerb,
  mergeVerb,
  convertVerb,
  quantizeVerb,
  serveVerb,
  workerVerb,
  studyVerb,
  methodsVerb,
  studiesVerb,
  basesVerb,
];
