import { OpenAPIHono } from "@hono/zod-openapi";
import { docsPage } from "../docs-page.ts";
import type { ApiEnv } from "../env.ts";
import { openapiDocument } from "../openapi.ts";

/** The description of `app` for programs (`/openapi.json`) and for people (`/docs`). Made when it is first asked for, since routes are added until then. */
export function docsRoutes(app: OpenAPIHono<ApiEnv>): OpenAPIHono<ApiEnv> {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  const routes = new OpenAPIHono<ApiEnv>();
  routes.get("/openapi.json", (c) => c.json(openapiDocument(app)));
  routes.get("/docs", (c) => c.html(docsPage(openapiDocument(app))));
  return routes;
}
