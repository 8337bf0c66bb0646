import type { R2Message } from "../../shared/contracts/bucket-event.ts";
import type { BucketEvent } from "./bucket-event.ts";

/** The event that Cloudflare R2 puts into a queue, whose key is not encoded and which has no sequencer. */
export const fromR2Message = ({ action, bucket, object, eventTime }: R2Message): BucketEvent => ({
  source: "r2",
  bucket,
  key: object.key,
  versionId: undefined,
  etag: object.eTag,
  size: object.size,
  sequencer: undefined,
  eventName: action,
  eventTime,
});
