import { z } from "zod";
import { parsedAs } from "./body.ts";
import type { HttpError } from "./http-error.ts";

const query = z.object({ limit: z.coerce.number().int().min(1).max(10_000).optional(), after: z.string().optional() });

/**
 * A page of a list in OpenAI's shape: `limit` members behind the one whose id is `after`.
 * @throws HttpError as given where `after` is none of the list's
 */
export function pageOf<T extends { readonly id: string }>(
  all: readonly T[],
  asked: URLSearchParams,
  unknown: () => HttpError,
  usual = 20,
): object {
  const { limit = usual, after } = parsedAs(query, Object.fromEntries(asked));
  const at = after === undefined ? -1 : all.findIndex(({ id }) => id === after);
  if (after !== undefined && at < 0) throw unknown();
  const data = all.slice(at + 1, at + 1 + limit);
  const has_more = at + 1 + limit < all.length;
  return { object: "list", data, has_more, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
}
