import * as z from "zod";

/** The events of one classification. */
export const CLASSIFICATION_EVENTS = [
  "classification.succeeded",
  "classification.failed",
  "classification.canceled",
  "classification.aborted",
] as const;
/** The events of a batch. `batch.progress` is delivered only to those who name it in their filter. */
export const BATCH_EVENTS = [
  "batch.progress",
  "batch.completed",
  "batch.failed",
  "batch.canceled",
  "batch.expired",
] as const;
/** The events of a labeler's run. */
export const RUN_EVENTS = ["labeler.run.completed", "labeler.run.failed", "labeler.run.canceled"] as const;
/** What an endpoint is sent when its owner tries it out. */
export const TEST_EVENTS = ["webhook.test"] as const;

/** The name of an event: the resource, a full stop and what happened to it. */
export const EventType = z
  .enum([...CLASSIFICATION_EVENTS, ...BATCH_EVENTS, ...RUN_EVENTS, ...TEST_EVENTS])
  .meta({ id: "EventType" });
export type EventType = z.infer<typeof EventType>;

/** The body of a webhook message (Standard Webhooks 1.0): what happened, when, and the resource as it then was. */
export const Event = z
  .object({ type: EventType, timestamp: z.iso.datetime(), data: z.record(z.string(), z.unknown()) })
  .meta({ id: "Event", description: "The body of a webhook message." });
export type Event = z.infer<typeof Event>;

/** The largest body of a webhook message, in bytes: a resource that makes it larger is replaced by its id, status and link. */
export const MAX_EVENT_BYTES = 20_000;
