import type { S3Object } from "../contracts/image.ts";
import { PermanentError } from "../errors.ts";

/** The object is there no more, or never was. */
export class ObjectGoneError extends PermanentError {}

/** The object is no longer the version that was asked for: another has been put in its place. */
export class ObjectChangedError extends PermanentError {}

/** A page of a listing: keys in the order of their UTF-8 bytes, with sizes in bytes and ETags as S3 writes them, in quotes; `isLast` when nothing comes after them. */
export interface KeyPage {
  objects: { key: string; size: number; etag: string | undefined }[];
  isLast: boolean;
}

/** An object that is being read: its bytes from the place that was asked for, and what names this very version of it. */
export interface ObjectStream {
  stream: ReadableStream<Uint8Array>;
  etag: string;
}

/**
 * The buckets of somebody else that images and manifests are read from; only a LabelWriter writes to them. Every method
 * throws PermanentError (`fetch_forbidden`, `fetch_failed`, `image_too_large`) when trying again cannot help, its kinds
 * ObjectGoneError and ObjectChangedError among them, and anything else when it may.
 */
export interface SourceBuckets {
  /** Throws unless the operator allows to read from the bucket. Asks nobody. */
  mustAllow(bucket: string): void;

  /** The bytes of an object of at most `maxBytes` bytes; with `etag` only of this version of it. */
  read(object: S3Object & { etag?: string | undefined }, limit: { maxBytes: number }): Promise<Uint8Array>;

  /** What names the version of an object that is there now: its ETag as S3 writes it, in quotes. */
  etagOf(object: S3Object): Promise<string>;

  /** Opens an object from byte `from`, 0 for all of it; with `etag` only this version of it, of which nothing may be left. Read the stream to its end or cancel it. */
  open(object: S3Object, range: { from: number; etag?: string | undefined }): Promise<ObjectStream>;

  /** Up to `limit` (at most 1000) objects whose key begins with `prefix` and comes after `after`, which is `""` at first. */
  list(bucket: string, prefix: string, page: { after: string; limit: number }): Promise<KeyPage>;

  /** Lets go of connections. */
  close(): Promise<void>;
}

/** What is wrong with reading from a bucket, or undefined when the operator allows it. */
export const bucketFault = (allowed: readonly string[], bucket: string): string | undefined =>
  allowed.includes(bucket)
    ? undefined
    : `The bucket "${bucket}" may not be read: it is not among S3_SOURCE_BUCKETS, which the operator sets.`;
