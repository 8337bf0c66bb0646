import * as z from "zod";

/** Every error code of the contract with its HTTP status and its title; an item inside a result carries the same codes. */
export const ERROR_KINDS = {
  invalid_request: { status: 400, title: "The request is not valid" },
  unauthorized: { status: 401, title: "A valid API key is needed" },
  forbidden: { status: 403, title: "This API key may not do that" },
  not_found: { status: 404, title: "There is nothing here" },
  gone: { status: 410, title: "It is no longer there" },
  conflict: { status: 409, title: "The state of the resource does not allow that" },
  idempotency_key_reused: { status: 422, title: "The Idempotency-Key belongs to another request" },
  invalid_image: { status: 422, title: "The image cannot be decoded" },
  image_too_large: { status: 413, title: "The image is too large" },
  unsupported_media_type: { status: 415, title: "This kind of content is not supported" },
  fetch_failed: { status: 422, title: "The image could not be fetched" },
  fetch_forbidden: { status: 422, title: "The image is at an address that may not be fetched" },
  timeout: { status: 504, title: "It took too long" },
  model_not_found: { status: 404, title: "No such model is served" },
  inference_failed: { status: 500, title: "The model could not be run on the image" },
  deadline_exceeded: { status: 422, title: "The deadline passed before it started" },
  canceled: { status: 409, title: "It was canceled" },
  rate_limited: { status: 429, title: "Too many requests" },
  overloaded: { status: 503, title: "The service has too much to do" },
  internal: { status: 500, title: "Something went wrong on our side" },
} as const;

/** The code of an error: what programs branch on. */
export type ErrorCode = keyof typeof ERROR_KINDS;

/** The code of an error, as a schema. */
export const ErrorCode = z
  .enum(Object.keys(ERROR_KINDS) as [ErrorCode, ...ErrorCode[]])
  .meta({ id: "ErrorCode", description: "What programs branch on." });

/** One fault inside a request and where it is: a JSON pointer into the body, a query parameter or a header. */
export const ErrorDetail = z
  .object({
    pointer: z.string().optional(),
    parameter: z.string().optional(),
    header: z.string().optional(),
    detail: z.string(),
    code: z.string(),
  })
  .meta({ id: "ErrorDetail", description: "One fault inside a request and where it is." });
export type ErrorDetail = z.infer<typeof ErrorDetail>;

/** An RFC 9457 problem, the body of every error answer (`application/problem+json`). */
export const Problem = z
  .object({
    type: z.string().meta({ description: "A page that describes the code." }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: "What was wrong with this request and what to do." }),
    instance: z.string(),
    code: ErrorCode,
    request_id: z.string(),
    errors: z.array(ErrorDetail).optional(),
  })
  .meta({ id: "Problem", description: "An RFC 9457 problem." });
export type Problem = z.infer<typeof Problem>;

/** Why one image failed, inside a classification or a batch's results; `retryable` says whether trying again may help. */
export const ItemError = z
  .object({
    type: z.string(),
    title: z.string(),
    code: ErrorCode,
    detail: z.string(),
    retryable: z.boolean(),
  })
  .meta({ id: "ItemError", description: "Why one image failed." });
export type ItemError = z.infer<typeof ItemError>;

/** The same or null. Not `nullable()`, which would make null a part of `ItemError` in the OpenAPI document. */
export const ItemErrorOrNull = ItemError.or(z.null());

/** The address, relative to the API, of the page that describes a code. */
export const problemType = (code: ErrorCode): string => `/docs#${code}`;
