import { OpenAPIHono, createRoute } from "@hono/zod-openapi";
import { Worker } from "../../shared/contracts/worker.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { requireOperator } from "../middleware/require-operator.ts";
import { listWorkers } from "../services/list-workers.ts";
import { listBody, listOf } from "./answer-list.ts";
import { BEARER, json, problems } from "./responses.ts";

const list = createRoute({
  method: "get",
  path: "/v1/workers",
  middleware: requireOperator,
  operationId: "listWorkers",
  summary: "List the workers that are alive",
  description:
    "What each does and how fast. A worker that was killed is listed for 20 seconds more. They work for all tenants, so only keys of the tenant `default` see them.",
  tags: ["Operations"],
  security: BEARER,
  responses: { 200: { description: "All of them.", ...json(listOf(Worker, "WorkerList")) }, ...problems() },
});

/** The route of workers. */
export function workerRoutes(deps: Pick<ApiDeps, "redis" | "baseUrl">): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });
  routes.openapi(list, async (c) =>
    c.json(listBody(c, deps, { data: await listWorkers(deps), next: null }), 200),
  );
  return routes;
}
