import type { IncomingHttpHeaders } from "node:http";
import type { Tenant } from "./keys.ts";
import type { Service } from "./service.ts";

/** What a handler is told. */
export interface RouteCall {
  readonly service: Service;
  readonly tenant: Tenant;
  /** the parts of the path that stand in braces */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** aborted once nobody waits for the answer */
  readonly signal: AbortSignal;
}

/** What is answered. */
export type Reply =
  | { readonly kind: "json"; readonly status?: number; readonly value: unknown }
  | { readonly kind: "bytes"; readonly type: string; readonly bytes: AsyncIterable<Uint8Array> | Uint8Array }
  /** server-sent events, each as it stands between two blank lines */
  | { readonly kind: "events"; readonly events: AsyncIterable<string> };

export const json = (value: unknown, status = 200): Reply => ({ kind: "json", status, value });

/** One thing that the server does. */
export interface Route {
  readonly verb: "GET" | "POST" | "DELETE";
  /** `/v1/models/{id}` */
  readonly path: string;
  /** `all`: without a key; `tenant`: with any key; `admin`: for others the route answers 404, whatever they ask */
  readonly access: "all" | "tenant" | "admin";
  /** how large a body it takes */
  readonly body: "none" | "json" | "file";
  answer(call: RouteCall): Promise<Reply>;
}

/** A path's route for each verb, with what stands for the names in braces. */
interface Found {
  readonly routes: readonly Route[];
  readonly params: Readonly<Record<string, string>>;
}

/**
 * The routes of a path, one a verb; undefined where there are none. A part of a path may be escaped; where nothing else
 * fits, a name takes slashes too, since hub ids have them, and the route that says more of the path is meant.
 */
export function findRoutes(routes: readonly Route[], path: string): Found | undefined {
  const given = path.split("/");
  const found = (parts: (pattern: readonly string[]) => readonly string[]) => {
    const matches = routes.flatMap((route) => {
      const pattern = route.path.split("/");
      const params = paramsOf(pattern, parts(pattern));
      return params ? [{ route, params, said: pattern.length }] : [];
    });
    const most = Math.max(...matches.map(({ said }) => said));
    const meant = matches.filter(({ said }) => said === most);
    return meant[0] && { routes: meant.map(({ route }) => route), params: meant[0].params };
  };
  const joined = (pattern: readonly string[]) => {
    const name = pattern.findIndex((part) => part.startsWith("{"));
    const end = given.length - (pattern.length - name - 1);
    return name < 0 || end <= name
      ? given
      : [...given.slice(0, name), given.slice(name, end).join("/"), ...given.slice(end)];
  };
  return found(() => given) ?? found(joined);
}

function paramsOf(pattern: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const value = given[at] ?? "";
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined && value !== part) return undefined;
    if (name === undefined) continue;
    const text = unescaped(value);
    if (!text) return undefined;
    params[name] = text;
  }
  return params;
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
