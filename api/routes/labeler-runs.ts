import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { BatchResult } from "../../shared/contracts/batch.ts";
import { CreatingHeaders } from "../../shared/contracts/idempotency.ts";
import { LabelerId, RunId } from "../../shared/contracts/ids.ts";
import { CreateRun, Run } from "../../shared/contracts/labeler.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { cancelRun } from "../services/cancel-run.ts";
import { createRun } from "../services/create-run.ts";
import { findRun, getRun, getRunResults, listRuns } from "../services/get-run.ts";
import { answerResults } from "./answer-results.ts";
import { listAnswer, listBody, listQuery, placeOf } from "./answer-list.ts";
import { BEARER, CREATING_PROBLEMS, acceptedHeaders, json, problems } from "./responses.ts";

const labelerParams = z.object({ id: LabelerId });
const runParams = z.object({ id: LabelerId, run_id: RunId });
const ndjson: Record<string, { schema: typeof BatchResult }> = {
  "application/x-ndjson": { schema: BatchResult },
};
const described = { tags: ["Labelers"], security: BEARER };

const create = createRoute({
  method: "post",
  path: "/v1/labelers/{id}/runs",
  operationId: "createRun",
  summary: "Label the objects that are in the bucket",
  description: "One run of a labeler moves at a time.",
  ...described,
  request: { params: labelerParams, headers: CreatingHeaders, body: { required: true, ...json(CreateRun) } },
  responses: {
    202: { description: "Accepted: ask again at `Location`.", headers: acceptedHeaders, ...json(Run) },
    ...problems(
      ...CREATING_PROBLEMS,
      "not_found",
      "fetch_forbidden",
      "image_too_large",
      "unsupported_media_type",
    ),
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/labelers/{id}/runs",
  operationId: "listRuns",
  summary: "List the runs of a labeler, the newest first",
  ...described,
  request: { params: labelerParams, query: listQuery(RunId) },
  responses: { 200: listAnswer(Run, "RunList"), ...problems("not_found") },
});

const get = createRoute({
  method: "get",
  path: "/v1/labelers/{id}/runs/{run_id}",
  operationId: "getRun",
  summary: "Get a run and how far it is",
  ...described,
  request: { params: runParams },
  responses: { 200: { description: "The run.", ...json(Run) }, ...problems("not_found", "gone") },
});

const find = createRoute({
  method: "get",
  path: "/v1/runs/{id}",
  operationId: "findRun",
  summary: "Get a run by its id alone",
  description: "The same as at its labeler, whose id is its `labeler_id`.",
  ...described,
  request: { params: z.object({ id: RunId }) },
  responses: { 200: { description: "The run.", ...json(Run) }, ...problems("not_found", "gone") },
});

const cancel = createRoute({
  method: "post",
  path: "/v1/labelers/{id}/runs/{run_id}/cancel",
  operationId: "cancelRun",
  summary: "Cancel a run",
  ...described,
  request: { params: runParams },
  responses: {
    202: {
      description: "On its way to its end: ask again at `Location`.",
      headers: acceptedHeaders,
      ...json(Run),
    },
    ...problems("not_found", "gone", "conflict"),
  },
});

const results = createRoute({
  method: "get",
  path: "/v1/labelers/{id}/runs/{run_id}/results",
  operationId: "getRunResults",
  summary: "Get the results of a run that has ended",
  description: "NDJSON: one line an object.",
  ...described,
  request: { params: runParams },
  responses: {
    200: { description: "One line an object.", content: ndjson },
    ...problems("not_found", "gone", "conflict"),
  },
});

const accepted = ({ urls }: Run) => ({ location: urls.get, "retry-after": "1" });

/** The routes of a labeler's runs. */
export function labelerRunRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(create, async (c) => {
    const { id } = c.req.valid("param");
    const started = await createRun(
      deps,
      c.get("tenant"),
      id,
      c.req.valid("json"),
      c.get("traceparent"),
      c.get("newId")("run"),
    );
    c.set("createdId", started.id);
    return c.json(started, 202, accepted(started));
  });

  routes.openapi(list, async (c) => {
    const place = placeOf(c.req.valid("query"));
    const page = await listRuns(deps, c.get("tenant"), c.req.valid("param").id, place);
    return c.json(listBody(c, deps, page), 200);
  });

  routes.openapi(get, async (c) => {
    const { id, run_id } = c.req.valid("param");
    return c.json(await getRun(deps, c.get("tenant"), id, run_id), 200);
  });

  routes.openapi(find, async (c) =>
    c.json(await findRun(deps, c.get("tenant"), c.req.valid("param").id), 200),
  );

  routes.openapi(cancel, async (c) => {
    const { id, run_id } = c.req.valid("param");
    const canceled = await cancelRun(deps, c.get("tenant"), id, run_id);
    return c.json(canceled, 202, accepted(canceled));
  });

  routes.openapi(results, async (c) => {
    const { id, run_id } = c.req.valid("param");
    return answerResults(c, await getRunResults(deps, c.get("tenant"), id, run_id), "jsonl");
  });

  return routes;
}
