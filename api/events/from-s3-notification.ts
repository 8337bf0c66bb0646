import type { S3Notification } from "../../shared/contracts/bucket-event.ts";
import { AppError } from "../../shared/errors.ts";
import type { BucketEvent } from "./bucket-event.ts";

/** Where the three differ that send S3's notification. */
const DIALECTS = {
  "aws:s3": { decodeKey: formDecoded, sequence: (digits: string) => digits },
  "minio:s3": { decodeKey: formDecoded, sequence: (digits: string) => digits },
  "ceph:s3": { decodeKey: (key: string) => key, sequence: bigEndian },
} as const;

/** The events of a notification of S3, MinIO or Ceph. Throws AppError invalid_request for a key whose encoding is broken. */
export const fromS3Notification = ({ Records }: S3Notification): BucketEvent[] =>
  Records.map(({ eventSource, eventName, eventTime, s3 }) => {
    const { decodeKey, sequence } = DIALECTS[eventSource];
    const { key, size, eTag, versionId, sequencer } = s3.object;
    return {
      source: eventSource,
      bucket: s3.bucket.name,
      key: decodeKey(key),
      versionId,
      etag: eTag,
      size,
      sequencer: sequencer === undefined ? undefined : sequence(sequencer.toUpperCase()),
      eventName: eventName.replace(/^s3:/, ""),
      eventTime,
    };
  });

/** A key as forms encode it (`+` is a space), decoded. */
function formDecoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    const shown = key.slice(0, 100);
    throw new AppError(
      "invalid_request",
      `The key "${shown}" is not URL-encoded, as those of S3 and MinIO are.`,
    );
  }
}

/**
 * Ceph's sequencer is the memory of two 32-bit numbers, seconds and nanoseconds, so that on the usual machines the lowest
 * byte comes first and the text does not grow with time (`populate_event` in ceph's src/rgw/driver/rados/rgw_notify.cc).
 */
function bigEndian(digits: string): string {
  const words = /^([0-9A-F]{8})([0-9A-F]{8})$/.exec(digits)?.slice(1) ?? [digits];
  return words.map((word) => (word.match(/../g) ?? []).toReversed().join("")).join("");
}
