import { Problem } from "../../shared/contracts/error.ts";
import { pause } from "./pause.ts";
import { TreslineError } from "./tresline-error.ts";

/** Milliseconds that an answer may take beyond what the service was asked to wait. */
const ANSWER_MS = 60_000;
/** Milliseconds before the first retry; doubled before each other one, with up to half of it taken off at random. */
const FIRST_PAUSE_MS = 250;
/** The longest pause before a retry, in milliseconds, whatever `Retry-After` says. */
const LONGEST_PAUSE_MS = 60_000;

/** Where the service is and who asks. */
export interface ClientOptions {
  /** The address of the service, such as `https://tresline.example`. */
  url: string;
  apiKey: string;
  /** What sends requests; the runtime's own `fetch` when absent. */
  fetch?: typeof globalThis.fetch;
  /** How often a request that found nobody, or was answered 429 or 5xx, is sent again; 4 times when absent. */
  retries?: number;
}

/** What every call takes. */
export interface Call {
  /** Ends the call; it then throws the signal's reason. What the service has accepted goes on. */
  signal?: AbortSignal | undefined;
}

/** One request to the service. `body` must be such that it can be sent again. */
export interface Sending extends Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  /** Where it is sent instead, without the key: an address of another server that is signed for this request alone. */
  signedUrl?: string | undefined;
  headers?: Record<string, string>;
  body?: string | Blob;
  /** Seconds the service was asked to wait before it answers. */
  waitS?: number | undefined;
}

/** An answer as the contract reads it, and when to ask again, in milliseconds, if the service said so. */
export interface Answer<Value> {
  value: Value;
  retryAfterMs: number | undefined;
}

/** Reads an answer: a zod schema. */
export interface Reader<Value> {
  parse(value: unknown): Value;
}

/** Sends requests, again where that may help, and throws TreslineError. */
export interface Transport {
  /** Whether it sends a request again that was not answered. */
  sendsAgain: boolean;
  ask<Value>(reader: Reader<Value>, sending: Sending): Promise<Answer<Value>>;
  /** Sends what is answered without a body. */
  tell(sending: Sending): Promise<void>;
  /** The body of an answer, piece by piece. It is read no faster than it is taken. */
  stream(sending: Sending): AsyncGenerator<Uint8Array, void, undefined>;
  /** Reads JSON that is a part of an answer. */
  read<Value>(reader: Reader<Value>, text: string): Value;
}

/** A transport to the service at `url`. */
export function openTransport({
  url,
  apiKey,
  fetch = globalThis.fetch,
  retries = 4,
}: ClientOptions): Transport {
  const base = url.replace(/\/+$/, "");

  async function sendOnce<Value>(sending: Sending, take: (response: Response) => Promise<Value>) {
    const { method = "GET", path, signedUrl, headers, body, signal, waitS = 0 } = sending;
    const server = signedUrl === undefined ? base : new URL(signedUrl).origin;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), waitS * 1_000 + ANSWER_MS);
    try {
      const response = await fetch(signedUrl ?? base + path, {
        method,
        headers: signedUrl === undefined ? { ...headers, authorization: `Bearer ${apiKey}` } : { ...headers },
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
        ...(body !== undefined && { body }),
      });
      if (!response.ok) throw await refusalOf(response, signedUrl === undefined ? base + path : server);
      return await take(response);
    } catch (error) {
      if (error instanceof TreslineError) throw error;
      signal?.throwIfAborted();
      if (!late.signal.aborted) throw unreachable(server, error);
      throw new TreslineError({ code: "timeout", detail: `${server} did not answer in time.` });
    } finally {
      clearTimeout(timer);
    }
  }

  async function send<Value>(sending: Sending, take: (response: Response) => Promise<Value>): Promise<Value> {
    for (let tries = 0; ; tries++) {
      try {
        return await sendOnce(sending, take);
      } catch (error) {
        if (tries >= retries || !(error instanceof TreslineError) || !error.retryable) throw error;
        const pauseMs = error.retryAfterMs ?? FIRST_PAUSE_MS * 2 ** tries * (1 - Math.random() / 2);
        await pause(Math.min(pauseMs, LONGEST_PAUSE_MS), sending.signal);
      }
    }
  }

  const read = <Value>(reader: Reader<Value>, text: string): Value => {
    try {
      return reader.parse(JSON.parse(text));
    } catch (cause) {
      const detail = `${base} does not answer as Tresline does, or is of another version than this client.`;
      throw new TreslineError({ code: "unknown_answer", detail, status: 200 }, { cause });
    }
  };

  return {
    sendsAgain: retries > 0,
    read,
    ask: (reader, sending) =>
      send(sending, async (response) => ({
        value: read(reader, await response.text()),
        retryAfterMs: retryAfterMs(response.headers),
      })),
    tell: (sending) => send(sending, async (response) => void (await response.text())),
    async *stream(sending) {
      const body = await send(sending, (response) => Promise.resolve(response.body));
      if (body === null) return;
      const reader = body.getReader();
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          yield value;
        }
      } catch (error) {
        sending.signal?.throwIfAborted();
        throw unreachable(base, error);
      } finally {
        await reader.cancel().catch(() => {});
      }
    },
  };
}

/** Milliseconds of a `Retry-After` header (RFC 9110, 10.2.3): seconds or a date. Undefined without one. */
function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** What a problem says of an answer; a code of a newer service than this client is taken as it is. */
const AnyProblem = Problem.omit({ code: true }).loose();

async function refusalOf(response: Response, address: string): Promise<TreslineError> {
  const { status, headers } = response;
  const said = AnyProblem.safeParse(readJson(await response.text()));
  const known = said.success && typeof said.data["code"] === "string";
  return new TreslineError({
    code: known ? String(said.data["code"]) : `http_${status}`,
    detail: known ? said.data.detail : `${address} answered ${status}.`,
    status,
    requestId: known ? said.data.request_id : (headers.get("x-request-id") ?? undefined),
    errors: known ? said.data.errors : [],
    retryAfterMs: retryAfterMs(headers),
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(base: string, error: unknown): TreslineError {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = inner instanceof Error ? inner.message : String(inner);
  return new TreslineError(
    { code: "connection", detail: `${base} cannot be reached: ${reason}.` },
    { cause: error },
  );
}
