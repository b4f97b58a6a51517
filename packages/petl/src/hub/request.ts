import { InputError } from "@petl/core";
import { MachineError } from "../machine-error.ts";
import { environmentFetch } from "./proxy.ts";

/** What a repository on the hub holds, as its interface calls it. */
export type RepoKind = "model" | "dataset";

/** The address of a repository's page. */
export const repoUrl = ({ endpoint, repo, kind }: Pick<HubAccess, "endpoint" | "repo" | "kind">): string =>
  `${endpoint}/${kind === "dataset" ? "datasets/" : ""}${repo}`;

/** A kind in words. */
const inWords: Readonly<Record<RepoKind, string>> = { model: "model", dataset: "data set" };

export interface HubAccess {
  /** "https://huggingface.co" or a mirror of it. */
  readonly endpoint: string;
  readonly token: string | undefined;
  /** `owner/name`, for the messages. */
  readonly repo: string;
  readonly kind: RepoKind;
  readonly revision: string;
  /** Milliseconds without an answer or a byte after which a line counts as broken. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * `fetch` for the hub: sends the token to the hub's own origin alone (a redirect to another host, as for large files,
 * loses it), and turns every failure into one line that says what to do.
 */
export function hubFetch(access: HubAccess): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    headers.delete("authorization");
    if (access.token && url.origin === new URL(access.endpoint).origin) {
      headers.set("authorization", `Bearer ${access.token}`);
    }
    const timer = new AbortController();
    const late = setTimeout(() => timer.abort(), access.timeout);
    const signals = [timer.signal, ...(access.signal ? [access.signal] : [])];
    try {
      const ask = await environmentFetch();
      const response = await ask(url, { ...init, headers, signal: AbortSignal.any(signals) });
      if (!response.ok) {
        await response.body?.cancel();
        throw refusal(response, access);
      }
      return response;
    } catch (error) {
      throw explained(error, access);
    } finally {
      clearTimeout(late);
    }
  };
}

/** An answer about a repository is a page of names at most; a listing has pages, but not without end. */
const longestAnswer = 2 ** 25;
const mostAnswers = 200;

/** {@link hubFetch} for answers in JSON: neither long ones, nor many, nor such that fall silent behind their headers. */
export function answerFetch(access: HubAccess): typeof fetch {
  const ask = hubFetch(access);
  let answers = 0;
  return async (input, init) => {
    if (++answers > mostAnswers)
      throw new InputError(`the hub's listing of "${access.repo}" has more than ${mostAnswers} pages; refused`);
    const response = await ask(input, init);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of bytesOfResponse(response, access)) {
      length += chunk.length;
      if (length > longestAnswer)
        throw new InputError(
          `an answer of the hub about "${access.repo}" has more than ${longestAnswer} bytes; refused`,
        );
      chunks.push(chunk);
    }
    const headers = new Headers(response.headers);
    for (const name of ["content-encoding", "content-length"]) headers.delete(name);
    return new Response(new Blob(chunks.map((chunk) => chunk.slice())), { status: response.status, headers });
  };
}

/** A response's bytes as they come; a broken or silent line is a passing MachineError. */
export async function* bytesOfResponse(response: Response, access: HubAccess): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const bytes = reader && (await nextOf(reader, access));
      if (!bytes) return;
      yield bytes;
    }
  } finally {
    await reader?.cancel().catch(() => undefined); // a broken line has nothing left to cancel
  }
}

async function nextOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  access: HubAccess,
): Promise<Uint8Array | undefined> {
  let late: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new DOMException("silent", "AbortError")), access.timeout);
  });
  try {
    return (await Promise.race([reader.read(), silence])).value;
  } catch (error) {
    throw explained(error, access);
  } finally {
    clearTimeout(late);
  }
}

function explained(error: unknown, access: HubAccess): unknown {
  access.signal?.throwIfAborted();
  if (error instanceof InputError || error instanceof MachineError) return error;
  return new MachineError(
    `can't reach ${access.endpoint} (${reason(error)}); check the connection, or use \`offline\` with a ${inWords[access.kind]} that is already downloaded`,
    { passing: true, cause: error },
  );
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "AbortError") return "no answer in time";
  const cause = error.cause;
  if (cause instanceof Error) return "code" in cause ? String(cause.code) : cause.message;
  return error.message;
}

function refusal(response: Response, access: HubAccess): Error {
  const { endpoint, repo, revision, token, kind } = access;
  const code = response.headers.get("x-error-code");
  const page = repoUrl(access);
  const { status } = response;
  if (code === "RevisionNotFound")
    return new InputError(`the hub's "${repo}" has no revision "${revision}"; see ${page}`);
  if (code === "GatedRepo" || status === 403) {
    const account = token
      ? "with the account of the token that was sent"
      : "and set HF_TOKEN to a token of your account";
    return new InputError(
      `the hub gives out "${repo}" only after its owner's terms are accepted; accept them at ${page}, ${account}`,
    );
  }
  if (status === 401 && token && code !== "RepoNotFound") {
    return new InputError(`the hub refuses the token that was sent for "${repo}"; check HF_TOKEN`);
  }
  if (status === 401 || status === 404) {
    const hidden = token ? "your token may not see it" : "if it is private, set HF_TOKEN to a token that may read it";
    return new InputError(
      `the hub has no ${inWords[kind]} "${repo}" at revision "${revision}"; check the spelling, or, ${hidden}`,
    );
  }
  if (status === 429 || status >= 500) {
    return new MachineError(`${endpoint} is overloaded or out of order (status ${status}); try again later`, {
      passing: true,
    });
  }
  return new MachineError(`${endpoint} answered with status ${status} to a request for "${repo}"`);
}
