/** A `fetch` that goes through the proxy which the environment names, as curl's and Python's do. */
export async function environmentFetch(): Promise<typeof fetch> {
  const { http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY, no_proxy, NO_PROXY } = process.env;
  const [httpProxy, httpsProxy] = [http_proxy || HTTP_PROXY, https_proxy || HTTPS_PROXY];
  if (!httpProxy && !httpsProxy) return fetch;
  const { Agent, ProxyAgent, fetch: through } = await import("undici"); // without a proxy Node's own serves
  const direct = new Agent();
  const byProtocol = new Map([
    ["http:", httpProxy ? new ProxyAgent(httpProxy) : direct],
    ["https:", httpsProxy ? new ProxyAgent(httpsProxy) : direct],
  ]);
  const agentFor = (url: URL) =>
    goesDirect(url, no_proxy || NO_PROXY || "") ? direct : (byProtocol.get(url.protocol) ?? direct);
  const dispatcher = direct.compose(
    () => (options, handler) => agentFor(new URL(String(options.origin))).dispatch(options, handler),
  );
  return async (input, init) => {
    const { signal, headers } = init ?? {};
    const given = {
      signal: signal ?? null,
      headers: [...new Headers(headers)],
      redirect: "follow" as const,
      dispatcher,
    };
    const { status, headers: got, body } = await through(input instanceof Request ? input.url : input, given);
    return new Response(streamed(body), { status, headers: [...got] });
  };
}

/**
 * Whether a list of hosts names an address, as curl reads `no_proxy`: parted by commas or blanks, `*` is every host, a name
 * is also its subdomains, and a port behind a colon means that port alone.
 */
export function goesDirect({ hostname, port, protocol }: URL, list: string): boolean {
  const asked = port || (protocol === "http:" ? "80" : "443");
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => {
      if (entry === "*") return true;
      const [, host = "", only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      return (only === undefined || only === asked) && (hostname === host || hostname.endsWith(`.${host}`));
    });
}

/** A body as Node's own `fetch` gives it. */
function streamed(body: AsyncIterable<Uint8Array> | null): ReadableStream<Uint8Array> | null {
  if (body === null) return null;
  const chunks = body[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return?.();
    },
  });
}
