import type { EventBridgeEvent } from "../../shared/contracts/bucket-event.ts";
import type { BucketEvent } from "./bucket-event.ts";

/** The event that EventBridge delivers, whose key is not encoded. */
export function fromEventBridge({ "detail-type": eventName, time, detail }: EventBridgeEvent): BucketEvent {
  const { key, size, etag, "version-id": versionId, sequencer } = detail.object;
  return {
    source: "eventbridge",
    bucket: detail.bucket.name,
    key,
    versionId,
    etag,
    size,
    sequencer: sequencer?.toUpperCase(),
    eventName,
    eventTime: time,
  };
}
