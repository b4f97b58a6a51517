import { join } from "node:path";
import { adaptTo, countParameters, type Label, type Share, shareRight } from "@petl/core";
import { weightsDigest } from "../library/digests.ts";
import { type OpenBase, type OpenBaseOptions, openBase } from "../library/open-base.ts";
import { saveAdapter } from "../library/save.ts";
import { compareMethods, type MethodRow, type Trial } from "./compare.ts";
import { ownTask } from "./forgetting.ts";
import { askTogether, type OneBase, weightBytes } from "./one-base.ts";
import { loraRecipe, recipes, userRecipe } from "./recipes.ts";
import { type DemoTask, fit, openTask, rightAnswers, type StepSeen, secondsSince, textsOf } from "./training.ts";

/** A LoRA adapter for one more task, or for one user. */
interface FurtherAdapter {
  /** below adapters/: `questions`, `users/midwife` */
  readonly name: string;
  readonly labels: readonly Label[];
  readonly accuracy: Share;
  readonly adapter_bytes: number;
  readonly seconds: number;
}

export interface TourResult {
  readonly base: {
    readonly name: string;
    readonly parameters: number;
    readonly bytes: number;
    /** whether the weights are, at the end, the bytes that they were before the first adapter */
    readonly unchanged: boolean;
  };
  readonly task: {
    readonly name: string;
    readonly train: number;
    readonly test: number;
    readonly labels: readonly Label[];
  };
  /** the base's masked-LM loss before any adapter; null for a base without that head */
  readonly own_task: { readonly texts: number; readonly loss: number } | null;
  readonly methods: readonly MethodRow[];
  readonly further: readonly FurtherAdapter[];
  readonly one_base: OneBase;
  readonly seconds: number;
}

export type TourEvent = StepSeen | Trial | { readonly kind: "end"; readonly result: TourResult };

interface TourOptions extends Pick<OpenBaseOptions, "threads" | "signal"> {
  /** the base that everything stands on */
  readonly base: string;
  /** receives adapters/ */
  readonly folder: string;
  /** one epoch and one seed: to see that it runs */
  readonly quick?: boolean | undefined;
}

/** Seconds for the comparison: further seeds are trained while they last. */
const budget = 90;

/**
 * The demo: on one frozen base, six methods learn a first task side by side; then LoRA learns two more tasks and what
 * is urgent to each of two users; then all adapters are loaded onto the base, opened once, and answer together.
 */
export async function* tour({ base: name, folder, quick = false, ...opening }: TourOptions): AsyncGenerator<TourEvent> {
  const begin = performance.now();
  const adapters = join(folder, "adapters");
  const training = await openBase(name, opening);
  let trained: Omit<TourResult, "one_base" | "seconds">;
  try {
    trained = yield* trainAll(training, { adapters, quick });
  } finally {
    await training.close();
  }
  const serving = await openBase(name, opening);
  try {
    const one_base = await askTogether(serving, adapters, asked);
    yield { kind: "end", result: { ...trained, one_base, seconds: secondsSince(begin) } };
  } finally {
    await serving.close();
  }
}

const further = ["questions", "reviews", "users/midwife", "users/cellist"] as const;

/** The adapters that answer at the end, as folders below adapters/. */
const asked = { tasks: ["messages/lora", "questions", "reviews"], users: ["users/midwife", "users/cellist"] };

async function* trainAll(
  base: OpenBase,
  { adapters, quick }: { readonly adapters: string; readonly quick: boolean },
): AsyncGenerator<StepSeen | Trial, Omit<TourResult, "one_base" | "seconds">, void> {
  const digest = await weightsDigest(base.folder);
  const first = await openTask("messages", base);
  const others = await Promise.all(further.map((each) => openTask(each, base)));
  const own = await ownTask(
    base,
    others.filter(isTask).flatMap(({ test }) => textsOf(test)),
  );
  const folder = join(adapters, "messages");
  const methods = yield* compareMethods(base, first, { recipes, folder, own, quick, budget: quick ? 0 : budget });
  const learnt: FurtherAdapter[] = [];
  for (const task of others) learnt.push(yield* learn(base, task, { folder: join(adapters, task.name), quick }));
  return {
    base: {
      name: base.name,
      bytes: await weightBytes(base),
      unchanged: (await weightsDigest(base.folder)) === digest,
      parameters: countParameters((await adaptTo(base, loraRecipe.method, first)).adapted).base_parameters,
    },
    task: {
      name: first.name,
      train: textsOf(first.train).length,
      test: textsOf(first.test).length,
      labels: first.labels,
    },
    own_task: own ? { texts: own.texts, loss: own.loss } : null,
    methods,
    further: learnt,
  };
}

const isTask = ({ name }: DemoTask) => !name.startsWith("users/");

async function* learn(
  base: OpenBase,
  task: DemoTask,
  { folder, quick }: { readonly folder: string; readonly quick: boolean },
): AsyncGenerator<StepSeen, FurtherAdapter, void> {
  const begin = performance.now();
  const model = yield* fit(base, task, isTask(task) ? loraRecipe : userRecipe, { run: `lora for ${task.name}`, quick });
  const seconds = secondsSince(begin);
  return {
    name: task.name,
    labels: task.labels,
    seconds,
    accuracy: shareRight([await rightAnswers(model, task)]),
    adapter_bytes: await saveAdapter(model, folder),
  };
}
