import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { CompletedPart, S3Client } from "@aws-sdk/client-s3";
import { answerInTime } from "./s3-client.ts";

/** Bytes in a part: S3 takes no fewer than 5 MiB but in the last, and 10 000 parts, which makes 80 GiB. */
const PART_BYTES = 8 * 1024 * 1024;

/** Which object is written, and as what it is served. */
export interface MultipartTarget {
  Bucket: string;
  Key: string;
  ContentType: string;
}

/**
 * Writes an object part by part as its bytes come, with at most three parts in memory; by `putWhole` when one is enough. The object
 * is there only once all parts are. When anything fails, the parts are given up and it throws.
 */
export async function putMultipart(
  client: S3Client,
  { ContentType, ...target }: MultipartTarget,
  body: AsyncIterable<Uint8Array>,
  putWhole: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const parts = partsOf(body);
  const first = await parts.next();
  const second = await parts.next();
  if (first.done === true) return putWhole(new Uint8Array());
  if (second.done === true) return putWhole(first.value);

  const create = new CreateMultipartUploadCommand({ ...target, ContentType });
  const { UploadId } = await answerInTime(0, (abortSignal) => client.send(create, { abortSignal }));
  const upload = { ...target, UploadId };
  const uploaded: CompletedPart[] = [];
  const send = async (Body: Uint8Array) => {
    const PartNumber = uploaded.length + 1;
    const command = new UploadPartCommand({ ...upload, PartNumber, Body });
    const { ETag } = await answerInTime(Body.byteLength, (abortSignal) =>
      client.send(command, { abortSignal }),
    );
    uploaded.push({ PartNumber, ETag });
  };
  try {
    await send(first.value);
    await send(second.value);
    for await (const part of parts) await send(part);
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: uploaded } });
    // Putting the parts together takes the server a while that grows with them.
    const bytes = uploaded.length * PART_BYTES;
    await answerInTime(bytes, (abortSignal) => client.send(complete, { abortSignal }));
  } catch (error) {
    const abort = new AbortMultipartUploadCommand(upload);
    // What cannot even be given up is left to the bucket's own rules; the first error is the one to tell.
    await answerInTime(0, (abortSignal) => client.send(abort, { abortSignal })).catch(() => {});
    throw error;
  }
}

/** The bytes of a stream in pieces of `PART_BYTES`, of which the last may be shorter. */
async function* partsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let part = new Uint8Array(PART_BYTES);
  let filled = 0;
  for await (const piece of body) {
    for (let from = 0; from < piece.byteLength;) {
      const fits = piece.subarray(from, from + PART_BYTES - filled);
      part.set(fits, filled);
      filled += fits.byteLength;
      from += fits.byteLength;
      if (filled < PART_BYTES) continue;
      yield part;
      part = new Uint8Array(PART_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}
