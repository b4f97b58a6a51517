import {
  methods as allMethods,
  InputError,
  loadSettings,
  type PlanOptions,
  planFor,
  shapedArchitectures,
} from "@petl/core";
import { writeFileSafely } from "../disk/safe-write.ts";
import { byteSize, flagName, optionalChoice, optionalCount, shareOrPercent, text } from "../flags/flags.ts";
import { chooseMethods, givenTo } from "../flags/method-flags.ts";
import { offlineFlag } from "../flags/shared-flags.ts";
import { baseNamed, type NamedPlanSource } from "../library/plan.ts";
import { version } from "../version.ts";
import { shownDownload } from "./open.ts";
import { planFigure } from "./plan-figure.ts";
import { planLines } from "./plan-lines.ts";
import { type Call, defineVerb } from "./verb.ts";

const planFlags = {
  base: text("BASE", "the base model: a folder, a hub id (owner/name[@revision]) or a bundled name"),
  config: text("FILE", "a base's config.json, in the place of a base"),
  layers: text("N|LIST", "depth of a base that exists as a shape only; with --base or --config the method's option"),
  hidden: optionalCount("width of a base that exists as a shape only"),
  heads: optionalCount("its heads of attention (as many as have 64 numbers each)"),
  feedForward: optionalCount("the width of its feed-forward layers (as usual for the architecture)"),
  vocabulary: optionalCount("its vocabulary (as usual for the architecture)"),
  positions: optionalCount("its positions (as usual for the architecture)"),
  architecture: optionalChoice(shapedArchitectures, "its architecture (bert)"),
  ratio: shareOrPercent("trained share of the base, the head not counted: 0.1% or 0.001"),
  parameters: optionalCount("trained parameters, the head not counted"),
  fileSize: byteSize("size of the adapter's weights on the disk"),
  memory: byteSize("memory of the training, by one worker and without --recompute"),
  ...loadSettings,
  method: text("METHODS", "plan this method alone, or several joined by commas, with the options that are given"),
  figure: text("FILE", "write a picture of the plan, SVG"),
  offline: offlineFlag,
};

export const planVerb = defineVerb({
  name: "plan",
  group: "Train",
  summary: "find the size of every method that meets a target: share, parameters, file size or memory",
  flags: planFlags,
  takesMethods: true,
  examples: [
    "plan --base petl-mini-encoder --ratio 0.5%",
    "plan --base petl-mini-encoder --method lora,bottleneck --parameters 20000",
    "plan --base petl-mini-encoder --task classification --labels 3 --file-size 100kB --json",
    "plan --architecture gpt2 --layers 96 --hidden 12288 --heads 96 --vocabulary 50257 --ratio 0.1%",
    "plan --architecture llama --layers 22 --hidden 2048 --memory 4GB --batch 4 --max-length 256",
  ],
  async run(call, context) {
    const { flags, json } = call;
    const where = {
      offline: flags.offline,
      signal: context.signal,
      onProgress: shownDownload(flags.base ?? "", context.terminal),
    };
    const placed = await planFor(sourceOf(call), optionsOf(call), {
      version,
      read: (named) => baseNamed(named, where),
    });
    context.terminal.done();
    if (flags.figure !== undefined) await writeFileSafely(flags.figure, [new TextEncoder().encode(planFigure(placed))]);
    if (json) return context.print(JSON.stringify(placed.plan));
    for (const line of planLines(placed)) await context.print(line);
  },
});

type PlanCall = Call<typeof planFlags>;

const ownBase = ({ base, config }: PlanCall["flags"]): boolean => base !== undefined || config !== undefined;

function sourceOf({ flags }: PlanCall): NamedPlanSource {
  const { base, config, layers, hidden, heads, feedForward, vocabulary, positions, architecture } = flags;
  const shape = { hidden, heads, feedForward, vocabulary, positions, architecture };
  const given = Object.entries({ base, config, ...shape }).filter(([, value]) => value !== undefined);
  const depth = ownBase(flags) || layers === undefined ? {} : { layers: depthOf(layers) };
  return Object.fromEntries([...given, ...Object.entries(depth)]) as NamedPlanSource;
}

function depthOf(layers: string): number {
  if (/^[1-9]\d*$/.test(layers)) return Number(layers);
  throw new InputError(
    `--layers ${JSON.stringify(layers)} is not a whole number; a list of layers goes with --base or --config`,
  );
}

function optionsOf({ flags, methodOptions }: PlanCall): PlanOptions {
  const { ratio, parameters, fileSize, memory, batch, maxLength, accumulate, task, labels, method, layers } = flags;
  const options = ownBase(flags) && layers !== undefined ? { ...methodOptions, layers } : methodOptions;
  const said = { ratio, parameters, fileSize, memory, batch, maxLength, accumulate, task, labels };
  const known = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  const [first] = Object.keys(options);
  if (method === undefined && first !== undefined)
    throw new InputError(`--${flagName(first)} is an option of methods; choose one with --method`);
  if (method === undefined) return known;
  if (method.includes("+"))
    throw new InputError(
      `--method ${method}: methods are planned side by side, each for itself; join them by commas: ${method.replaceAll("+", ",")}`,
    );
  const uses = chooseMethods(
    method
      .split(",")
      .map((name) => name.trim())
      .join("+"),
    options,
  );
  const chosen = uses.flatMap((use) => allMethods.find(({ name }) => name === use.name) ?? []);
  return { ...known, method: chosen.map((each) => ({ name: each.name, options: givenTo(each, options) })) };
}
