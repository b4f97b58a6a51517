import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { HttpError } from "./http-error.ts";

/** How much of a body is read, and how long it may take to come. */
interface BodyBounds {
  readonly bytes: number;
  readonly milliseconds: number;
}

/**
 * A request's body. One that says that it is too large is not read at all, one that does not say it ends at the limit.
 * @throws HttpError 413 for a body that is too large, 408 for one that does not come
 */
export async function readBody(request: IncomingMessage, { bytes, milliseconds }: BodyBounds): Promise<Buffer> {
  refuseLarge(request, bytes);
  const pieces: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve, reject) => {
    const late = () => end(new HttpError(408, `the request did not come whole within ${milliseconds / 1000} s`));
    const timer = setTimeout(late, milliseconds);
    const end = (error?: Error) => {
      clearTimeout(timer);
      request.off("data", take).off("end", end).off("error", end).off("close", gone);
      request.pause();
      if (error) reject(error);
      else resolve();
    };
    const take = (piece: Buffer) => {
      length += piece.length;
      if (length > bytes) end(tooLarge(bytes));
      else pieces.push(piece);
    };
    const gone = () => end(new HttpError(400, "the connection was closed before the request was whole"));
    request.on("data", take).once("end", end).once("error", end).once("close", gone);
  });
  return Buffer.concat(pieces);
}

/** @throws HttpError 413 where the Content-Length is larger than allowed */
export function refuseLarge({ headers }: Pick<IncomingMessage, "headers">, bytes: number): void {
  if (Number(headers["content-length"] ?? 0) > bytes) throw tooLarge(bytes);
}

const tooLarge = (bytes: number) => new HttpError(413, `the body is larger than ${bytes} bytes`);

/** @throws HttpError 400 for what is no JSON */
export function jsonBody(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new HttpError(400, "the body is no JSON in UTF-8");
  }
}

/** @throws HttpError 400 that names the first field that is wrong */
export function parsedAs<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const messages = parsed.error.issues.map((issue) => `${pathOf(issue)}: ${issue.message.toLowerCase()}`);
  const first = parsed.error.issues[0];
  throw new HttpError(400, messages.join("\n"), { param: first && pathOf(first) });
}

const pathOf = (issue: z.core.$ZodIssue): string => {
  const keys = issue.code === "unrecognized_keys" ? [issue.keys[0] ?? ""] : [];
  return [...issue.path, ...keys].join(".") || "body";
};
