import type { Context } from "hono";

/** Answers lines of JSON as they come. */
export async function answerNdjson(c: Context, lines: ReadableStream<Uint8Array>) {
  const headers = { "content-type": "application/x-ndjson" };
  if (c.req.method !== "HEAD") return c.body(lines, 200, headers);
  // Hono answers HEAD with a GET whose body it drops: nobody would read the stream.
  await lines.cancel();
  return c.body(null, 200, headers);
}
