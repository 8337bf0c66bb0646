import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { Batch } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { BatchId, ClassificationId } from "../../shared/contracts/ids.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { STREAM_LIMITS, openEventStreams } from "../event-streams.ts";
import type { Look } from "../event-streams.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { getBatch } from "../services/get-batch.ts";
import { getClassification } from "../services/get-classification.ts";
import { hasEnded } from "../services/refuse-while-it-moves.ts";
import { BEARER, problems } from "./responses.ts";

const LastEventId = z.object({
  "last-event-id": z.string().max(256).optional().meta({
    description: "The `id` of the last event that was seen: only what is new after it is told.",
  }),
});

const description =
  "Server-sent events: the `data` of each is the resource as `GET` shows it. One is sent at once and one for each change, within a second or so; after the last the stream ends.";

const streamOf = (resource: z.ZodType) => {
  const content: Record<string, { schema: z.ZodType }> = { "text/event-stream": { schema: resource } };
  return {
    200: { description: "An event for each change.", content },
    204: { description: "It has ended, and its last event was seen." },
    ...problems("not_found", "gone"),
  };
};

const classificationEvents = createRoute({
  method: "get",
  path: "/v1/classifications/{id}/events",
  operationId: "streamClassification",
  summary: "Watch a classification",
  description,
  tags: ["Classifications"],
  security: BEARER,
  request: { params: z.object({ id: ClassificationId }), headers: LastEventId },
  responses: streamOf(Classification),
});

const batchEvents = createRoute({
  method: "get",
  path: "/v1/batches/{id}/events",
  operationId: "streamBatch",
  summary: "Watch a batch",
  description,
  tags: ["Batches"],
  security: BEARER,
  request: { params: z.object({ id: BatchId }), headers: LastEventId },
  responses: streamOf(Batch),
});

/** The routes that tell of a resource as it changes. */
export function eventRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });
  const longestMs = deps.config.MAX_ANSWER_SECONDS * 1_000;
  const streams = openEventStreams(deps, { ...STREAM_LIMITS, longestMs });

  routes.openapi(classificationEvents, (c) =>
    streams.answer(c, async () =>
      lookOfClassification(await getClassification(deps, c.get("tenant"), c.req.valid("param").id)),
    ),
  );

  routes.openapi(batchEvents, (c) =>
    streams.answer(c, async () =>
      lookOfBatch(await getBatch(deps, c.get("tenant"), c.req.valid("param").id)),
    ),
  );

  return routes;
}

const lookOfClassification = (resource: Classification): Look => ({
  id: resource.status,
  resource,
  hasEnded: resource.completed_at !== null,
});

const lookOfBatch = (resource: Batch): Look => ({
  id: [resource.status, ...Object.values(resource.request_counts)].join("-"),
  resource,
  hasEnded: hasEnded(resource),
});
