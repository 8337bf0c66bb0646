import * as z from "zod";

/** What each kind of id begins with. After the `_` comes a time-ordered part of [a-z0-9]. */
export const ID_PREFIXES = {
  classification: "cls",
  batch: "bat",
  labeler: "lbl",
  run: "run",
  webhookEndpoint: "whe",
  message: "msg",
  upload: "upl",
  request: "req",
  apiKey: "key",
  worker: "wrk",
} as const;
export type IdPrefix = (typeof ID_PREFIXES)[keyof typeof ID_PREFIXES];

/** 48 bits of time and 80 random ones in Crockford's base 32, in lower case (https://github.com/ulid/spec). */
const ULID = "[0-7][0-9a-hjkmnp-tv-z]{25}";

const idSchema = (prefix: IdPrefix, rest: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_${rest}$`), `must be an id that begins with ${prefix}_`)
    .meta({ example: `${prefix}_01kapz6s8r3v5m2n7q9w4x6y8z` });

/** The id of a classification; that of a batch's item ends with its position, six digits in base 36. */
export const ClassificationId = idSchema("cls", `${ULID}(?:[0-9a-z]{6})?`);
/** The id of a batch. */
export const BatchId = idSchema("bat", ULID);
/** The id of a labeler: a standing rule that labels a bucket's objects. */
export const LabelerId = idSchema("lbl", ULID);
/** The id of a run: one backfill of a labeler. */
export const RunId = idSchema("run", ULID);
/** The id of a batch, or of a labeler's run, which moves through the same machinery. */
export const BatchOrRunId = z.union([BatchId, RunId]);
/** The id of a registered webhook endpoint. */
export const WebhookEndpointId = idSchema("whe", ULID);
/** The id of a webhook message: the same for every attempt to deliver it. */
export const MessageId = idSchema("msg", "[0-9a-v]{26}").meta({ example: "msg_05q8v2c6n1b4k7t0g3r9h5d8fa" });

/** The id of an upload: an image that is sent before it is classified. */
export const UploadId = idSchema("upl", ULID);

/** The id of an API key; it is no secret. */
export const ApiKeyId = idSchema("key", ULID);

/** The id of a worker process, from its start to its end. */
export const WorkerId = idSchema("wrk", ULID);

/** Who owns a resource: `default`, which the service's own key belongs to, or whoever a key was made for. */
export const Tenant = z
  .string()
  .regex(/^[a-z0-9-]{1,40}$/, "must have 1 to 40 of the characters a-z, 0-9 and -");

/** The name of a model, as in `model` of a request and in the name of its queues. */
export const ModelName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,99}$/, "must be the name of a model, such as figures or tresnet_m")
  .meta({ example: "figures" });
