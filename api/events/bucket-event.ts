/** What an event of any vendor tells of one object. */
export interface BucketEvent {
  source: "aws:s3" | "minio:s3" | "ceph:s3" | "eventbridge" | "r2";
  bucket: string;
  /** As it is, not encoded. */
  key: string;
  versionId: string | undefined;
  etag: string | undefined;
  /** Bytes. */
  size: number | undefined;
  /** Hexadecimal digits in upper case that grow, compared as text, with each change of the object. */
  sequencer: string | undefined;
  /** In the vendor's words, without MinIO's `s3:` before them. */
  eventName: string;
  /** RFC 3339. */
  eventTime: string;
}

/**
 * What the vendors call an object that is new. MinIO has more under `ObjectCreated:` that create nothing, such as
 * `ObjectCreated:PutTagging`: taken for a new object, the tags that labels are written to would come back for ever.
 */
const CREATIONS = new Set([
  "ObjectCreated:Put",
  "ObjectCreated:Post",
  "ObjectCreated:Copy",
  "ObjectCreated:CompleteMultipartUpload",
  "Object Created",
  "PutObject",
  "CopyObject",
  "CompleteMultipartUpload",
]);

/** Whether the event tells of an object that is new, or new again; not of tags, deletions and the like. */
export const isCreation = ({ eventName }: Pick<BucketEvent, "eventName">): boolean =>
  CREATIONS.has(eventName);
