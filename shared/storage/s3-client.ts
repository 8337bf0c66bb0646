import { S3Client } from "@aws-sdk/client-s3";
import type { S3ClientConfig } from "@aws-sdk/client-s3";

/** How long one call may take until its answer begins, retries included, and what a slow upload gets on top of it. */
const ANSWER_TIMEOUT_MS = 20_000;
const SLOWEST_UPLOAD_BYTES_PER_MS = 1_000;

/** In Node: how long a connection may take to open, and may stay silent at any time, in milliseconds. */
const NODE_TIMEOUTS = { connectionTimeout: 3_000, socketTimeout: 10_000 };

/** How an S3 server is spoken to. */
export interface S3ClientOptions {
  /** `http://host/bucket/key` and not `http://bucket.host/key`: what most S3 servers other than AWS need. */
  forcePathStyle?: boolean;
  /** Speaks HTTP where Node's own modules cannot be used, such as a `FetchHttpHandler` in workerd. */
  requestHandler?: NonNullable<S3ClientConfig["requestHandler"]>;
}

/**
 * A client of any S3-compatible server. Endpoint, region and credentials come from the AWS SDK's own environment
 * variables and files. Throws when no region is set.
 */
export async function openS3Client(options: S3ClientOptions): Promise<S3Client> {
  const client = new S3Client({
    forcePathStyle: options.forcePathStyle ?? false,
    requestHandler: options.requestHandler ?? NODE_TIMEOUTS,
    maxAttempts: 3,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  await client.config.region().catch((cause: unknown) => {
    const message = "S3 needs a region: set AWS_REGION (us-east-1 for a server that has no regions).";
    throw new Error(message, { cause });
  });
  return client;
}

/** Aborts a call whose answer does not begin in time, and leaves the body that comes after it alone. */
export async function answerInTime<T>(
  uploadBytes: number,
  send: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeoutMs = ANSWER_TIMEOUT_MS + uploadBytes / SLOWEST_UPLOAD_BYTES_PER_MS;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    return await send(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    throw new Error(`no answer within ${Math.round(timeoutMs / 1000)} s`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
