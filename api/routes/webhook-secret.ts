import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { getWebhookSecret } from "../../shared/state/webhook-secret.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { BEARER, problems } from "./responses.ts";

const WebhookSecret = z
  .object({
    object: z.literal("webhook_secret"),
    secret: z.string().meta({ example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }),
  })
  .meta({ id: "WebhookSecret" });

const get = createRoute({
  method: "get",
  path: "/v1/webhook-secret",
  operationId: "getWebhookSecret",
  summary: "Get the secret that callbacks are signed with",
  description: "Standard Webhooks 1.0, HMAC-SHA256: give it to any Standard Webhooks library.",
  tags: ["Webhooks"],
  security: BEARER,
  responses: {
    200: { description: "The secret.", content: { "application/json": { schema: WebhookSecret } } },
    ...problems(),
  },
});

/** The route of the tenant's default webhook secret. */
export function webhookSecretRoutes({ redis }: Pick<ApiDeps, "redis">): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>().openapi(get, async (c) =>
    c.json(
      { object: "webhook_secret" as const, secret: await getWebhookSecret(redis, c.get("tenant")) },
      200,
    ),
  );
}
