import { z } from "zod";
import { parsedJson } from "../../values.ts";

const feature = z.looseObject({ names: z.array(z.string()).optional(), _type: z.string().optional() });
const listed = z.looseObject({ feature: feature.optional() });
const dataset = z.looseObject({ info: z.looseObject({ features: z.record(z.string(), z.unknown()) }) });

/** The names of classes by column in what Hugging Face's datasets write into a file's metadata: `ClassLabel`s. */
export function classNames(json: string): ReadonlyMap<string, readonly string[]> {
  const parsed = dataset.safeParse(parsedJson(json));
  const features = parsed.success ? Object.entries(parsed.data.info.features) : [];
  return new Map(
    features.flatMap(([column, described]) => {
      const names = namesIn(described);
      return names ? [[column, names] as const] : [];
    }),
  );
}

function namesIn(described: unknown): readonly string[] | undefined {
  const own = feature.safeParse(described).data;
  if (own?._type === "ClassLabel") return own.names;
  const inside = listed.safeParse(described).data?.feature;
  return inside?._type === "ClassLabel" ? inside.names : undefined;
}
