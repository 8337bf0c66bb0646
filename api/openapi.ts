import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ApiEnv } from "./env.ts";
import { SCOPES } from "./scopes.ts";

/** An operation of the document; OpenAPI 3.1 lists what is needed of a bearer by its name. */
type Secured = { security?: { bearer: string[] }[] };

/** The OpenAPI 3.1 document of an app, made of the very schemas that check its requests. */
export function openapiDocument(app: OpenAPIHono<ApiEnv>) {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Tresline",
      version: "1",
      description:
        "Labels images with TResNet, asynchronously: send an image or a batch, then ask for the labels, wait for them, or have them delivered by a signed callback.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
  });
  // A route cannot say it of itself: to Hono's validators `required` means that a body is of every type it may have.
  for (const { post, put, patch } of Object.values(document.paths ?? {}))
    for (const { requestBody } of [post, put, patch].filter((operation) => operation !== undefined))
      if (requestBody !== undefined && "content" in requestBody) requestBody.required = true;
  for (const [path, operations] of Object.entries(document.paths ?? {}))
    for (const [method, operation] of Object.entries(operations as Record<string, Secured>)) {
      const scope = SCOPES[`${method.toUpperCase()} ${path}`];
      if (scope !== undefined) operation.security = [{ bearer: [scope] }];
    }
  return document;
}

/** What `openapiDocument` returns. */
export type OpenapiDocument = ReturnType<typeof openapiDocument>;
