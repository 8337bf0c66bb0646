import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { CreatingHeaders } from "../../shared/contracts/idempotency.ts";
import { WebhookEndpointId } from "../../shared/contracts/ids.ts";
import {
  CreateWebhookEndpoint,
  DeletedWebhookEndpoint,
  RecoverQuery,
  RotationQuery,
  UpdateWebhookEndpoint,
  WebhookAttempt,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
  WebhookMessage,
  WebhookRecovery,
} from "../../shared/contracts/webhook.ts";
import { deleteEndpoint, listEndpoints, updateEndpoint } from "../../shared/state/webhook-endpoints.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { createWebhookEndpoint } from "../services/create-webhook-endpoint.ts";
import { getWebhookEndpoint } from "../services/get-webhook-endpoint.ts";
import { listWebhookAttempts } from "../services/list-webhook-attempts.ts";
import { recoverMessages } from "../services/recover-messages.ts";
import { rotateEndpointSecret } from "../services/rotate-endpoint-secret.ts";
import { sendTestMessage } from "../services/send-test-message.ts";
import { listAnswer, listBody, listQuery, placeOf } from "./answer-list.ts";
import { BEARER, CREATING_PROBLEMS, json, problems } from "./responses.ts";

const described = { tags: ["Webhooks"], security: BEARER };
const params = z.object({ id: WebhookEndpointId });

const create = createRoute({
  method: "post",
  path: "/v1/webhook-endpoints",
  operationId: "createWebhookEndpoint",
  summary: "Register an endpoint",
  description: "Its secret is shown in this answer and never again.",
  ...described,
  request: { body: { required: true, ...json(CreateWebhookEndpoint) } },
  responses: {
    201: { description: "The endpoint and its secret.", ...json(WebhookEndpointWithSecret) },
    ...problems("conflict", "image_too_large", "unsupported_media_type"),
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/webhook-endpoints",
  operationId: "listWebhookEndpoints",
  summary: "List the endpoints, the newest first",
  ...described,
  request: { query: listQuery(WebhookEndpointId) },
  responses: { 200: listAnswer(WebhookEndpoint, "WebhookEndpointList"), ...problems() },
});

const get = createRoute({
  method: "get",
  path: "/v1/webhook-endpoints/{id}",
  operationId: "getWebhookEndpoint",
  summary: "Get an endpoint",
  ...described,
  request: { params },
  responses: {
    200: { description: "The endpoint.", ...json(WebhookEndpoint) },
    ...problems("not_found"),
  },
});

const update = createRoute({
  method: "patch",
  path: "/v1/webhook-endpoints/{id}",
  operationId: "updateWebhookEndpoint",
  summary: "Change, enable or disable an endpoint",
  ...described,
  request: { params, body: { required: true, ...json(UpdateWebhookEndpoint) } },
  responses: {
    200: { description: "The endpoint.", ...json(WebhookEndpoint) },
    ...problems("not_found", "image_too_large", "unsupported_media_type"),
  },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/webhook-endpoints/{id}",
  operationId: "deleteWebhookEndpoint",
  summary: "Delete an endpoint",
  description: "Messages that are under way to it are not sent.",
  ...described,
  request: { params },
  responses: {
    200: { description: "It is deleted.", ...json(DeletedWebhookEndpoint) },
    ...problems("not_found"),
  },
});

const rotate = createRoute({
  method: "post",
  path: "/v1/webhook-endpoints/{id}/rotate-secret",
  operationId: "rotateWebhookEndpointSecret",
  summary: "Replace the secret of an endpoint",
  description: "The secret before signs too for a while: each message then has a signature by either.",
  ...described,
  request: { params, query: RotationQuery },
  responses: {
    200: { description: "The endpoint and its new secret.", ...json(WebhookEndpointWithSecret) },
    ...problems("not_found"),
  },
});

const test = createRoute({
  method: "post",
  path: "/v1/webhook-endpoints/{id}/test",
  operationId: "testWebhookEndpoint",
  summary: "Send an endpoint a test message",
  ...described,
  request: { params, headers: CreatingHeaders },
  responses: {
    202: { description: "The message, on its way.", ...json(WebhookMessage) },
    ...problems(...CREATING_PROBLEMS, "not_found"),
  },
});

const recover = createRoute({
  method: "post",
  path: "/v1/webhook-endpoints/{id}/recover",
  operationId: "recoverWebhookEndpoint",
  summary: "Send again what an endpoint missed",
  description: "Each message under the id it had, of the latest 10 000 of the last two weeks.",
  ...described,
  request: { params, query: RecoverQuery },
  responses: {
    202: { description: "What is sent again.", ...json(WebhookRecovery) },
    ...problems("not_found", "conflict"),
  },
});

const attempts = createRoute({
  method: "get",
  path: "/v1/webhook-endpoints/{id}/attempts",
  operationId: "listWebhookAttempts",
  summary: "List the attempts at an endpoint",
  description: "The latest first; the last 500 are kept, for 30 days.",
  ...described,
  request: {
    params,
    query: listQuery(z.string().regex(/^\d{1,15}-\d{1,10}$/, "must be the next_cursor of a page")),
  },
  responses: { 200: listAnswer(WebhookAttempt, "WebhookAttemptList"), ...problems("not_found") },
});

/** The routes of registered webhook endpoints. */
export function webhookEndpointRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { redis } = deps;
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(create, async (c) => {
    const endpoint = await createWebhookEndpoint(deps, c.get("tenant"), c.req.valid("json"));
    c.set("createdId", endpoint.id);
    return c.json(endpoint, 201, { location: `${deps.baseUrl()}/v1/webhook-endpoints/${endpoint.id}` });
  });

  routes.openapi(list, async (c) => {
    const page = await listEndpoints(redis, c.get("tenant"), placeOf(c.req.valid("query")));
    return c.json(listBody(c, deps, page), 200);
  });

  routes.openapi(get, async (c) =>
    c.json(await getWebhookEndpoint(deps, c.get("tenant"), c.req.valid("param").id), 200),
  );

  routes.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    await updateEndpoint(redis, c.get("tenant"), id, c.req.valid("json"));
    return c.json(await getWebhookEndpoint(deps, c.get("tenant"), id), 200);
  });

  routes.openapi(remove, async (c) => {
    const { id } = await getWebhookEndpoint(deps, c.get("tenant"), c.req.valid("param").id);
    await deleteEndpoint(redis, c.get("tenant"), id);
    return c.json({ id, object: "webhook_endpoint" as const, deleted: true as const }, 200);
  });

  routes.openapi(rotate, async (c) => {
    const overlapMs = c.req.valid("query").overlap_hours * 3_600_000;
    const { id } = c.req.valid("param");
    return c.json(await rotateEndpointSecret(deps, c.get("tenant"), { id, overlapMs }), 200);
  });

  routes.openapi(test, async (c) => {
    const { id } = c.req.valid("param");
    const message = await sendTestMessage(
      deps,
      c.get("tenant"),
      id,
      c.get("traceparent"),
      c.get("newId")("msg"),
    );
    c.set("createdId", message.id);
    return c.json(message, 202);
  });

  routes.openapi(recover, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await recoverMessages(deps, c.get("tenant"), { id, ...c.req.valid("query") }), 202);
  });

  routes.openapi(attempts, async (c) => {
    const { id } = c.req.valid("param");
    const page = await listWebhookAttempts(deps, c.get("tenant"), id, placeOf(c.req.valid("query")));
    return c.json(listBody(c, deps, page), 200);
  });

  return routes;
}
