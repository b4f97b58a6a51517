import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { send, sendError } from "./answer.ts";
import { readBody, refuseLarge } from "./body.ts";
import { asHttpError, HttpError } from "./http-error.ts";
import type { Tenant } from "./keys.ts";
import { findRoutes, type Route, type RouteCall } from "./route.ts";
import { routes } from "./routes.ts";
import type { Service } from "./service.ts";

/** What is written of every request; nothing of what it holds. */
export interface AccessLine {
  readonly time: string;
  readonly id: string;
  readonly tenant: string | null;
  readonly verb: string;
  /** the route's pattern; null where there is none */
  readonly route: string | null;
  readonly status: number;
  readonly milliseconds: number;
}

interface HttpSide {
  readonly host: string;
  readonly port: number;
  /** undefined as long as the server starts */
  readonly service: () => Service | undefined;
  readonly log: (line: AccessLine) => void;
  /** what petl or the machine did wrong */
  readonly fault: (id: string, error: unknown) => void;
}

/** A server that listens. */
interface Listening {
  readonly url: string;
  /**
   * Takes nothing new, answers what was received, lets streams go to their end, and resolves once all is quiet or after
   * `milliseconds`.
   */
  end(milliseconds: number): Promise<void>;
}

/** Bytes of a body at most. */
const bodyBytes = { none: 2 ** 16, json: 2 ** 23, file: 2 ** 27 } as const;
/** Milliseconds in which a request must have come whole. */
const requestTime = 55_000;

/** Begins to listen; until there is a service everything is answered with 503. */
export async function listen(side: HttpSide): Promise<Listening> {
  let ending = false;
  let open = 0;
  let quiet: (() => void) | undefined;
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    open++;
    try {
      await handled(request, response, side, () => ending);
    } catch (error) {
      side.fault("a request", error); // one request's fault ends that request alone
      response.destroy();
    } finally {
      open--;
      if (open === 0) quiet?.();
    }
  };
  const server = createServer(
    {
      headersTimeout: requestTime,
      requestTimeout: requestTime,
      connectionsCheckingInterval: 2000,
      keepAliveTimeout: 20_000,
    },
    handle,
  );
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    if (Number(request.headers["content-length"] ?? 0) <= bodyBytes.file) response.writeContinue();
    handle(request, response);
  });
  server.maxConnections = 4096;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(side.port, side.host, () => resolve());
  });
  return {
    url: urlOf(server, side.host),
    async end(milliseconds) {
      ending = true;
      server.close();
      server.closeIdleConnections();
      if (open > 0)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          quiet = () => {
            clearTimeout(timer);
            setImmediate(resolve);
          };
        });
      server.closeAllConnections();
    },
  };
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Answers one request, notes it and logs it. */
async function handled(
  request: IncomingMessage,
  response: ServerResponse,
  { service: current, log, fault }: HttpSide,
  ending: () => boolean,
): Promise<void> {
  const [begin, id] = [performance.now(), `req_${randomBytes(12).toString("hex")}`];
  const target = targetOf(request);
  const found = target && findRoutes(routes, target.pathname);
  const route = found?.routes.find(({ verb }) => verb === request.method);
  const gone = new AbortController();
  let tenant: Tenant | undefined;
  response.setHeader("x-request-id", id);
  response.once("close", () => response.writableFinished || gone.abort(new Error("the client went away")));
  try {
    const service = current();
    if (!service || ending()) throw unavailable(ending());
    tenant = service.keys.tenantOf(request.headers.authorization);
    const call = await admitted(request, { service, tenant, target, found, route, signal: gone.signal });
    await send(response, await call.route.answer(call));
  } catch (error) {
    const known = asHttpError(error);
    if (!known && !gone.signal.aborted) fault(id, error);
    if (ending() || !request.complete) linger(request, response);
    sendError(
      response,
      known ?? new HttpError(500, `something went wrong; its request id is ${id}`),
      ending() || !request.complete,
    );
  }
  const { statusCode: status } = response;
  const seconds = (performance.now() - begin) / 1000;
  current()?.metrics.request(tenant?.name ?? "", route?.path ?? "", status, seconds);
  const milliseconds = Math.round(seconds * 1e4) / 10;
  const method = request.method ?? "";
  log({
    time: new Date().toISOString(),
    id,
    tenant: tenant?.name ?? null,
    verb: method,
    route: route?.path ?? null,
    status,
    milliseconds,
  });
}

/** What is asked for, by its path alone or with a host in front; undefined for what is no address. */
function targetOf({ url = "/" }: Pick<IncomingMessage, "url">): URL | undefined {
  const whole = url.startsWith("/") ? `http://petl${url}` : url;
  return URL.canParse(whole) ? new URL(whole) : undefined;
}

interface Asking {
  readonly service: Service;
  readonly tenant: Tenant | undefined;
  readonly target: URL | undefined;
  readonly found: ReturnType<typeof findRoutes>;
  readonly route: Route | undefined;
  readonly signal: AbortSignal;
}

/** A request that may be answered, with its body. */
async function admitted(
  request: IncomingMessage,
  { service, tenant, target, found, route, signal }: Asking,
): Promise<RouteCall & { readonly route: Route }> {
  const known = tenant ?? (route?.access === "all" ? { name: "", admin: false, limits: {} } : undefined);
  if (!known)
    throw new HttpError(401, "give a key that is known as `Authorization: Bearer KEY`", {
      code: "invalid_api_key",
      headers: { "www-authenticate": "Bearer" },
    });
  if (!target) throw new HttpError(400, "what is asked for is no path");
  if (!found) throw new HttpError(404, "there is no such route", { code: "route_not_found" });
  if (!route) {
    const allowed = found.routes.map(({ verb }) => verb).join(", ");
    throw new HttpError(405, `this route takes ${allowed}`, {
      code: "method_not_allowed",
      headers: { allow: allowed },
    });
  }
  if (route.access !== "all") service.allowances.request(known);
  refuseLarge(request, bodyBytes[route.body]);
  const body = await readBody(request, { bytes: bodyBytes[route.body], milliseconds: requestTime });
  if (route.access === "admin" && !known.admin)
    throw new HttpError(404, "there is no such route for this key", { code: "route_not_found" });
  const query = target.searchParams;
  return { service, tenant: known, params: found.params, query, headers: request.headers, body, signal, route };
}

const unavailable = (ending: boolean) =>
  new HttpError(503, ending ? "the server is ending" : "the server is starting; try again in a moment", {
    headers: { "retry-after": "1" },
  });

/** How long what is still being sent is passed over, so that the answer arrives before the connection ends. */
const lingering = 2000;

function linger(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), lingering);
  request.once("close", () => clearTimeout(timer));
  response.once("close", () => clearTimeout(timer));
}
