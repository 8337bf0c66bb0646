import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { docsPage } from "../docs-page.ts";
import type { ApiEnv } from "../env.ts";
import { openapiDocument } from "../openapi.ts";
import type { OpenapiDocument } from "../openapi.ts";

const OpenapiJson = z.record(z.string(), z.unknown());

const openapi = createRoute({
  method: "get",
  path: "/openapi.json",
  operationId: "getOpenapi",
  summary: "Get this description for programs",
  tags: ["Operations"],
  responses: {
    200: { description: "OpenAPI 3.1.", content: { "application/json": { schema: OpenapiJson } } },
  },
});

const docs = createRoute({
  method: "get",
  path: "/docs",
  operationId: "getDocs",
  summary: "Get this page",
  tags: ["Operations"],
  responses: { 200: { description: "HTML.", content: { "text/html": { schema: z.string() } } } },
});

/** The description of `app` for programs (`/openapi.json`) and for people (`/docs`). Made when it is first asked for, since routes are added until then. */
export function docsRoutes(app: OpenAPIHono<ApiEnv>): OpenAPIHono<ApiEnv> {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  let made: OpenapiDocument | undefined;
  const description = () => (made ??= openapiDocument(app));
  const routes = new OpenAPIHono<ApiEnv>();
  routes.openapi(openapi, (c) => c.json(OpenapiJson.parse(description()), 200));
  routes.openapi(docs, async (c) => c.html(await docsPage(description()), 200));
  return routes;
}
