import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { GetObjectCommandInput } from "@aws-sdk/client-s3";
import type { S3Object } from "../contracts/image.ts";
import { PermanentError } from "../errors.ts";
import { answerInTime, openS3Client } from "./s3-client.ts";
import type { S3ClientOptions } from "./s3-client.ts";
import { explained } from "./s3-failure.ts";
import { bucketFault } from "./source-buckets.ts";
import type { SourceBuckets } from "./source-buckets.ts";

const getting = (bucket: string, key: string) =>
  ({ subject: `s3://${bucket}/${key}`, verb: "read", permission: "s3:GetObject" }) as const;

/**
 * Reads from the buckets that are `allowed`, of one S3-compatible server. Endpoint, region and credentials come from the
 * AWS SDK's own environment variables and files. Throws when a bucket is allowed and no region is set.
 */
export async function openSourceBuckets(
  allowed: readonly string[],
  options: S3ClientOptions,
): Promise<SourceBuckets> {
  const client = allowed.length === 0 ? undefined : await openS3Client(options);

  const clientFor = (bucket: string) => {
    const fault = bucketFault(allowed, bucket);
    if (client === undefined || fault !== undefined) throw new PermanentError("fetch_forbidden", fault ?? "");
    return client;
  };

  const get = async ({ bucket, key, version_id }: S3Object, more: Partial<GetObjectCommandInput> = {}) => {
    const reader = clientFor(bucket);
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id, ...more });
    const answered = answerInTime(0, (abortSignal) => reader.send(command, { abortSignal }));
    const { Body, ContentLength, ETag } = await explained(getting(bucket, key), answered);
    if (Body === undefined || ETag === undefined)
      throw new Error(`The S3 server answers for s3://${bucket}/${key} without a body or an ETag.`);
    return { stream: Body.transformToWebStream(), bytes: ContentLength, etag: ETag };
  };

  return {
    mustAllow: (bucket) => void clientFor(bucket),

    async read(object, { maxBytes }) {
      const { stream, bytes = 0 } = await get(object, { IfMatch: object.etag });
      const tooLarge = () =>
        new PermanentError("image_too_large", `The image has more than ${maxBytes} bytes.`);
      if (bytes > maxBytes) {
        await stream.cancel();
        throw tooLarge();
      }
      const pieces: Uint8Array[] = [];
      let size = 0;
      for await (const piece of stream as ReadableStream<Uint8Array>) {
        size += piece.byteLength;
        // Leaving the loop cancels the stream: a server may have lied about the length.
        if (size > maxBytes) throw tooLarge();
        pieces.push(piece);
      }
      return concatenated(pieces, size);
    },

    async etagOf({ bucket, key, version_id }) {
      const reader = clientFor(bucket);
      const command = new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id });
      const answered = answerInTime(0, (abortSignal) => reader.send(command, { abortSignal }));
      const { ETag } = await explained(getting(bucket, key), answered);
      if (ETag === undefined)
        throw new Error(`The S3 server answers for s3://${bucket}/${key} without an ETag.`);
      return ETag;
    },

    async open(object, { from, etag }) {
      const range = from > 0 ? { Range: `bytes=${from}-` } : {};
      return await get(object, { ...range, IfMatch: etag }).catch((error: unknown) => {
        if (etag === undefined || statusOf(error) !== 416) throw error;
        return { stream: new Blob([]).stream(), etag };
      });
    },

    async list(bucket, prefix, { after, limit }) {
      const reader = clientFor(bucket);
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        StartAfter: after === "" ? undefined : after,
        MaxKeys: limit,
      });
      const answered = answerInTime(0, (abortSignal) => reader.send(command, { abortSignal }));
      const { Contents = [], IsTruncated } = await explained(
        { subject: `s3://${bucket}`, verb: "read", permission: "s3:ListBucket" },
        answered,
      );
      const objects = Contents.map(({ Key, Size = 0, ETag }) => {
        if (Key === undefined)
          throw new Error(`The S3 server lists an object of "${bucket}" without its key.`);
        return { key: Key, size: Size, etag: ETag };
      });
      return { objects, isLast: IsTruncated !== true };
    },

    close: async () => client?.destroy(),
  };
}

function statusOf(error: unknown): number | undefined {
  const cause = error instanceof Error && error.cause instanceof S3ServiceException ? error.cause : undefined;
  return cause?.$metadata.httpStatusCode;
}

function concatenated(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
