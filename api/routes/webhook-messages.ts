import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { MessageId } from "../../shared/contracts/ids.ts";
import { WebhookMessage } from "../../shared/contracts/webhook.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { getWebhookMessage } from "../services/get-webhook-message.ts";
import { resendMessage } from "../services/resend-message.ts";
import { BEARER, json, problems } from "./responses.ts";

const described = { tags: ["Webhooks"], security: BEARER };
const params = z.object({ id: MessageId });
const answer = json(WebhookMessage);

const get = createRoute({
  method: "get",
  path: "/v1/webhook-messages/{id}",
  operationId: "getWebhookMessage",
  summary: "Get a message and what became of it",
  description: "One that was delivered is kept for a day, any other for two weeks.",
  ...described,
  request: { params },
  responses: { 200: { description: "The message.", ...answer }, ...problems("not_found") },
});

const resend = createRoute({
  method: "post",
  path: "/v1/webhook-messages/{id}/resend",
  operationId: "resendWebhookMessage",
  summary: "Send a message again",
  description:
    "Under the id it had. One that has ended begins with a first attempt anew; one that waits for its next attempt is tried now.",
  ...described,
  request: { params },
  responses: {
    202: { description: "The message, on its way.", ...answer },
    ...problems("not_found", "conflict"),
  },
});

/** The routes of single webhook messages. */
export function webhookMessageRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });
  routes.openapi(get, async (c) =>
    c.json(await getWebhookMessage(deps, c.get("tenant"), c.req.valid("param").id), 200),
  );
  routes.openapi(resend, async (c) =>
    c.json(await resendMessage(deps, c.get("tenant"), c.req.valid("param").id), 202),
  );
  return routes;
}
