import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import type { HonoRequest } from "hono";
import {
  Classification,
  ClassificationOptions,
  ClassificationStatus,
  ClassificationTextOptions,
  CreateClassification,
} from "../../shared/contracts/classification.ts";
import { CreatingHeaders } from "../../shared/contracts/idempotency.ts";
import { ClassificationId, ModelName } from "../../shared/contracts/ids.ts";
import { AppError } from "../../shared/errors.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { cancelAfterMs } from "../cancel-after.ts";
import { preferredWaitS } from "../prefer-wait.ts";
import { cancelClassification } from "../services/cancel-classification.ts";
import { createClassification } from "../services/create-classification.ts";
import type { CreateClassificationInput } from "../services/create-classification.ts";
import { listClassifications } from "../services/list-classifications.ts";
import type { ImageBytes } from "../services/store-image.ts";
import { getClassification } from "../services/get-classification.ts";
import { listAnswer, listBody, listQuery, placeOf } from "./answer-list.ts";
import { BEARER, CREATING_PROBLEMS, acceptedHeaders, problems } from "./responses.ts";

const ImageFile = z
  .custom<File>((value) => value instanceof File, "must be a file")
  .openapi({ type: "string", format: "binary" });
const ImageForm = ClassificationTextOptions.extend({ image: ImageFile });
type TextOptions = z.output<typeof ClassificationTextOptions>;
const ImageBody = z.string().openapi({ type: "string", format: "binary" });
const answer = { content: { "application/json": { schema: Classification } } };

const create = createRoute({
  method: "post",
  path: "/v1/classifications",
  operationId: "createClassification",
  summary: "Label one image",
  description:
    "Send JSON with an image's URL or data URL, the image itself as the body (options in the query), or a form with a file `image`. Answers 202 at once, or 200 with the labels when `Prefer: wait=10` is sent and they come in time.",
  tags: ["Classifications"],
  security: BEARER,
  request: {
    headers: CreatingHeaders.extend({
      prefer: z
        .string()
        .optional()
        .meta({ description: "`wait=10`: wait up to 10 s (60 at most) for the labels.", example: "wait=10" }),
      "cancel-after": z.string().optional().meta({
        description: "`30s`, `5m` or `2h`: abort it unless it has been run by then.",
        example: "5m",
      }),
    }),
    query: ClassificationTextOptions,
    body: {
      content: {
        "application/json": { schema: CreateClassification },
        "image/*": { schema: ImageBody },
        "multipart/form-data": { schema: ImageForm },
      },
    },
  },
  responses: {
    200: { description: "Finished in time.", ...answer },
    202: { description: "Accepted: ask again at `Location`.", headers: acceptedHeaders, ...answer },
    ...problems(
      ...CREATING_PROBLEMS,
      "model_not_found",
      "image_too_large",
      "unsupported_media_type",
      "invalid_image",
      "not_found",
      "fetch_failed",
    ),
  },
});

const get = createRoute({
  method: "get",
  path: "/v1/classifications/{id}",
  operationId: "getClassification",
  summary: "Get a classification",
  tags: ["Classifications"],
  security: BEARER,
  request: { params: z.object({ id: ClassificationId }) },
  responses: { 200: { description: "The classification.", ...answer }, ...problems("not_found", "gone") },
});

const list = createRoute({
  method: "get",
  path: "/v1/classifications",
  operationId: "listClassifications",
  summary: "List the classifications, the newest first",
  description:
    "The newest 100 000, without the items of batches: those are in their batches' results. What is older is still found by its id. With `status` or `model` a page may have few or none while `next_cursor` leads on.",
  tags: ["Classifications"],
  security: BEARER,
  request: {
    query: listQuery(ClassificationId).extend({
      status: ClassificationStatus.optional().meta({ description: "Only those that are this now." }),
      model: ModelName.optional().meta({ description: "Only those of this model." }),
    }),
  },
  responses: { 200: listAnswer(Classification, "ClassificationList"), ...problems() },
});

