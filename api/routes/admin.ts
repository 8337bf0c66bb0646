import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import {
  DeadLetter,
  DeadLetterSelection,
  DeadLettersDone,
  JobId,
  QueueJob,
  QueueName,
  WorkQueue,
} from "../../shared/contracts/queue.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { requireOperator } from "../middleware/require-operator.ts";
import { discardDeadLetters } from "../services/discard-dead-letters.ts";
import { inspectDeadLetters } from "../services/inspect-dead-letters.ts";
import { inspectJob } from "../services/inspect-job.ts";
import { inspectQueue, inspectQueues } from "../services/inspect-queues.ts";
import { pauseQueue } from "../services/pause-queue.ts";
import { redriveDeadLetters } from "../services/redrive-dead-letters.ts";
import { resumeQueue } from "../services/resume-queue.ts";
import { listAnswer, listBody, listOf, listQuery, placeOf } from "./answer-list.ts";
import { BEARER, json, problems } from "./responses.ts";

const described = { tags: ["Operations"], security: BEARER, middleware: requireOperator };
const params = z.object({ queue: QueueName });

/** When the last one of a page died, in milliseconds since 1970, and its id. */
const DeadLetterCursor = z.string().regex(/^\d{1,15}-[A-Za-z0-9_-]{1,200}$/, "must be a next_cursor");

const list = createRoute({
  method: "get",
  path: "/v1/admin/queues",
  operationId: "listQueues",
  summary: "List the queues and what they hold",
  description:
    "Those of each model, then `scan` and `deliver`. They are of all tenants, so only keys of the tenant `default` see them.",
  ...described,
  responses: { 200: { description: "All of them.", ...json(listOf(WorkQueue, "QueueList")) }, ...problems() },
});

const get = createRoute({
  method: "get",
  path: "/v1/admin/queues/{queue}",
  operationId: "getQueue",
  summary: "Get a queue and what it holds",
  ...described,
  request: { params },
  responses: { 200: { description: "The queue.", ...json(WorkQueue) }, ...problems("not_found") },
});

const pause = createRoute({
  method: "post",
  path: "/v1/admin/queues/{queue}/pause",
  operationId: "pauseQueue",
  summary: "Let workers take no jobs of a queue",
  description:
    "What is in hand is finished, and more is accepted. It stays paused until it is resumed, whatever is restarted.",
  ...described,
  request: { params },
  responses: { 200: { description: "The queue, paused.", ...json(WorkQueue) }, ...problems("not_found") },
});

const resume = createRoute({
  method: "post",
  path: "/v1/admin/queues/{queue}/resume",
  operationId: "resumeQueue",
  summary: "Let workers take jobs of a queue again",
  ...described,
  request: { params },
  responses: {
    200: { description: "The queue, as it was before.", ...json(WorkQueue) },
    ...problems("not_found"),
  },
});

const listDead = createRoute({
  method: "get",
  path: "/v1/admin/queues/{queue}/dead-letters",
  operationId: "listDeadLetters",
  summary: "List the dead letters of a queue",
  description:
    "Jobs that nobody tries again, the newest first. They stay until they are redriven or discarded. Where what a cursor was made of is gone, some are listed again.",
  ...described,
  request: { params, query: listQuery(DeadLetterCursor) },
  responses: { 200: listAnswer(DeadLetter, "DeadLetterList"), ...problems("not_found") },
});

const getJob = createRoute({
  method: "get",
  path: "/v1/admin/queues/{queue}/jobs/{id}",
  operationId: "getQueueJob",
  summary: "Get all that is known of a job",
  description: "While it is there: a job is removed when what it is for has been done.",
  ...described,
  request: { params: params.extend({ id: JobId }) },
  responses: { 200: { description: "The job.", ...json(QueueJob) }, ...problems("not_found") },
});

const selected = { params, body: { required: true, ...json(DeadLetterSelection) } };
const done = {
  200: { description: "What became of them.", ...json(DeadLettersDone) },
  ...problems("not_found", "image_too_large", "unsupported_media_type"),
};

const redrive = createRoute({
  method: "post",
  path: "/v1/admin/queues/{queue}/redrive",
  operationId: "redriveDeadLetters",
  summary: "Try dead letters again",
  description:
    "They wait again as if they had never been tried. A thousand at most in one request: `left` tells how many are left.",
  ...described,
  request: selected,
  responses: done,
});

const discard = createRoute({
  method: "post",
  path: "/v1/admin/queues/{queue}/discard",
  operationId: "discardDeadLetters",
  summary: "Remove dead letters for good",
  description:
    "What they ask for is never done, and nobody is told: a batch that waits for it never ends. A thousand at most in one request.",
  ...described,
  request: selected,
  responses: done,
});

/** The routes by which operators look after the queues. */
export function adminRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(list, async (c) =>
    c.json(listBody(c, deps, { data: await inspectQueues(deps), next: null }), 200),
  );
  routes.openapi(get, async (c) => c.json(await inspectQueue(deps, c.req.valid("param").queue), 200));
  routes.openapi(pause, async (c) => c.json(await pauseQueue(deps, c.req.valid("param").queue), 200));
  routes.openapi(resume, async (c) => c.json(await resumeQueue(deps, c.req.valid("param").queue), 200));
  routes.openapi(listDead, async (c) => {
    const page = await inspectDeadLetters(deps, c.req.valid("param").queue, placeOf(c.req.valid("query")));
    return c.json(listBody(c, deps, page), 200);
  });
  routes.openapi(getJob, async (c) => {
    const { queue, id } = c.req.valid("param");
    return c.json(await inspectJob(deps, queue, id), 200);
  });
  routes.openapi(redrive, async (c) =>
    c.json(await redriveDeadLetters(deps, c.req.valid("param").queue, c.req.valid("json")), 200),
  );
  routes.openapi(discard, async (c) =>
    c.json(await discardDeadLetters(deps, c.req.valid("param").queue, c.req.valid("json")), 200),
  );

  return routes;
}
