import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { CreatingHeaders } from "../../shared/contracts/idempotency.ts";
import { LabelerId } from "../../shared/contracts/ids.ts";
import { CreateLabeler, Labeler, ResumedLabeler } from "../../shared/contracts/labeler.ts";
import { listLabelers } from "../../shared/state/labelers.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { createLabeler } from "../services/create-labeler.ts";
import { deleteLabeler } from "../services/delete-labeler.ts";
import { getLabeler } from "../services/get-labeler.ts";
import { pauseLabeler } from "../services/pause-labeler.ts";
import { resumeLabeler } from "../services/resume-labeler.ts";
import { listAnswer, listBody, listQuery, placeOf } from "./answer-list.ts";
import { BEARER, CREATING_PROBLEMS, acceptedHeaders, json, problems } from "./responses.ts";

const params = z.object({ id: LabelerId });
const described = { tags: ["Labelers"], security: BEARER };
const create = createRoute({
  method: "post",
  path: "/v1/labelers",
  operationId: "createLabeler",
  summary: "Label the objects of a bucket from now on",
  description:
    "It labels what bucket events tell of (see `POST /v1/events/s3`) and, by its runs, what is there already. Each version of an object is labelled once.",
  ...described,
  request: { headers: CreatingHeaders, body: { required: true, ...json(CreateLabeler) } },
  responses: {
    201: {
      description: "The labeler, which is active.",
      headers: acceptedHeaders.pick({ location: true }),
      ...json(Labeler),
    },
    ...problems(
      ...CREATING_PROBLEMS,
      "model_not_found",
      "fetch_forbidden",
      "image_too_large",
      "unsupported_media_type",
    ),
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/labelers",
  operationId: "listLabelers",
  summary: "List the labelers, the newest first",
  ...described,
  request: { query: listQuery(LabelerId) },
  responses: { 200: listAnswer(Labeler, "LabelerList"), ...problems() },
});

const get = createRoute({
  method: "get",
  path: "/v1/labelers/{id}",
  operationId: "getLabeler",
  summary: "Get a labeler and what it has labelled",
  ...described,
  request: { params: params },
  responses: { 200: { description: "The labeler.", ...json(Labeler) }, ...problems("not_found") },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/labelers/{id}",
  operationId: "deleteLabeler",
  summary: "Delete a labeler and cancel its runs",
  description: "Labels that were written stay where they are, and so do the results of its runs.",
  ...described,
  request: { params: params },
  responses: { 204: { description: "It is deleted." }, ...problems("not_found") },
});

const pause = createRoute({
  method: "post",
  path: "/v1/labelers/{id}/pause",
  operationId: "pauseLabeler",
  summary: "Pause a labeler and its runs",
  description: "What events tell of meanwhile is counted as missed, and found when the labeler is resumed.",
  ...described,
  request: { params: params },
  responses: { 200: { description: "The labeler, paused.", ...json(Labeler) }, ...problems("not_found") },
});

const resume = createRoute({
  method: "post",
  path: "/v1/labelers/{id}/resume",
  operationId: "resumeLabeler",
  summary: "Resume a labeler and find what it has missed",
  ...described,
  request: { params: params, headers: CreatingHeaders },
  responses: {
    200: { description: "The labeler, active, and the run that was started.", ...json(ResumedLabeler) },
    ...problems(...CREATING_PROBLEMS, "not_found"),
  },
});

/** The routes of labelers. */
export function labelerRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(create, async (c) => {
    const labeler = await createLabeler(deps, c.get("tenant"), c.req.valid("json"), c.get("newId")("lbl"));
    c.set("createdId", labeler.id);
    return c.json(labeler, 201, { location: labeler.urls.get });
  });

  routes.openapi(list, async (c) => {
    const { data, next } = await listLabelers(deps.redis, c.get("tenant"), placeOf(c.req.valid("query")));
    return c.json(listBody(c, deps, { data: data.map(({ labeler }) => labeler), next }), 200);
  });

  routes.openapi(get, async (c) =>
    c.json(await getLabeler(deps, c.get("tenant"), c.req.valid("param").id), 200),
  );

  routes.openapi(remove, async (c) => {
    await deleteLabeler(deps, c.get("tenant"), c.req.valid("param").id);
    return c.body(null, 204);
  });

  routes.openapi(pause, async (c) =>
    c.json(await pauseLabeler(deps, c.get("tenant"), c.req.valid("param").id), 200),
  );

  routes.openapi(resume, async (c) =>
    c.json(await resumeLabeler(deps, c.get("tenant"), c.req.valid("param").id, c.get("traceparent")), 200),
  );

  return routes;
}
