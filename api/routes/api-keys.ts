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
import { BEARER, json, listOf, problems } from "./responses.ts";

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
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(100).default(20).meta({ type: "integer" }),
      cursor: ApiKeyId.optional(),
    }),
  },
  responses: {
    200: {
      description: "A page of keys, without the keys themselves.",
      headers: z.object({
        link: z.string().optional().meta({ description: 'The next page: `rel="next"`.' }),
      }),
      ...json(listOf(ApiKey).meta({ id: "ApiKeyList" })),
    },
    ...problems(),
  },
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
    return c.json(await createApiKey(deps, maker, c.req.valid("json")), 201);
  });

  routes.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { apiKeys, next } = await listApiKeys(deps.redis, reach(c), { limit, before: cursor });
    if (next !== null)
      c.header("link", `<${deps.baseUrl()}${c.req.path}?limit=${limit}&cursor=${next}>; rel="next"`);
    return c.json({ object: "list" as const, data: apiKeys, next_cursor: next }, 200);
  });

  routes.openapi(revoke, async (c) =>
    c.json(await revokeApiKey(deps, reach(c), c.req.valid("param").id), 200),
  );

  return routes;
}
