import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { checkKey } from "./check-key.ts";
import { answerInTime, openS3Client } from "./s3-client.ts";
import type { S3ClientOptions } from "./s3-client.ts";
import { presignPut } from "./s3-presign.ts";
import { putMultipart } from "./s3-multipart.ts";
import { ObjectTooLargeError } from "./storage.ts";
import type { PutOptions, Storage, StoredObject } from "./storage.ts";

/** AWS answers 409 to a conditional write that met another one and wants it tried again. */
const CONFLICT_TRIES = 5;

/** Which bucket, and what all keys in it begin with: `""` or such as `tresline/`. */
export interface S3StorageOptions extends S3ClientOptions {
  bucket: string;
  prefix: string;
}

/**
 * Keeps objects in a bucket of any S3-compatible server. Endpoint, region and credentials come from the AWS SDK's own
 * environment variables and files. Throws when no region is set.
 */
export async function createS3Storage(options: S3StorageOptions): Promise<Storage> {
  const { bucket, prefix } = options;
  const client = await openS3Client(options);

  const at = (key: string) => {
    checkKey(prefix + key);
    return { Bucket: bucket, Key: prefix + key };
  };

  const write = async (key: string, body: Uint8Array | string, put: PutOptions, condition: object) => {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const command = new PutObjectCommand({
      ...at(key),
      Body: bytes,
      ContentType: put.contentType,
      ...condition,
    });
    await answerInTime(bytes.length, (abortSignal) => client.send(command, { abortSignal }));
  };

  const read = async (key: string, range: object = {}): Promise<GetObjectCommandOutput | undefined> => {
    const command = new GetObjectCommand({ ...at(key), ...range });
    try {
      return await answerInTime(0, (abortSignal) => client.send(command, { abortSignal }));
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  };

  /** A listing, page by page; with a delimiter, of what is right below the prefix. */
  async function* pagesOf(keyPrefix: string, delimiter?: string) {
    let next: string | undefined;
    do {
      const page = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix + keyPrefix,
        Delimiter: delimiter,
        ContinuationToken: next,
      });
      const answered = answerInTime(0, (abortSignal) => client.send(page, { abortSignal }));
      const answer = await named("list", keyPrefix, answered);
      yield answer;
      next = answer.NextContinuationToken;
    } while (next !== undefined);
  }

  const putIfAbsent = async (key: string, body: Uint8Array | string, put: PutOptions): Promise<boolean> => {
    for (let tries = 1; ; tries++) {
      try {
        await write(key, body, put, { IfNoneMatch: "*" });
        return true;
      } catch (error) {
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        if (status === 412) return false;
        if (status !== 409 || tries === CONFLICT_TRIES) throw error;
      }
    }
  };

  return {
    put: (key, body, put) => named("write", key, write(key, body, put, {})),

    async putStream(key, body, { contentType }) {
      const written = putMultipart(client, { ...at(key), ContentType: contentType }, body, (bytes) =>
        write(key, bytes, { contentType }, {}),
      );
      await named("write", key, written);
    },

    putIfAbsent: (key, body, put) => named("write", key, putIfAbsent(key, body, put)),

    async get(key, limit) {
      const answer = await named("read", key, read(key));
      if (!answer?.Body) return undefined;
      if (limit && (answer.ContentLength ?? Infinity) > limit.maxBytes) {
        await answer.Body.transformToWebStream().cancel();
        throw new ObjectTooLargeError(key, limit.maxBytes);
      }
      return named("read", key, answer.Body.transformToByteArray());
    },

    async size(key) {
      const head = async () => {
        const command = new HeadObjectCommand(at(key));
        return (await answerInTime(0, (abortSignal) => client.send(command, { abortSignal }))).ContentLength;
      };
      const orNothing = head().catch((error: unknown) => {
        // An answer without a body cannot say whether it is the object or the bucket that is missing.
        if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
        throw error;
      });
      return named("read", key, orNothing);
    },

    signPut: (key, signing) => named("sign", key, presignPut(client, at(key), signing)),

    async getStream(key, from = 0) {
      const answer = read(key, from > 0 ? { Range: `bytes=${from}-` } : {});
      const opened = answer.then((found) => found?.Body?.transformToWebStream());
      const orNothing = opened.catch((error: unknown) => {
        if (error instanceof S3ServiceException && error.name === "InvalidRange")
          return new Blob([]).stream();
        throw error;
      });
      return named("read", key, orNothing);
    },

    async *list(keyPrefix): AsyncGenerator<StoredObject, void, undefined> {
      for await (const { Contents = [] } of pagesOf(keyPrefix))
        for (const { Key, Size, LastModified } of Contents) {
          if (Key === undefined || Size === undefined || LastModified === undefined) {
            throw new Error(`The S3 server lists an object of "${bucket}" without its key, size or time.`);
          }
          yield { key: Key.slice(prefix.length), size: Size, modifiedAt: LastModified };
        }
    },

    async *folders(keyPrefix) {
      for await (const { CommonPrefixes = [] } of pagesOf(keyPrefix, "/"))
        for (const { Prefix = "" } of CommonPrefixes) yield Prefix.slice(prefix.length);
    },

    async delete(key) {
      const deleted = async () => {
        const command = new DeleteObjectCommand(at(key));
        await answerInTime(0, (abortSignal) => client.send(command, { abortSignal }));
      };
      await named(
        "delete",
        key,
        deleted().catch((error: unknown) => {
          if (!isAbsence(error)) throw error;
        }),
      );
    },

    async check() {
      await named("write", "health-check", putIfAbsent("health-check", "", { contentType: "text/plain" }));
    },

    close: async () => client.destroy(),
  };
}

/** A missing bucket is a 404 too and must not look like a missing object. */
function isAbsence(error: unknown): boolean {
  return error instanceof S3ServiceException && error.name === "NoSuchKey";
}

/** Says in an error what was tried with which key. */
async function named<T>(verb: string, key: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new Error(`S3 could not ${verb} "${key}": ${reason}`, { cause });
  }
}
