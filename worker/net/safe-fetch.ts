import { lookup as systemLookup } from "node:dns/promises";
import { request as send } from "undici";
import type { Agent, Dispatcher } from "undici";
import { PermanentError, TransientError } from "../../shared/errors.ts";
import { parseNetworks } from "./address.ts";
import { createGuardedAgent } from "./guarded-agent.ts";
import type { Lookup } from "./guarded-agent.ts";

/** What to ask for, and how much time and memory the answer may cost. */
export interface SafeFetchRequest {
  /** GET if absent. Only a GET's redirects are followed. */
  method?: "GET" | "POST";
  /** Sent to every host of a chain of redirects: put no secrets here when `maxRedirects` is not 0. */
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  /** For everything together: look-up, connection, redirects and the last byte of the body. */
  timeoutMs: number;
  maxBytes: number;
  /** What happens at the byte after `maxBytes`: the rest is left unread, or `ResponseTooLargeError` is thrown. */
  whenTooLarge: "truncate" | "throw";
  /** After so many redirects the next one is returned as it is. */
  maxRedirects: number;
  signal?: AbortSignal;
}

/** An answer of any status, a redirect or a 500 too. Names of headers are in lower case; the body is as it was sent, compressed if it was. */
export interface SafeFetchResponse {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
  truncated: boolean;
  /** Where the answer came from, after redirects. */
  url: string;
}

/** The one way out to addresses that somebody else chose: image URLs and callbacks. */
export interface SafeFetch {
  /**
   * Throws `PermanentError("fetch_forbidden")` for a URL that is not plain http or https or whose host has an address
   * that is not public, `TransientError("timeout" | "fetch_failed")` for trouble on the way, `ResponseTooLargeError`,
   * and the reason of `signal` when that is what ended it. No message shows an address that a name stands for.
   */
  fetch(url: string, request: SafeFetchRequest): Promise<SafeFetchResponse>;
  /** Breaks off what is still under way and closes the connections. */
  close(): Promise<void>;
}

/** The answer is larger than the caller wants to hold. */
export class ResponseTooLargeError extends Error {
  override readonly name = "ResponseTooLargeError";

  constructor(host: string, maxBytes: number) {
    super(`The answer of "${host}" has more than ${maxBytes} bytes.`);
  }
}

/**
 * Opens the way out. `allowedPrivateNetworks` are CIDRs that are open although they are not public; the addresses where
 * clouds hand out credentials stay closed. Throws a sentence for a CIDR that is none. `lookup` is the system's resolver
 * if absent.
 */
export function createSafeFetch(options: { allowedPrivateNetworks: string[]; lookup?: Lookup }): SafeFetch {
  const lookup = options.lookup ?? ((hostname) => systemLookup(hostname, { all: true }));
  const agent = createGuardedAgent(parseNetworks(options.allowedPrivateNetworks), lookup);
  return {
    fetch: (url, request) => fetchWithin(agent, url, request),
    close: () => agent.destroy(),
  };
}

async function fetchWithin(agent: Agent, url: string, request: SafeFetchRequest): Promise<SafeFetchResponse> {
  const { method = "GET", headers = {}, body = null, timeoutMs, signal: callers } = request;
  let target = parseTarget(url);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  const signal = callers ? AbortSignal.any([deadline.signal, callers]) : deadline.signal;
  const asked = { dispatcher: agent, method, headers, body, signal };
  try {
    for (let redirects = 0; ; redirects++) {
      const answer = await unlessAborted(signal, send(target, asked));
      const next = method === "GET" && redirects < request.maxRedirects ? redirectOf(answer) : undefined;
      if (next === undefined) return await received(answer, target, request);
      await answer.body.dump({ limit: 16_384, signal });
      target = parseTarget(next, target);
    }
  } catch (error) {
    if (error instanceof PermanentError || error instanceof ResponseTooLargeError) throw error;
    callers?.throwIfAborted();
    if (!deadline.signal.aborted) throw failure(target, error);
    const message = `The fetch from "${target.host}" was not done within ${timeoutMs} ms.`;
    throw new TransientError("timeout", message, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function parseTarget(url: string, from?: URL): URL {
  const target = URL.parse(url, from?.href);
  if (!target) {
    throw forbidden(from ? `"${from.host}" redirects to an invalid URL.` : "The URL is not valid.");
  }
  if (target.protocol !== "http:" && target.protocol !== "https:") {
    throw forbidden(`A URL must begin with http: or https:, and not with ${target.protocol}`);
  }
  if (target.username !== "" || target.password !== "") {
    throw forbidden(`The URL at "${target.host}" must not have a user name or a password in it.`);
  }
  return target;
}

function forbidden(message: string): PermanentError {
  return new PermanentError("fetch_forbidden", message);
}

/** undici lets an aborted request wait until its connection is open; this does not. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error("aborted", { cause: signal.reason }));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function redirectOf({ statusCode, headers }: Dispatcher.ResponseData): string | undefined {
  const isRedirect = [301, 302, 303, 307, 308].includes(statusCode);
  return isRedirect && typeof headers["location"] === "string" ? headers["location"] : undefined;
}

async function received(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  target: URL,
  { maxBytes, whenTooLarge }: SafeFetchRequest,
): Promise<SafeFetchResponse> {
  const announced = whenTooLarge === "throw" ? Number(headers["content-length"] ?? 0) : 0;
  const chunks: Uint8Array[] = [];
  let size = 0;
  let truncated = false;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    truncated = Math.max(size, announced) > maxBytes;
    // Leaving the loop closes the connection.
    if (truncated) break;
  }
  if (truncated && whenTooLarge === "throw") throw new ResponseTooLargeError(target.host, maxBytes);
  const { buffer, byteOffset, length } = Buffer.concat(chunks, Math.min(size, maxBytes));
  const answered = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(", ")]);
  return {
    status: statusCode,
    headers: Object.fromEntries(answered),
    body: new Uint8Array(buffer, byteOffset, length),
    truncated,
    url: target.href,
  };
}

/** What went wrong, without undici's own message: it would show the address. */
function failure(target: URL, cause: unknown): TransientError {
  const { code, name }: { code?: unknown; name?: unknown } = cause instanceof Error ? cause : {};
  const kind = String(code ?? name);
  const message = `The fetch from "${target.host}" failed: ${REASONS[kind] ?? `it ended with ${kind}`}.`;
  return new TransientError("fetch_failed", message, { cause });
}

const REASONS: Record<string, string> = {
  ENOTFOUND: "no such host is known",
  EAI_AGAIN: "the host could not be looked up",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was broken off",
  EPIPE: "the connection was broken off",
  UND_ERR_SOCKET: "the connection was broken off",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the host cannot be reached",
  ETIMEDOUT: "no connection was made in time",
  UND_ERR_CONNECT_TIMEOUT: "no connection was made in time",
  UND_ERR_HEADERS_OVERFLOW: "the headers of the answer are too large",
  HTTPParserError: "the answer is not HTTP",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another host",
  CERT_HAS_EXPIRED: "the certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is not signed by a known authority",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate is not signed by a known authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate is not signed by a known authority",
};
