import type { ImagePointer } from "../../shared/contracts/image.ts";
import { PermanentError, TransientError } from "../../shared/errors.ts";
import type { SourceBuckets } from "../../shared/storage/source-buckets.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { ResponseTooLargeError } from "../net/safe-fetch.ts";
import type { SafeFetch } from "../net/safe-fetch.ts";

/** Milliseconds that fetching one image may take, from the look-up of its name to its last byte. */
const FETCH_TIMEOUT_MS = 20_000;
const MAX_REDIRECTS = 3;
/** Answers below 500 that may be different the next time: request timeout, too early, too many requests. */
const PASSING = new Set([408, 425, 429]);

/** Where images are fetched from. */
export interface ImageSources {
  safeFetch: SafeFetch;
  storage: Storage;
  buckets: SourceBuckets;
  /** The largest file that is fetched, in bytes. */
  maxBytes: number;
}

/**
 * The bytes of an image file. A download that `signal` is aborted in is broken off.
 * @throws PermanentError when it can never be had, and the signal's reason; anything else may be tried again
 */
export async function fetchImage(
  image: ImagePointer,
  { safeFetch, storage, buckets, maxBytes }: ImageSources,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (image.type === "data") {
    const bytes = await storage.get(image.key);
    if (bytes === undefined)
      throw new PermanentError("fetch_failed", "The image that was sent is no longer stored.");
    return bytes;
  }
  if (image.type === "s3") return buckets.read(image, { maxBytes });
  return fetchUrl(image.url, { safeFetch, maxBytes }, signal);
}

async function fetchUrl(
  url: string,
  { safeFetch, maxBytes }: Pick<ImageSources, "safeFetch" | "maxBytes">,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { status, body } = await safeFetch
    .fetch(url, {
      headers: { accept: "image/*", "user-agent": "Tresline/1" },
      timeoutMs: FETCH_TIMEOUT_MS,
      maxBytes,
      whenTooLarge: "throw",
      maxRedirects: MAX_REDIRECTS,
      ...(signal && { signal }),
    })
    .catch((error: unknown) => {
      if (error instanceof ResponseTooLargeError)
        throw new PermanentError("image_too_large", `The image has more than ${maxBytes} bytes.`, {
          cause: error,
        });
      throw error;
    });
  if (status >= 200 && status < 300) return body;
  const said = `The server of the image answered ${status}.`;
  if (status >= 500 || PASSING.has(status)) throw new TransientError("fetch_failed", said);
  throw new PermanentError("fetch_failed", said);
}
