import { InputError } from "@petl/core";

/** The answers that say no, as OpenAI's interface has them. */
const statuses = {
  400: "invalid_request_error",
  401: "authentication_error",
  404: "invalid_request_error",
  405: "invalid_request_error",
  408: "timeout_error",
  409: "conflict_error",
  413: "invalid_request_error",
  422: "invalid_request_error",
  429: "rate_limit_error",
  500: "server_error",
  503: "server_error",
} as const;
type ErrorStatus = keyof typeof statuses;

interface Details {
  /** the field of the request that is to blame */
  readonly param?: string | undefined;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is answered with an error. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: ErrorStatus;
  readonly details: Details;

  constructor(status: ErrorStatus, message: string, details: Details = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

/** OpenAI's shape of an error. */
export const errorBody = ({ status, message, details }: HttpError) => ({
  error: { message, type: statuses[status], param: details.param ?? null, code: details.code ?? null },
});

/** What is answered to something that was thrown; undefined for a fault of petl's or the machine's own. */
export function asHttpError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  return error instanceof InputError ? new HttpError(400, error.message) : undefined;
}

/** Not there, or not yours: one answer, so that nobody learns which. */
export const noSuch = (what: "model" | "file" | "job"): HttpError =>
  new HttpError(404, `there is no such ${what}, or it is not yours`, { code: `${what}_not_found` });

/** What the user got wrong, in work whose inputs are well-formed: 422. */
export async function possible<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof InputError ? new HttpError(422, error.message) : error;
  }
}
