import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { ApiKey, ApiKeyWithSecret, CreateApiKey } from "../../shared/contracts/api-key.ts";
import { ApiKeyId } from "../../shared/contracts/ids.ts";
import { listApiKeys } from "../../shared/state/api-keys.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { createApiKey } from "../services/create-api-key.ts";
import { revokeApiKey } from "../services/revoke-api-key.ts";
import { listAnswer, listBody, listQuery, placeOf } from "./answer-list.ts";
import { BEARER, json, problems } from "./responses.ts";

const described = { tags: ["API keys"], security: BEARER };

const create = createRoute({
  method: "post",
  path: "/v1/api-keys",
  operationId: "createApiKey",
  summary: "Make an API key",
  description:
    "The key is shown in this answer and never again: only its hash is kept. A tenant comes into being with its first key.",
  ...described,
  request: { body: { required: true, ...json(CreateApiKey) } },
  responses: {
    201: { description: "The key.", ...json(ApiKeyWithSecret) },
    ...problems("image_too_large", "unsupported_media_type"),
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/api-keys",
  operationId: "listApiKeys",
  summary: "List the API keys",
  description:
    "The newest first: those of the tenant, and with the service's own `API_KEY` those of all tenants. A revoked key is listed for 30 days more.",
  ...described,
  request: { query: listQuery(ApiKeyId) },
  responses: { 200: listAnswer(ApiKey, "ApiKeyList"), ...problems() },
});

const revoke = createRoute({
  method: "delete",
  path: "/v1/api-keys/{id}",
  operationId: "revokeApiKey",
  summary: "Revoke an API key",
  description: "The next request with it is refused.",
  ...described,
  request: { params: z.object({ id: ApiKeyId }) },
  responses: {
    200: { description: "The key, revoked.", ...json(ApiKey) },
    ...problems("not_found"),
  },
});

/** Whether it is the service's own `API_KEY` that asks, which no stored key stands for. */
const isOperator = (c: Context<ApiEnv>) => c.get("keyId") === undefined;

/** Whose keys the caller sees: undefined for those of all tenants. */
const reach = (c: Context<ApiEnv>) => (isOperator(c) ? undefined : c.get("tenant"));

/** The routes of API keys. */
export function apiKeyRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(create, async (c) => {
    const maker = { tenant: c.get("tenant"), isOperator: isOperator(c) };
    const apiKey = await createApiKey(deps, maker, c.req.valid("json"));
    c.set("createdId", apiKey.id);
    return c.json(apiKey, 201);
  });

  routes.openapi(list, async (c) => {
    const page = await listApiKeys(deps.redis, reach(c), placeOf(c.req.valid("query")));
    return c.json(listBody(c, deps, page), 200);
  });

  routes.openapi(revoke, async (c) =>
    c.json(await revokeApiKey(deps, reach(c), c.req.valid("param").id), 200),
  );

  return routes;
}
