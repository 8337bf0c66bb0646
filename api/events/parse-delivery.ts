import { z } from "zod";
import {
  BucketEventBody,
  EXPECTED_EVENT,
  EventBridgeEvent,
  R2Message,
  S3Notification,
  S3TestEvent,
  SnsMessage,
  SqsMessages,
} from "../../shared/contracts/bucket-event.ts";
import { ObjectKey } from "../../shared/contracts/image.ts";
import { AppError } from "../../shared/errors.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { isCreation } from "./bucket-event.ts";
import type { BucketEvent } from "./bucket-event.ts";
import { fromEventBridge } from "./from-event-bridge.ts";
import { fromR2Message } from "./from-r2-message.ts";
import { fromS3Notification } from "./from-s3-notification.ts";

/** What one request brings: events, messages of SQS each of which `parseEvents` reads, or a subscription of SNS to confirm. */
export type Delivery =
  | { kind: "events"; events: BucketEvent[] }
  | { kind: "messages"; messages: { id: string; text: string }[] }
  | { kind: "confirmation"; subscribeUrl: string };

type Envelope = Record<string, unknown>;

/** What a vendor posts, told by what only its envelope has. Throws AppError invalid_request for anything else, with what was expected. */
export function parseDelivery(text: string): Delivery {
  const envelope = parseText(text, "The body");
  if (FromSqs.safeParse(envelope).success) {
    const { Records } = parseAs(SqsMessages, envelope);
    return {
      kind: "messages",
      messages: Records.map(({ messageId, body }) => ({ id: messageId, text: body })),
    };
  }
  if (envelope["Type"] === "SubscriptionConfirmation") {
    const message = parseAs(SnsMessage, envelope);
    if (message.Type === "SubscriptionConfirmation")
      return { kind: "confirmation", subscribeUrl: message.SubscribeURL };
  }
  return { kind: "events", events: eventsOf(envelope) };
}

/** The events in the text of a message of SQS, which may be one that SNS or EventBridge put there. Throws AppError invalid_request. */
export const parseEvents = (text: string): BucketEvent[] => eventsOf(parseText(text, "The message"));

function eventsOf(envelope: Envelope): BucketEvent[] {
  if ("Type" in envelope && "TopicArn" in envelope) {
    const message = parseAs(SnsMessage, envelope);
    return message.Type === "Notification"
      ? eventsWithin(parseText(message.Message, "The Message of the SNS notification"))
      : [];
  }
  return eventsWithin(envelope);
}

/** The events of an envelope that holds no other. */
function eventsWithin(envelope: Envelope): BucketEvent[] {
  if ("Records" in envelope) return checked(fromS3Notification(parseAs(S3Notification, envelope)));
  if ("detail-type" in envelope) return checked([fromEventBridge(parseAs(EventBridgeEvent, envelope))]);
  if ("account" in envelope && "action" in envelope)
    return checked([fromR2Message(parseAs(R2Message, envelope))]);
  if (S3TestEvent.safeParse(envelope).success) return [];
  throw notAnEvent("The body");
}

/** Throws unless every object that is new has a key that an object may have. Events of a bucket itself have none. */
function checked(events: BucketEvent[]): BucketEvent[] {
  const bad = events.find((event) => isCreation(event) && !ObjectKey.safeParse(event.key).success);
  if (bad === undefined) return events;
  throw new AppError(
    "invalid_request",
    `"${bad.key.slice(0, 100)}" cannot be the key of an object: it must be Unicode of 1 to 1024 bytes.`,
  );
}

const FromSqs = z.object({
  Records: z.tuple([z.object({ eventSource: z.literal("aws:sqs") })]).rest(z.unknown()),
});

function parseText(text: string, what: string): Envelope {
  try {
    const parsed = BucketEventBody.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
  } catch {
    throw new AppError("invalid_request", `${what} is not valid JSON.`);
  }
  throw notAnEvent(what);
}

const notAnEvent = (what: string) =>
  new AppError("invalid_request", `${what} is not a bucket event: ${EXPECTED_EVENT}.`);

function parseAs<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) rejectInvalid({ ...parsed, target: "json" });
  return parsed.data as z.output<Schema>;
}
