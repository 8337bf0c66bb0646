import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { Batch, BatchResult, CreateBatch } from "../../shared/contracts/batch.ts";
import { BatchId } from "../../shared/contracts/ids.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { createBatch } from "../services/create-batch.ts";
import { getBatch, getBatchResults } from "../services/get-batch.ts";
import { BEARER, acceptedHeaders, problems } from "./responses.ts";

const answer = { content: { "application/json": { schema: Batch } } };
const described = { tags: ["Batches"], security: BEARER };
const ndjson: Record<string, { schema: typeof BatchResult }> = {
  "application/x-ndjson": { schema: BatchResult },
};
const params = z.object({ id: BatchId });

const create = createRoute({
  method: "post",
  path: "/v1/batches",
  operationId: "createBatch",
  summary: "Label many images",
  description: "One bad image never fails its batch: it has an error in the results.",
  ...described,
  request: { body: { required: true, content: { "application/json": { schema: CreateBatch } } } },
  responses: {
    202: { description: "Accepted: ask again at `Location`.", headers: acceptedHeaders, ...answer },
    ...problems("model_not_found", "image_too_large", "unsupported_media_type", "fetch_forbidden"),
  },
});

const get = createRoute({
  method: "get",
  path: "/v1/batches/{id}",
  operationId: "getBatch",
  summary: "Get a batch and how far it is",
  ...described,
  request: { params },
  responses: { 200: { description: "The batch.", ...answer }, ...problems("not_found") },
});

const results = createRoute({
  method: "get",
  path: "/v1/batches/{id}/results",
  operationId: "getBatchResults",
  summary: "Get the results of a completed batch",
  description: "NDJSON: one line an item, in the order of the items.",
  ...described,
  request: { params },
  responses: {
    200: { description: "One line an item.", content: ndjson },
    ...problems("not_found", "conflict"),
  },
});

/** The routes of batches. */
export function batchRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(create, async (c) => {
    const batch = await createBatch(deps, c.get("tenant"), c.req.valid("json"));
    return c.json(batch, 202, { location: batch.urls.get, "retry-after": "1" });
  });

  routes.openapi(get, async (c) =>
    c.json(await getBatch(deps, c.get("tenant"), c.req.valid("param").id), 200),
  );

  routes.openapi(results, async (c) => {
    const stream = await getBatchResults(deps, c.get("tenant"), c.req.valid("param").id);
    const headers = { "content-type": "application/x-ndjson" };
    if (c.req.method !== "HEAD") return c.body(stream, 200, headers);
    // Hono answers HEAD with a GET whose body it drops: nobody would read the stream.
    await stream.cancel();
    return c.body(null, 200, headers);
  });

  return routes;
}
