import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { BucketEventBody, BucketEventCounts, SqsFailures } from "../../shared/contracts/bucket-event.ts";
import { AppError } from "../../shared/errors.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import type { BucketEvent } from "../events/bucket-event.ts";
import { parseDelivery, parseEvents } from "../events/parse-delivery.ts";
import { eventsAuth } from "../middleware/events-auth.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { acceptS3Events } from "../services/accept-s3-event.ts";
import { confirmSubscription } from "../services/confirm-subscription.ts";
import { BEARER, onlyProblems } from "./responses.ts";

/** The largest body of events, in bytes: that of a Lambda's. */
const MAX_EVENT_BYTES = 6_000_000;

const accept = createRoute({
  method: "post",
  path: "/v1/events/s3",
  operationId: "acceptBucketEvents",
  summary: "Tell of new objects in buckets",
  description:
    "For the notifications of S3 (directly, by SQS, SNS or EventBridge), MinIO, Ceph and Cloudflare R2, as each sends them: the objects are labelled by the labelers they are for. Takes the API key or, in whichever way the vendor can send it, the token of `S3_EVENTS_TOKEN`: `Authorization: Bearer TOKEN`, `Authorization: TOKEN`, Basic with the token as password, or `?token=TOKEN`. Answers 200 once everything is safely queued.",
  tags: ["Labelers"],
  security: BEARER,
  request: {
    query: z.object({
      token: z.string().optional().meta({ description: "For vendors that can send no header." }),
    }),
    body: {
      content: {
        "application/json": { schema: BucketEventBody },
        // What SNS says of its JSON.
        "text/plain": { schema: z.string() },
      },
    },
  },
  responses: {
    200: {
      description: "Accepted. To an SQS batch: which of its messages are not bucket events.",
      content: { "application/json": { schema: z.union([BucketEventCounts, SqsFailures]) } },
    },
    // Its key has no scopes and no rate limit.
    ...onlyProblems("invalid_request", "unauthorized", "unsupported_media_type", "internal", "overloaded"),
  },
});

/** The route of bucket events, with an authentication of its own. */
export function s3EventRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.use(
    accept.path,
    eventsAuth(deps.config),
    bodyLimit({ maxSize: MAX_EVENT_BYTES, onError: tooLarge }),
  );

  routes.openapi(accept, async (c) => {
    const traceparent = c.get("traceparent");
    const delivery = parseDelivery(await c.req.text());
    if (delivery.kind === "messages")
      return c.json(await acceptMessages(deps, delivery.messages, traceparent), 200);
    if (delivery.kind === "events")
      return c.json(await acceptS3Events(deps, delivery.events, traceparent), 200);
    await confirmSubscription(delivery.subscribeUrl, fetch);
    return c.json({ accepted: 0, missed: 0, ignored: 0 }, 200);
  });

  return routes;
}

async function acceptMessages(
  deps: ApiDeps,
  messages: readonly { id: string; text: string }[],
  traceparent: string,
): Promise<SqsFailures> {
  const events: BucketEvent[] = [];
  const batchItemFailures: SqsFailures["batchItemFailures"] = [];
  for (const { id, text } of messages)
    try {
      events.push(...parseEvents(text));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      deps.logger.warn({ message: id, reason: error.message }, "a message of SQS is no bucket event");
      batchItemFailures.push({ itemIdentifier: id });
    }
  await acceptS3Events(deps, events, traceparent);
  return { batchItemFailures };
}

function tooLarge(): never {
  throw new AppError(
    "invalid_request",
    `The body has more than ${MAX_EVENT_BYTES} bytes; send fewer events at once.`,
  );
}
