import { UsageError } from "./command.ts";

/** A place in a bucket; `key` may be empty. */
export interface S3Place {
  bucket: string;
  key: string;
}

/** The place that `s3://BUCKET/KEY` names; the key is taken as it is, not URL-decoded. Undefined for anything else. */
export function parseS3Address(text: string): S3Place | undefined {
  const [, bucket, key = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(text) ?? [];
  return bucket === undefined ? undefined : { bucket, key };
}

/** The same of an option that must be one. Throws UsageError. */
export function readS3Address(option: string, text: string): S3Place {
  const place = parseS3Address(text);
  if (!place) throw new UsageError(`${option} must be an address such as s3://bucket/key; it is "${text}".`);
  return place;
}
