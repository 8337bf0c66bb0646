import { EnvHttpProxyAgent, request } from "undici";
import type { Dispatcher } from "undici";
import { ModelError } from "../model-error.ts";

const MAX_REDIRECTS = 10;
const TIMEOUT_MS = 60_000;

/** The way out to the network: through the proxy that the environment names (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), if any. To be closed. */
export function openDispatcher(env: Readonly<Record<string, string | undefined>>): Dispatcher {
  return new EnvHttpProxyAgent({
    httpProxy: env["http_proxy"] ?? env["HTTP_PROXY"] ?? "",
    httpsProxy: env["https_proxy"] ?? env["HTTPS_PROXY"] ?? "",
    noProxy: env["no_proxy"] ?? env["NO_PROXY"] ?? "",
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
}

/** The answer to one request for a file, after its redirects. */
export interface FileAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: Dispatcher.ResponseData["body"];
  /** The sha256 the Hugging Face hub announces for the file, 64 hex digits. */
  readonly announcedSha256: string | undefined;
}

/** Asks for a file, or for what follows byte `from` of it as long as its `validator` (ETag or date) is still the same; follows redirects, but not from https to http. */
export async function requestFile(
  url: string,
  dispatcher: Dispatcher,
  { from, validator }: { readonly from: number; readonly validator: string | undefined },
): Promise<FileAnswer> {
  const headers: Record<string, string> = { "accept-encoding": "identity", "user-agent": "tresline-model" };
  if (from > 0) headers["range"] = `bytes=${from}-`;
  if (from > 0 && validator !== undefined) headers["if-range"] = validator;
  let at = new URL(url);
  let announcedSha256: string | undefined;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const answer = await request(at, { dispatcher, headers });
    const header = (name: string) => [answer.headers[name]].flat()[0];
    announcedSha256 ??= /^"?([0-9a-f]{64})"?$/.exec(header("x-linked-etag") ?? "")?.[1];
    const location = header("location");
    if (answer.statusCode < 300 || answer.statusCode >= 400 || location === undefined)
      return { status: answer.statusCode, header, body: answer.body, announcedSha256 };
    await answer.body.dump();
    const next = new URL(location, at);
    const isAllowed = next.protocol === "https:" || (next.protocol === "http:" && at.protocol === "http:");
    if (!isAllowed) throw new ModelError(`${url}: it redirects to ${next.href}, which is not followed.`);
    at = next;
  }
  throw new ModelError(`${url}: it redirects more than ${MAX_REDIRECTS} times.`);
}
