import { MAX_EVENT_BYTES } from "./contracts/event.ts";
import type { Event, EventType } from "./contracts/event.ts";
import { messageId } from "./new-id.ts";
import type { Queues } from "./queue.ts";

/** Something that happened to a resource, and who wants to hear of it. */
export interface Announcement {
  tenant: string;
  /** Where to deliver it and, when not all but `batch.progress`, which events; null when nobody asked. */
  webhook:
    | { url: string; events?: string[] | undefined }
    | { endpoint_id: string; events?: string[] | undefined }
    | null;
  type: EventType;
  /** RFC 3339; part of the resource's record, so that an event told again has the same bytes. */
  timestamp: string;
  resource: { id: string; object: string; status: string; urls: { get: string } };
  /** Tells events apart that happen to a resource more than once. */
  occasion?: string;
  /** The place in a trace that its message goes under; without one it begins a trace. */
  traceparent?: string | undefined;
}

/** Enqueues the message about an event, if anybody asked for it. Announcing it again makes no second message: the id is derived. */
export async function announce(
  queues: Queues,
  { tenant, webhook, type, timestamp, resource, occasion, traceparent }: Announcement,
): Promise<void> {
  if (webhook === null || !isWanted(webhook.events, type)) return;
  const subject = occasion === undefined ? resource.id : `${resource.id} ${occasion}`;
  const receiver = "endpoint_id" in webhook ? { endpoint_id: webhook.endpoint_id } : { url: webhook.url };
  const id = await messageId(subject, type, receiver.endpoint_id ?? receiver.url);
  const payload = {
    message_id: id,
    tenant,
    event_type: type,
    ...receiver,
    body: eventBody(type, timestamp, resource),
    created_at: new Date().toISOString(),
    sending: 0,
    traceparent,
  };
  await queues.enqueueDeliver({ id, payload });
}

const isWanted = (events: string[] | undefined, type: EventType) =>
  events === undefined ? type !== "batch.progress" : events.includes(type);

function eventBody(type: EventType, timestamp: string, resource: Announcement["resource"]): string {
  const { id, object, status, urls } = resource;
  const whole = JSON.stringify({ type, timestamp, data: { ...resource } } satisfies Event);
  if (new TextEncoder().encode(whole).byteLength <= MAX_EVENT_BYTES) return whole;
  return JSON.stringify({ type, timestamp, data: { id, object, status, urls } } satisfies Event);
}
