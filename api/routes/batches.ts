import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { Batch, BatchResult, CreateBatch, OUTPUT_FORMATS } from "../../shared/contracts/batch.ts";
import { CreatingHeaders } from "../../shared/contracts/idempotency.ts";
import { BatchId } from "../../shared/contracts/ids.ts";
import { cancelAfterMs } from "../cancel-after.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { cancelBatch } from "../services/cancel-batch.ts";
import { createBatch } from "../services/create-batch.ts";
import { deleteBatch } from "../services/delete-batch.ts";
import { getBatch, getBatchResults } from "../services/get-batch.ts";
import { listBatches } from "../services/list-batches.ts";
import { retryBatch } from "../services/retry-batch.ts";
import { listAnswer, listBody, listQuery, placeOf } from "./answer-list.ts";
import { acceptedFormat, answerResults } from "./answer-results.ts";
import { BEARER, CREATING_PROBLEMS, acceptedHeaders, problems } from "./responses.ts";

const answer = { content: { "application/json": { schema: Batch } } };
const described = { tags: ["Batches"], security: BEARER };
const resultsContent: Record<string, { schema: z.ZodType }> = {
  "application/x-ndjson": { schema: BatchResult },
  "text/csv": { schema: z.string() },
  "application/vnd.apache.parquet": { schema: z.string().meta({ format: "binary" }) },
};
const params = z.object({ id: BatchId });

const create = createRoute({
  method: "post",
  path: "/v1/batches",
  operationId: "createBatch",
  summary: "Label many images",
  description: "One bad image never fails its batch: it has an error in the results.",
  ...described,
  request: {
    headers: CreatingHeaders.extend({
      "cancel-after": z.string().optional().meta({
        description: "`30s`, `5m` or `2h`: let it expire unless it has ended by then.",
        example: "2h",
      }),
    }),
    body: { required: true, content: { "application/json": { schema: CreateBatch } } },
  },
  responses: {
    202: { description: "Accepted: ask again at `Location`.", headers: acceptedHeaders, ...answer },
    ...problems(
      ...CREATING_PROBLEMS,
      "model_not_found",
      "image_too_large",
      "unsupported_media_type",
      "fetch_forbidden",
      "not_found",
      "fetch_failed",
    ),
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/batches",
  operationId: "listBatches",
  summary: "List the batches, the newest first",
  description: "The newest 100 000.",
  ...described,
  request: { query: listQuery(BatchId) },
  responses: { 200: listAnswer(Batch, "BatchList"), ...problems() },
});

const get = createRoute({
  method: "get",
  path: "/v1/batches/{id}",
  operationId: "getBatch",
  summary: "Get a batch and how far it is",
  ...described,
  request: { params },
  responses: { 200: { description: "The batch.", ...answer }, ...problems("not_found", "gone") },
});

const results = createRoute({
  method: "get",
  path: "/v1/batches/{id}/results",
  operationId: "getBatchResults",
  summary: "Get the results of a batch that has ended",
  description:
    "One line an item, in the order of the items: as NDJSON, or as CSV or Parquet when the batch was made with that in its `output_formats`. A batch that was canceled or has expired has a line for each item of its request, or of its source as far as that was listed by then.",
  ...described,
  request: {
    params,
    query: z.object({
      format: z
        .enum(["jsonl", ...OUTPUT_FORMATS])
        .optional()
        .meta({ description: "By `Accept` when absent, and NDJSON when that does not say." }),
    }),
  },
  responses: {
    200: { description: "One line an item.", content: resultsContent },
    ...problems("not_found", "gone", "conflict"),
  },
});

const cancel = createRoute({
  method: "post",
  path: "/v1/batches/{id}/cancel",
  operationId: "cancelBatch",
  summary: "Cancel a batch",
  description:
    "Items that have no labels within some seconds end as `canceled`; those that have them keep them. Canceling it again changes nothing.",
  ...described,
  request: { params },
  responses: {
    202: {
      description: "It is being canceled: ask again at `Location`.",
      headers: acceptedHeaders,
      ...answer,
    },
    ...problems("not_found", "gone", "conflict"),
  },
});

const retry = createRoute({
  method: "post",
  path: "/v1/batches/{id}/retry",
  operationId: "retryBatch",
  summary: "Label again what an ended batch left undone",
  description:
    "Makes a new batch of the items that failed or were canceled, and of what was never listed of a batch that was canceled or has expired.",
  ...described,
  request: { params, headers: CreatingHeaders },
  responses: {
    202: { description: "The new batch: ask again at `Location`.", headers: acceptedHeaders, ...answer },
    ...problems(...CREATING_PROBLEMS, "not_found", "gone"),
  },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/batches/{id}",
  operationId: "deleteBatch",
  summary: "Delete a batch that has ended",
  description: "With all that is stored of it: its results and the images that came with it.",
  ...described,
  request: { params },
  responses: {
    204: { description: "It is not found from now on." },
    ...problems("not_found", "gone", "conflict"),
  },
});

const accepted = ({ urls }: Batch) => ({ location: urls.get, "retry-after": "1" });

/** The routes of batches. */
export function batchRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(create, async (c) => {
    const batch = await createBatch(deps, {
      id: c.get("newId")("bat"),
      tenant: c.get("tenant"),
      request: c.req.valid("json"),
      cancelAfterMs: cancelAfterMs(c.req.valid("header")["cancel-after"]),
      traceparent: c.get("traceparent"),
    });
    c.set("createdId", batch.id);
    return c.json(batch, 202, accepted(batch));
  });

  routes.openapi(cancel, async (c) => {
    const batch = await cancelBatch(deps, c.get("tenant"), c.req.valid("param").id);
    return c.json(batch, 202, accepted(batch));
  });

  routes.openapi(retry, async (c) => {
    const { id } = c.req.valid("param");
    const batch = await retryBatch(deps, c.get("tenant"), id, c.get("traceparent"), c.get("newId")("bat"));
    c.set("createdId", batch.id);
    return c.json(batch, 202, accepted(batch));
  });

  routes.openapi(remove, async (c) => {
    await deleteBatch(deps, c.get("tenant"), c.req.valid("param").id, c.get("traceparent"));
    return c.body(null, 204);
  });

  routes.openapi(list, async (c) => {
    const page = await listBatches(deps, c.get("tenant"), placeOf(c.req.valid("query")));
    return c.json(listBody(c, deps, page), 200);
  });

  routes.openapi(get, async (c) =>
    c.json(await getBatch(deps, c.get("tenant"), c.req.valid("param").id), 200),
  );

  routes.openapi(results, async (c) => {
    const format = c.req.valid("query").format ?? acceptedFormat(c);
    const stream = await getBatchResults(deps, c.get("tenant"), c.req.valid("param").id, format);
    return answerResults(c, stream, format);
  });

  return routes;
}
