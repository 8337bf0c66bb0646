import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { PermanentError } from "../errors.ts";
import { sidecarKey } from "../sidecar-key.ts";
import type { LabelWriter, LabelledObject } from "./label-writer.ts";
import { answerInTime, openS3Client } from "./s3-client.ts";
import type { S3ClientOptions } from "./s3-client.ts";
import { explained } from "./s3-failure.ts";
import { ObjectGoneError, bucketFault } from "./source-buckets.ts";

/** The things that are done with an object, such as `the tags of`, as S3 and a sentence call them. */
const DEEDS = {
  getTags: { of: "The tags of ", verb: "read", permission: "s3:GetObjectTagging" },
  putTags: { of: "The tags of ", verb: "written", permission: "s3:PutObjectTagging" },
  getSidecar: { of: "", verb: "read", permission: "s3:GetObject" },
  putSidecar: { of: "", verb: "written", permission: "s3:PutObject" },
} as const;

/**
 * Writes labels into the buckets that are `allowed`, of one S3-compatible server. Endpoint, region and credentials come
 * from the AWS SDK's own environment variables and files. Throws when a bucket is allowed and no region is set.
 */
export async function openLabelWriter(
  allowed: readonly string[],
  options: S3ClientOptions,
): Promise<LabelWriter> {
  const client = allowed.length === 0 ? undefined : await openS3Client(options);

  const ask = async <Answer>(
    { bucket, key }: LabelledObject,
    deed: keyof typeof DEEDS,
    bytes: number,
    send: (client: S3Client, abortSignal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> => {
    const fault = bucketFault(allowed, bucket);
    if (client === undefined || fault !== undefined) throw new PermanentError("fetch_forbidden", fault ?? "");
    const { of, ...rest } = DEEDS[deed];
    return explained(
      { ...rest, subject: `${of}s3://${bucket}/${key}` },
      answerInTime(bytes, (abortSignal) => send(client, abortSignal)),
    );
  };

  return {
    async getTags(object) {
      const command = new GetObjectTaggingCommand({ Bucket: object.bucket, Key: object.key });
      const { TagSet = [] } = await ask(object, "getTags", 0, (s3, abortSignal) =>
        s3.send(command, { abortSignal }),
      );
      return TagSet.map(({ Key = "", Value = "" }) => ({ key: Key, value: Value }));
    },

    async putTags(object, tags) {
      const command = new PutObjectTaggingCommand({
        Bucket: object.bucket,
        Key: object.key,
        Tagging: { TagSet: tags.map(({ key, value }) => ({ Key: key, Value: value })) },
      });
      await ask(object, "putTags", 0, (s3, abortSignal) => s3.send(command, { abortSignal }));
    },

    async getSidecar({ bucket, key }, { maxBytes }) {
      const sidecar = { bucket, key: await sidecarKey(key) };
      const command = new GetObjectCommand({ Bucket: bucket, Key: sidecar.key });
      const answered = ask(sidecar, "getSidecar", 0, (s3, abortSignal) => s3.send(command, { abortSignal }));
      const answer = await answered.catch((error: unknown) => {
        if (error instanceof ObjectGoneError) return undefined;
        throw error;
      });
      if (answer?.Body === undefined) return undefined;
      if ((answer.ContentLength ?? Infinity) <= maxBytes) return answer.Body.transformToByteArray();
      await answer.Body.transformToWebStream().cancel();
      return undefined;
    },

    async putSidecar({ bucket, key }, json) {
      const sidecar = { bucket, key: await sidecarKey(key) };
      const bytes = new TextEncoder().encode(json);
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: sidecar.key,
        Body: bytes,
        ContentType: "application/json",
      });
      await ask(sidecar, "putSidecar", bytes.length, (s3, abortSignal) => s3.send(command, { abortSignal }));
    },

    close: async () => client?.destroy(),
  };
}
