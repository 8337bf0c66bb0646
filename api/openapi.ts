import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ApiEnv } from "./env.ts";

/** The OpenAPI 3.1 document of an app, made of the very schemas that check its requests. */
export function openapiDocument(app: OpenAPIHono<ApiEnv>) {
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Tresline",
      version: "1",
      description:
        "Labels images with TResNet, asynchronously: send an image or a batch, then ask for the labels, wait for them, or have them delivered by a signed callback.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
  });
}

/** What `openapiDocument` returns. */
export type OpenapiDocument = ReturnType<typeof openapiDocument>;
