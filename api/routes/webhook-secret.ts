import { OpenAPIHono, createRoute } from "@hono/zod-openapi";
import { RotationQuery, WebhookSecret } from "../../shared/contracts/webhook.ts";
import { newWebhookSecret } from "../../shared/signature.ts";
import { getWebhookSecret, rotateSecret } from "../../shared/state/webhook-secret.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { BEARER, json, problems } from "./responses.ts";

const described = { tags: ["Webhooks"], security: BEARER };
const answer = json(WebhookSecret);

const get = createRoute({
  method: "get",
  path: "/v1/webhook-secret",
  operationId: "getWebhookSecret",
  summary: "Get the secret that callbacks are signed with",
  description:
    "Standard Webhooks 1.0, HMAC-SHA256, for callbacks to a URL that was given with a request: give it to any Standard Webhooks library.",
  ...described,
  responses: { 200: { description: "The secret.", ...answer }, ...problems() },
});

const rotate = createRoute({
  method: "post",
  path: "/v1/webhook-secret/rotate",
  operationId: "rotateWebhookSecret",
  summary: "Replace the secret that callbacks are signed with",
  description: "The secret before signs too for a while: each message then has a signature by either.",
  ...described,
  request: { query: RotationQuery },
  responses: { 200: { description: "The new secret.", ...answer }, ...problems() },
});

/** The routes of the tenant's default webhook secret. */
export function webhookSecretRoutes({ redis }: Pick<ApiDeps, "redis">): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(get, async (c) =>
    c.json(
      { object: "webhook_secret" as const, secret: await getWebhookSecret(redis, c.get("tenant")) },
      200,
    ),
  );

  routes.openapi(rotate, async (c) => {
    const secret = newWebhookSecret();
    const overlapMs = c.req.valid("query").overlap_hours * 3_600_000;
    await rotateSecret(redis, c.get("tenant"), { secret, overlapMs });
    return c.json({ object: "webhook_secret" as const, secret }, 200);
  });

  return routes;
}
