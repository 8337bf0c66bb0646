import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";

/** Milliseconds that a client may go on sending what nobody wants after it was answered. */
const LINGER_MS = 10_000;

/**
 * The same answer, after which the connection ends; but not before the client has sent the rest of its body, which is thrown
 * away, or ten seconds have passed. A connection that is closed while something arrives is reset, and takes answers that
 * were not read yet with it (https://www.rfc-editor.org/rfc/rfc9112#section-9.6).
 */
export async function answerBeforeClose(response: Response, incoming: Readable): Promise<Response> {
  const answer = new Uint8Array(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  headers.set("connection", "close");
  headers.set("content-length", String(answer.byteLength));
  async function* answerAndLinger() {
    yield answer;
    await throwAwayRest(incoming);
  }
  return new Response(ReadableStream.from(answerAndLinger()), { status: response.status, headers });
}

async function throwAwayRest(incoming: Readable): Promise<void> {
  // Whoever has read it so far would keep what comes now.
  incoming.removeAllListeners("data");
  incoming.resume();
  await finished(incoming, { signal: AbortSignal.timeout(LINGER_MS) }).catch(() => {});
}
