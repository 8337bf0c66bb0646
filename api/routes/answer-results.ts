import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { RESULT_FORMATS } from "../../shared/result-formats.ts";
import type { ResultFormat } from "../../shared/result-formats.ts";

const mediaType = (format: ResultFormat) => RESULT_FORMATS[format].contentType.split(";")[0] ?? "";

const FORMATS = Object.keys(RESULT_FORMATS) as ResultFormat[];

/** The format of results that a client accepts most, by `Accept`: NDJSON when it does not matter. */
export function acceptedFormat(c: Context): ResultFormat {
  const supports = FORMATS.map(mediaType);
  const accepted = accepts(c, { header: "Accept", supports, default: mediaType("jsonl") });
  return FORMATS.find((format) => mediaType(format) === accepted) ?? "jsonl";
}

/** Answers results as they come. */
export async function answerResults(c: Context, results: ReadableStream<Uint8Array>, format: ResultFormat) {
  const headers = { "content-type": RESULT_FORMATS[format].contentType, vary: "Accept" };
  if (c.req.method !== "HEAD") return c.body(results, 200, headers);
  // Hono answers HEAD with a GET whose body it drops: nobody would read the stream.
  await results.cancel();
  return c.body(null, 200, headers);
}
