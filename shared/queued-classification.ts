import type { Classification } from "./contracts/classification.ts";
import type { ClassifyImagePayload } from "./contracts/queue-payloads.ts";

/** The resource of a job that no worker has taken yet: what it goes on from and ends as derives from it. */
export function queuedClassification(payload: ClassifyImagePayload): Classification {
  const { image } = payload;
  return {
    id: payload.id,
    object: "classification",
    status: "queued",
    model: payload.model,
    model_digest: null,
    device: null,
    input:
      image.type === "data" ? { type: image.type, media_type: image.media_type, bytes: image.bytes } : image,
    predictions: null,
    error: null,
    metadata: payload.metadata,
    metrics: {},
    created_at: payload.created_at,
    started_at: null,
    completed_at: null,
    deadline: payload.deadline,
    urls: { get: payload.url, cancel: `${payload.url}/cancel`, events: `${payload.url}/events` },
  };
}
