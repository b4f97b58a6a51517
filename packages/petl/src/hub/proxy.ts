/** A `fetch` that goes through the proxy which the environment names, as curl's and Python's do. */
export async function environmentFetch(): Promise<typeof fetch> {
  const { http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY, no_proxy, NO_PROXY } = process.env;
  const [httpProxy, httpsProxy] = [http_proxy || HTTP_PROXY, https_proxy || HTTPS_PROXY];
  if (!httpProxy && !httpsProxy) return fetch;
  const { EnvHttpProxyAgent, fetch: through } = await import("undici"); // without a proxy Node's own serves
  const proxies = { ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }) };
  const dispatcher = new EnvHttpProxyAgent({ ...proxies, noProxy: no_proxy || NO_PROXY || "" });
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
