import { messageId, newId } from "../../shared/new-id.ts";
import type { Queues } from "../../shared/queue.ts";

/** Enqueues a message of the tests' only tenant for an address, as of a classification that succeeded, and gives its id. */
export async function enqueueMessage(queues: Queues, url: string): Promise<string> {
  const id = await messageId(newId("cls"), "classification.succeeded", url);
  const payload = {
    message_id: id,
    tenant: "default",
    event_type: "classification.succeeded" as const,
    url,
    body: "{}",
    created_at: new Date().toISOString(),
    sending: 0,
  };
  await queues.enqueueDeliver({ id, payload });
  return id;
}
