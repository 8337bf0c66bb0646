import type { Classification } from "./contracts/classification.ts";
import type { ImageSource } from "./contracts/image.ts";
import type { ClassifyImagePayload } from "./contracts/queue-payloads.ts";
import { inputOf } from "./item-input.ts";

/** The resource of a job that no worker has taken yet: what it goes on from and ends as derives from it. */
export function queuedClassification(payload: ClassifyImagePayload): Classification {
  return {
    id: payload.id,
    object: "classification",
    status: "queued",
    model: payload.model,
    model_digest: null,
    device: null,
    input: inputOfOwn(payload),
    predictions: null,
    error: null,
    metadata: payload.metadata,
    metrics: {},
    created_at: payload.created_at,
    started_at: null,
    completed_at: null,
    deadline: payload.deadline,
    expires_at: payload.expires_at,
    urls: { get: payload.url, cancel: `${payload.url}/cancel`, events: `${payload.url}/events` },
  };
}

function inputOfOwn({ id, image }: ClassifyImagePayload): ImageSource {
  const input = inputOf(image);
  // Bytes that came with the request are stored under its own id, which says nothing new.
  if (input.type !== "data" || input.upload_id !== id) return input;
  const { upload_id: _, ...shown } = input;
  return shown;
}
