import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { UploadId } from "../../shared/contracts/ids.ts";
import { CreateUpload, Upload } from "../../shared/contracts/upload.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { createUpload } from "../services/create-upload.ts";
import { receiveUpload } from "../services/receive-upload.ts";
import { BEARER, json, problems } from "./responses.ts";

const described = { tags: ["Uploads"], security: BEARER };

const create = createRoute({
  method: "post",
  path: "/v1/uploads",
  operationId: "createUpload",
  summary: "Make a place for an image",
  description:
    'Send the file to the `url` of the answer within 15 minutes, and within a day name it in any number of requests as `{"image": {"upload_id": "…"}}`. For images that are larger than a request may be, or that come from a client without a key.',
  ...described,
  request: { body: { required: true, ...json(CreateUpload) } },
  responses: {
    201: { description: "Where to send the file, and how.", ...json(Upload) },
    ...problems("image_too_large", "unsupported_media_type"),
  },
});

const receive = createRoute({
  method: "put",
  path: "/v1/uploads/{id}",
  operationId: "sendUpload",
  summary: "Send the file of an upload",
  description: "Where the upload's `url` leads when files are not sent to the bucket itself.",
  ...described,
  request: {
    params: z.object({ id: UploadId }),
    body: { content: { "image/*": { schema: z.string().openapi({ type: "string", format: "binary" }) } } },
  },
  responses: {
    204: { description: "It is stored." },
    ...problems("not_found", "gone", "image_too_large", "unsupported_media_type", "invalid_image"),
  },
});

/** The routes of images that are sent before they are classified. */
export function uploadRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(create, async (c) => {
    const upload = await createUpload(deps, c.get("tenant"), c.req.valid("json"));
    c.set("createdId", upload.id);
    return c.json(upload, 201);
  });

  routes.openapi(receive, async (c) => {
    const mediaType = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
    const image = { bytes: new Uint8Array(await c.req.arrayBuffer()), mediaType };
    await receiveUpload(deps, c.get("tenant"), c.req.valid("param").id, image);
    return c.body(null, 204);
  });

  return routes;
}
