import * as z from "zod";
import { Event, EventType } from "./event.ts";
import { MessageId, WebhookEndpointId } from "./ids.ts";
import { HttpUrl, MAX_URL_LENGTH } from "./image.ts";

/** The most endpoints a tenant may register. */
export const MAX_WEBHOOK_ENDPOINTS = 100;

/** Hours that the secret before a rotation still signs beside the new one, and the most that may be asked for. */
const OVERLAP_HOURS = 24;
const MAX_OVERLAP_HOURS = 7 * 24;

/** What a client names as `webhook`: an address, or the id of a registered endpoint. */
export const WebhookTarget = z
  .string()
  .max(MAX_URL_LENGTH)
  .refine(
    (target) => HttpUrl.safeParse(target).success || WebhookEndpointId.safeParse(target).success,
    "must be an http or https URL, or the id of a webhook endpoint (whe_…)",
  )
  .meta({
    description:
      "Where to deliver signed events about this resource: a URL, or the id of a webhook endpoint.",
    example: "https://example.com/hooks/tresline",
  });

/** Where messages about a resource go and, when not all, which events: to an address, or to a registered endpoint. */
export const webhookFor = <Events extends readonly [string, ...string[]]>(events: Events) => {
  const filter = { events: z.array(z.enum(events)).optional() };
  return z.union([
    z.object({ url: HttpUrl, ...filter }),
    z.object({ endpoint_id: WebhookEndpointId, ...filter }),
  ]);
};

/** How an endpoint's messages are signed. */
export const WebhookSigning = z.enum(["hmac", "ed25519"]).meta({
  description:
    "`hmac`: HMAC-SHA256 with a secret that both sides know. `ed25519`: verified with a public key, which gives nobody the means to sign.",
});
export type WebhookSigning = z.infer<typeof WebhookSigning>;

const Description = z.string().max(256).meta({ example: "The catalogue's importer" });
const EventsFilter = z
  .array(EventType)
  .min(1)
  .nullable()
  .meta({ description: "Only these events are delivered; all when null.", example: ["batch.completed"] });
const Status = z.enum(["enabled", "disabled"]);

/** The JSON body of `POST /v1/webhook-endpoints`. */
export const CreateWebhookEndpoint = z
  .strictObject({
    url: HttpUrl,
    description: Description.default(""),
    events: EventsFilter.default(null),
    signing: WebhookSigning.default("hmac"),
  })
  .meta({ id: "CreateWebhookEndpoint", example: { url: "https://example.com/hooks/tresline" } });
export type CreateWebhookEndpoint = z.infer<typeof CreateWebhookEndpoint>;

/** The JSON body of `PATCH /v1/webhook-endpoints/{id}`: what is absent stays as it is. */
export const UpdateWebhookEndpoint = z
  .strictObject({
    url: HttpUrl.optional(),
    description: Description.optional(),
    events: EventsFilter.optional(),
    status: Status.optional(),
  })
  .meta({
    id: "UpdateWebhookEndpoint",
    description: "What is absent stays as it is.",
    example: { status: "enabled" },
  });
export type UpdateWebhookEndpoint = z.infer<typeof UpdateWebhookEndpoint>;

/** A registered receiver of messages, without its secret. */
export const WebhookEndpoint = z
  .object({
    id: WebhookEndpointId,
    object: z.literal("webhook_endpoint"),
    url: HttpUrl,
    description: z.string(),
    events: EventsFilter,
    signing: WebhookSigning,
    public_key: z.string().nullable().meta({
      description: "`whpk_` and the Ed25519 key that verifies its messages; null with `hmac`.",
    }),
    status: Status,
    disabled_reason: z.string().nullable().meta({ description: "Why it is disabled; null while it is not." }),
    disabled_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "WebhookEndpoint", description: "A registered receiver of messages." });
export type WebhookEndpoint = z.infer<typeof WebhookEndpoint>;

/** An endpoint just after its secret was made: the only answers that show it. */
export const WebhookEndpointWithSecret = WebhookEndpoint.extend({
  secret: z.string().nullable().meta({
    description:
      "`whsec_…`, shown this once. Null with `ed25519`: nobody but the service needs the private key, and the public one verifies.",
  }),
}).meta({ id: "WebhookEndpointWithSecret" });
export type WebhookEndpointWithSecret = z.infer<typeof WebhookEndpointWithSecret>;

