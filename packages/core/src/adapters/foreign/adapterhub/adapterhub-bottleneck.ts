import { z } from "zod";
import { readFloat32 } from "../../../containers/stored-values.ts";
import { InputError, schemaProblems } from "../../../errors.ts";
import { activationNames } from "../../../nn/activations.ts";
import type { MethodUse } from "../../../peft/method.ts";
import { bottleneck } from "../../../peft/methods/bottleneck/bottleneck.ts";
import { parallel } from "../../../peft/methods/bottleneck/parallel.ts";
import { type ForeignTensor, renamed } from "../foreign-format.ts";
import type { Held, HubFiles } from "./adapterhub-files.ts";
import { layerOf } from "./adapterhub-places.ts";

/** A bottleneck's fields with the library's defaults; unknown ones are ignored, as it does. */
const fields = z.looseObject({
  mh_adapter: z.boolean(),
  output_adapter: z.boolean(),
  non_linearity: z.string(),
  original_ln_before: z.boolean().default(false),
  original_ln_after: z.boolean().default(true),
  ln_before: z.boolean().default(false),
  ln_after: z.boolean().default(false),
  residual_before_ln: z.union([z.boolean(), z.string()]).default(true),
  is_parallel: z.boolean().default(false),
  scaling: z.union([z.number(), z.string()]).default(1),
  use_gating: z.boolean().default(false),
  phm_layer: z.boolean().default(false),
  inv_adapter: z.string().nullish(),
});
type BottleneckFields = z.infer<typeof fields>;

/** The method and the tensors of a bottleneck adapter; its factor s goes into W_up and b_up, which computes the same. */
export function readBottleneck({ config, tensors, version }: HubFiles): { use: MethodUse; tensors: ForeignTensor[] } {
  const parsed = fields.safeParse(config);
  if (!parsed.success) {
    throw new InputError(schemaProblems(parsed.error.issues, "config."));
  }
  const own = parsed.data;
  const problems = [...unknown(own)];
  const widths = widthsOf(tensors);
  const activation = activationOf(own.non_linearity, version);
  if (!activation) problems.push(`non_linearity "${own.non_linearity}" is not supported`);
  const shape = placement(own);
  if (!shape)
    problems.push("the places and norms of its bottlenecks are none of petl's: houlsby, pfeiffer or parallel");
  if (problems.length > 0 || !shape) throw new InputError(problems);
  const layers = [...new Set([...tensors.keys()].flatMap((name) => layerOf(name) ?? []))].sort((a, b) => a - b);
  return {
    use: shape({ ...widths, activation, layers }),
    tensors: [...tensors].flatMap(([name, held]) => tensorOf(name, held, tensors, own.scaling)),
  };
}

/** What petl's bottlenecks do not compute. */
function* unknown({ use_gating, phm_layer, inv_adapter, ln_before, ln_after }: BottleneckFields): Generator<string> {
  const features = { use_gating, phm_layer, inv_adapter, ln_before, ln_after };
  for (const [name, value] of Object.entries(features)) if (value) yield `config.${name} is not supported`;
}

/** Before its version was written down, the library called GELU's tanh form gelu. */
function activationOf(name: string, version: string | null | undefined): string | undefined {
  const old: Readonly<Record<string, string>> = version ? {} : { gelu: "gelu_new", gelu_orig: "gelu" };
  const modern = old[name] ?? name;
  return activationNames.find((known) => known === modern);
}

/** How wide the bottlenecks are: as the first one, and by their paths those that are not, as a table of factors makes them. */
function widthsOf(tensors: HubFiles["tensors"]): Pick<Chosen, "size" | "sizePattern"> {
  const sizes = [...tensors].flatMap(([name, { stored }]) =>
    name.endsWith(downWeight) ? [[name.slice(0, -downWeight.length), stored.shape[0] ?? 0] as const] : [],
  );
  const size = sizes[0]?.[1];
  const others = sizes.filter(([, own]) => own !== size);
  return { size, sizePattern: Object.fromEntries(others.map(([path, own]) => [path.replaceAll(".", "\\."), own])) };
}

type Chosen = {
  readonly size: number | undefined;
  readonly sizePattern: Readonly<Record<string, number>>;
  readonly activation: string | undefined;
  readonly layers: readonly number[];
};

/** The method with which petl computes the same; undefined where there is none. */
function placement(own: BottleneckFields): ((chosen: Chosen) => MethodUse) | undefined {
  const { mh_adapter: first, output_adapter: second, original_ln_before: before, residual_before_ln: residual } = own;
  if (!own.original_ln_after || (!first && !second)) return undefined;
  if (own.is_parallel) {
    const beside = first && second ? "both" : first ? "attention" : "feed-forward";
    return (chosen) => parallel.use({ ...chosen, scale: 1, placement: beside });
  }
  if (!before) {
    return first && second
      ? (chosen) => bottleneck.use({ ...chosen, placement: "houlsby", layerNorms: false })
      : undefined;
  }
  return residual === true && second && !first
    ? (chosen) => bottleneck.use({ ...chosen, placement: "pfeiffer" })
    : undefined;
}

const downWeight = ".adapter_down.0.weight";

function tensorOf(
  name: string,
  { source, stored }: Held,
  tensors: HubFiles["tensors"],
  scaling: number | string,
): readonly ForeignTensor[] {
  if (/\.adapter_down\.0\.(weight|bias)$/.test(name)) {
    return [renamed(source, stored, name.replace(".adapter_down.0.", ".adapter_down."))];
  }
  const up = /^(.*)\.adapter_up\.(weight|bias)$/.exec(name);
  if (!up) return name.endsWith(".scaling") ? [] : [renamed(source, stored, name)];
  const learned = tensors.get(`${up[1]}.scaling`);
  return [
    {
      name,
      shape: stored.shape,
      async values() {
        const values = await readFloat32(source, stored);
        const factors = learned ? await readFloat32(learned.source, learned.stored) : Float32Array.of(Number(scaling));
        const columns = up[2] === "weight" ? (stored.shape[1] ?? 1) : 1;
        // one factor for all, or one for each row
        return values.map((value, at) => value * (factors[factors.length === 1 ? 0 : Math.floor(at / columns)] ?? 1));
      },
    },
  ];
}
