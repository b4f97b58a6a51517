import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { errorBody, type HttpError } from "./http-error.ts";
import type { Reply } from "./route.ts";

/** Sends an answer to its end, as fast as it is read. */
export async function send(response: ServerResponse, answer: Reply): Promise<void> {
  if (answer.kind === "json") return whole(response, answer.status ?? 200, jsonType, bytesOf(answer.value));
  if (answer.kind === "bytes" && answer.bytes instanceof Uint8Array)
    return whole(response, 200, answer.type, answer.bytes);
  if (answer.kind === "bytes") response.writeHead(200, { "content-type": answer.type });
  else response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  response.flushHeaders();
  for await (const piece of answer.kind === "bytes" ? answer.bytes : answer.events) {
    if (response.destroyed) return;
    if (!response.write(piece)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end();
}

/** Sends an error, unless something was sent already: then the connection breaks off. */
export function sendError(response: ServerResponse, error: HttpError, close: boolean): void {
  if (response.headersSent) return void response.destroy();
  for (const [name, value] of Object.entries(error.details.headers ?? {})) response.setHeader(name, value);
  if (close) response.setHeader("connection", "close");
  whole(response, error.status, jsonType, bytesOf(errorBody(error)));
}

function whole(response: ServerResponse, status: number, type: string, bytes: Uint8Array): void {
  response.writeHead(status, { "content-type": type, "content-length": bytes.length });
  response.end(bytes);
}

const jsonType = "application/json; charset=utf-8";
const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
