import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { PutSigning } from "./storage.ts";

/** An address where one object can be written with no more than the headers that say of which type and size it is, which are signed. */
export const presignPut = (
  client: S3Client,
  object: { Bucket: string; Key: string },
  { contentType, bytes, seconds }: PutSigning,
): Promise<string> =>
  getSignedUrl(client, new PutObjectCommand({ ...object, ContentType: contentType, ContentLength: bytes }), {
    expiresIn: seconds,
    signableHeaders: new Set(["host", "content-type", "content-length"]),
  });