/** The query of a rotation. */
export const RotationQuery = z.object({
  overlap_hours: z.coerce.number().int().min(0).max(MAX_OVERLAP_HOURS).default(OVERLAP_HOURS).meta({
    description:
      "How long the secret before signs beside the new one, so that receivers can change over. 0 ends it at once, as when it has leaked.",
    type: "integer",
  }),
});

/** The tenant's default secret, which signs messages to addresses given with a request. */
export const WebhookSecret = z
  .object({
    object: z.literal("webhook_secret"),
    secret: z.string().meta({ example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }),
  })
  .meta({ id: "WebhookSecret" });

/** A public key that verifies messages of an endpoint. */
export const WebhookPublicKey = z.object({
  endpoint_id: WebhookEndpointId,
  public_key: z.string(),
  signs_until: z.iso.datetime().nullable().meta({ description: "Null unless it was rotated away." }),
});
export type WebhookPublicKey = z.infer<typeof WebhookPublicKey>;

/** The body of `/.well-known/webhook-keys.json`. */
export const WebhookPublicKeys = z
  .object({ keys: z.array(WebhookPublicKey) })
  .meta({ id: "WebhookPublicKeys" });

/** How a message is or has ended. `not_sent`: its endpoint was disabled or deleted. */
export const MessageStatus = z.enum(["pending", "delivered", "failed", "not_sent"]);

/** One event for one receiver, under one id however often it is tried. */
export const WebhookMessage = z
  .object({
    id: MessageId,
    object: z.literal("webhook_message"),
    type: EventType,
    status: MessageStatus.meta({
      description:
        "`pending` until it is delivered or given up. `not_sent`: its endpoint was disabled or deleted.",
    }),
    endpoint_id: WebhookEndpointId.nullable(),
    url: z.string().nullable().meta({ description: "The address, when it was given with a request." }),
    attempts: z.int().meta({ description: "Of the latest sending; a message sent again begins anew." }),
    reason: z.string().nullable().meta({ description: "Why it is not delivered." }),
    created_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
    event: Event,
  })
  .meta({ id: "WebhookMessage", description: "One event for one receiver." });
export type WebhookMessage = z.infer<typeof WebhookMessage>;

/** One line of an endpoint's log of attempts. */
export const WebhookAttempt = z
  .object({
    object: z.literal("webhook_attempt"),
    message_id: MessageId,
    type: EventType,
    number: z.int().meta({ description: "1 for the first; 0 when it was not sent." }),
    status: z.enum(["delivered", "failed", "not_sent"]),
    response_status: z.int().nullable().meta({ description: "Null when there was no answer." }),
    response_body: z.string().nullable().meta({ description: "The first 1024 bytes of the answer." }),
    reason: z.string().nullable().meta({ description: "Why it failed or was not sent." }),
    duration_ms: z.int(),
    attempted_at: z.iso.datetime(),
  })
  .meta({ id: "WebhookAttempt", description: "One try to deliver a message." });
export type WebhookAttempt = z.infer<typeof WebhookAttempt>;

/** What is left of a deleted endpoint. */
export const DeletedWebhookEndpoint = z
  .object({ id: WebhookEndpointId, object: z.literal("webhook_endpoint"), deleted: z.literal(true) })
  .meta({ id: "DeletedWebhookEndpoint" });

/** What a recovery sends again. */
export const WebhookRecovery = z
  .object({
    object: z.literal("webhook_recovery"),
    endpoint_id: WebhookEndpointId,
    messages: z.int().meta({ description: "How many messages are sent again." }),
  })
  .meta({ id: "WebhookRecovery" });
export type WebhookRecovery = z.infer<typeof WebhookRecovery>;

/** The query of `POST /v1/webhook-endpoints/{id}/recover`. */
export const RecoverQuery = z.object({
  since: z.iso.datetime({ offset: true }).meta({
    description: "Messages that were given up, or not sent, at or after this time.",
    example: "2026-11-22T00:00:00Z",
  }),
});
