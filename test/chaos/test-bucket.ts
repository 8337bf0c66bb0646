import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NotFound,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import type { Ceph } from "../support/ceph-cluster.ts";
import type { Picture } from "./pictures.ts";

/** Where the service keeps its things in the bucket. */
export const STORAGE_PREFIX = "tresline/";

/** A bucket of a seed, which holds pictures and, below `STORAGE_PREFIX`, the storage of the service. The harness goes to it directly. */
export interface TestBucket {
  name: string;
  /** What was put there, by its key. */
  put: Map<string, Picture>;
  /** Puts a picture there and gives its ETag. */
  putPicture: (key: string, picture: Picture) => Promise<string>;
  /** The text of an object, or undefined when there is none. */
  read: (key: string) => Promise<string | undefined>;
  etagOf: (key: string) => Promise<string | undefined>;
  keysUnder: (prefix: string) => Promise<string[]>;
  close: () => void;
}

/** Makes one. */
export async function makeTestBucket(
  { endpoint, accessKeyId, secretAccessKey }: Pick<Ceph, "endpoint" | "accessKeyId" | "secretAccessKey">,
  name: string,
): Promise<TestBucket> {
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  const put = new Map<string, Picture>();
  return {
    name,
    put,
    async putPicture(key, picture) {
      put.set(key, picture);
      const Body = picture.bytes;
      const { ETag = "" } = await s3.send(new PutObjectCommand({ Bucket: name, Key: key, Body }));
      return ETag.replaceAll('"', "");
    },
    async read(key) {
      const found = await unlessGone(s3.send(new GetObjectCommand({ Bucket: name, Key: key })));
      return found?.Body?.transformToString();
    },
    etagOf: async (key) =>
      (await unlessGone(s3.send(new HeadObjectCommand({ Bucket: name, Key: key }))))?.ETag,
    async keysUnder(prefix) {
      const keys: string[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2(
        { client: s3 },
        { Bucket: name, Prefix: prefix },
      ))
        keys.push(...Contents.flatMap(({ Key }) => Key ?? []));
      return keys;
    },
    close: () => s3.destroy(),
  };
}

/** What was found, or undefined of what is not there. */
async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof NoSuchKey || error instanceof NotFound) return undefined;
    throw error;
  }
}
