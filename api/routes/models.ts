import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { ModelName } from "../../shared/contracts/ids.ts";
import { Model, ModelWithLabels } from "../../shared/contracts/model.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { getModel, listShownModels } from "../services/list-models.ts";
import { listBody, listOf } from "./answer-list.ts";
import { BEARER, json, problems } from "./responses.ts";

const described = { tags: ["Models"], security: BEARER };

const list = createRoute({
  method: "get",
  path: "/v1/models",
  operationId: "listModels",
  summary: "List the models",
  description: "All that a worker has served, by name. They are the same for all tenants.",
  ...described,
  responses: { 200: { description: "All of them.", ...json(listOf(Model, "ModelList")) }, ...problems() },
});

const get = createRoute({
  method: "get",
  path: "/v1/models/{id}",
  operationId: "getModel",
  summary: "Get a model and the names of its classes",
  ...described,
  request: { params: z.object({ id: ModelName }) },
  responses: {
    200: { description: "The model.", ...json(ModelWithLabels) },
    ...problems("model_not_found"),
  },
});

/** The routes of models. */
export function modelRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(list, async (c) =>
    c.json(listBody(c, deps, { data: await listShownModels(deps), next: null }), 200),
  );

  routes.openapi(get, async (c) => c.json(await getModel(deps, c.req.valid("param").id), 200));

  return routes;
}