const cancel = createRoute({
  method: "post",
  path: "/v1/classifications/{id}/cancel",
  operationId: "cancelClassification",
  summary: "Cancel a classification",
  description:
    "It ends as `canceled` unless it has ended before. Canceling it again changes nothing. An item of a batch is canceled with its batch.",
  tags: ["Classifications"],
  security: BEARER,
  request: { params: z.object({ id: ClassificationId }) },
  responses: {
    200: { description: "The classification, canceled.", ...answer },
    ...problems("not_found", "gone", "conflict"),
  },
});

/** The routes of single images. */
export function classificationRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });

  routes.openapi(create, async (c) => {
    // The type of each body is that of all three together, so each is narrowed here.
    const bodies = { json: c.req.valid("json"), form: c.req.valid("form") } as Bodies;
    const waitS = preferredWaitS(c.req.valid("header").prefer, deps.config.MAX_ANSWER_SECONDS);
    const classification = await createClassification(deps, {
      id: c.get("newId")("cls"),
      tenant: c.get("tenant"),
      ...(await readImage(c.req, bodies, c.req.valid("query"))),
      cancelAfterMs: cancelAfterMs(c.req.valid("header")["cancel-after"]),
      waitMs: waitS * 1000,
      traceparent: c.get("traceparent"),
      signal: AbortSignal.any([c.req.raw.signal, deps.stopping]),
    });
    c.set("createdId", classification.id);
    if (waitS > 0) c.header("preference-applied", `wait=${waitS}`);
    if (classification.completed_at !== null) return c.json(classification, 200);
    c.header("location", classification.urls.get);
    c.header("retry-after", "1");
    return c.json(classification, 202);
  });

  routes.openapi(get, async (c) =>
    c.json(await getClassification(deps, c.get("tenant"), c.req.valid("param").id), 200),
  );

  routes.openapi(list, async (c) => {
    const { status, model, ...place } = c.req.valid("query");
    const filter = { status, model };
    const page = await listClassifications(deps, c.get("tenant"), filter, placeOf(place));
    return c.json(listBody(c, deps, page), 200);
  });

  routes.openapi(cancel, async (c) =>
    c.json(await cancelClassification(deps, c.get("tenant"), c.req.valid("param").id), 200),
  );

  return routes;
}

type ImageAndOptions = Pick<CreateClassificationInput, "image" | "options">;
type Bodies = { json: z.output<typeof CreateClassification>; form: z.output<typeof ImageForm> };

/** The image and the options of a request, by its content type. Each part has been checked by the route. */
async function readImage(
  req: HonoRequest,
  { json, form }: Bodies,
  query: TextOptions,
): Promise<ImageAndOptions> {
  const mediaType = req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType === undefined)
    throw new AppError(
      "invalid_request",
      "The request has no body: send an image, or JSON that says where one is.",
    );
  if (mediaType.startsWith("image/"))
    return {
      image: withBytes({ bytes: new Uint8Array(await req.arrayBuffer()), mediaType }),
      options: ClassificationOptions.parse(query),
    };
  refuseOptionsIn(query);
  if (mediaType === "multipart/form-data") {
    const { image, ...fields } = form;
    return {
      image: withBytes({ bytes: await image.bytes(), mediaType: image.type }),
      options: ClassificationOptions.parse(fields),
    };
  }
  const { image, ...options } = json;
  return { image, options };
}

function withBytes(image: ImageBytes): ImageBytes {
  if (image.bytes.byteLength === 0)
    throw new AppError("invalid_image", "The image has no bytes; send the content of an image file.");
  return image;
}

function refuseOptionsIn(query: TextOptions): void {
  const detail = "the query is for the options of an image that is the body itself; put this one in the body";
  const errors = Object.keys(query).map((parameter) => ({ parameter, detail, code: "misplaced" }));
  if (errors.length > 0)
    throw new AppError(
      "invalid_request",
      `${errors.map(({ parameter }) => parameter).join(", ")}: ${detail}.`,
      errors,
    );
}
