import * as z from "zod";
import { ItemErrorOrNull } from "./error.ts";
import { ClassificationId, ModelName } from "./ids.ts";
import { ImageInput, ImageSource } from "./image.ts";
import { Lane } from "./lane.ts";
import { Prediction } from "./prediction.ts";
import { CLASSIFICATION_EVENTS } from "./event.ts";
import { WebhookTarget } from "./webhook.ts";

/** The states of a classification; the last four are final. */
export const ClassificationStatus = z
  .enum(["queued", "processing", "succeeded", "failed", "canceled", "aborted"])
  .meta({ id: "ClassificationStatus" });
export type ClassificationStatus = z.infer<typeof ClassificationStatus>;

/** What a client may attach to a resource and gets back unchanged. */
export const Metadata = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((record) => Object.keys(record).length <= 16, "must have at most 16 keys")
  .meta({ description: "Up to 16 strings of your own, sent back unchanged.", example: { album: "2026" } });

/** How images are labelled: the same for one classification and for a whole batch. */
export const LabelOptions = z.strictObject({
  model: ModelName.optional().meta({ description: "The service's default model when absent." }),
  top_k: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .meta({ description: "How many predictions at most, best first." }),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .meta({ description: "Leave out predictions with a lower score." }),
  metadata: Metadata.default({}),
  webhook: WebhookTarget.optional(),
});

/** The options of one classification. */
export const ClassificationOptions = LabelOptions.extend({
  webhook_events_filter: z.array(z.enum(CLASSIFICATION_EVENTS)).optional().meta({
    description: "Deliver only these events; all when absent.",
  }),
  priority: Lane.default("interactive").meta({ description: "Which images go first: `interactive` ones." }),
});
export type ClassificationOptions = z.infer<typeof ClassificationOptions>;

const numberInText = (option: z.ZodDefault<z.ZodNumber>, type: "integer" | "number") => {
  const { minValue, maxValue } = option.unwrap();
  return z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, "must be a number")
    .transform(Number)
    .pipe(option.unwrap())
    .meta({ ...option.meta(), type, minimum: minValue, maximum: maxValue })
    .optional();
};

/** The same options where they are text: in the query beside a raw image, and in a form. */
export const ClassificationTextOptions = z.strictObject({
  model: LabelOptions.shape.model,
  top_k: numberInText(LabelOptions.shape.top_k, "integer"),
  threshold: numberInText(LabelOptions.shape.threshold, "number"),
  webhook: LabelOptions.shape.webhook,
  priority: ClassificationOptions.shape.priority
    .unwrap()
    .optional()
    .meta(ClassificationOptions.shape.priority.meta() ?? {}),
});

/** The JSON body of `POST /v1/classifications`. */
export const CreateClassification = ClassificationOptions.extend({ image: ImageInput }).meta({
  id: "CreateClassification",
  example: { image: { url: "https://example.com/cat.jpg" }, top_k: 3 },
});

/** Where the time of one classification went, in milliseconds, and how many images shared its micro-batch. */
export const ClassificationMetrics = z
  .object({
    queue_ms: z.number(),
    fetch_ms: z.number(),
    decode_ms: z.number(),
    batch_wait_ms: z.number(),
    inference_ms: z.number(),
    total_ms: z.number(),
    batch_size: z.int(),
  })
  .partial()
  .meta({ id: "ClassificationMetrics", description: "Where the time went, in milliseconds." });
export type ClassificationMetrics = z.infer<typeof ClassificationMetrics>;

/** One image to label and, once it has ended, its labels or the reason there are none. */
export const Classification = z
  .object({
    id: ClassificationId,
    object: z.literal("classification"),
    status: ClassificationStatus,
    model: ModelName,
    model_digest: z
      .string()
      .nullable()
      .meta({ description: "Names the very weights that labelled it; null until then." }),
    device: z.string().nullable().meta({ description: "What the model ran on, such as `cpu`." }),
    input: ImageSource,
    predictions: z
      .array(Prediction)
      .nullable()
      .meta({ description: "Best first; null unless it succeeded." }),
    error: ItemErrorOrNull.meta({ description: "Null unless it failed, was canceled or was aborted." }),
    metadata: z.record(z.string(), z.string()),
    metrics: ClassificationMetrics,
    created_at: z.iso.datetime(),
    started_at: z.iso.datetime().nullable(),
    completed_at: z.iso.datetime().nullable(),
    deadline: z.iso.datetime().nullable().default(null).meta({
      description: "When it is aborted unless it has been run by then.",
    }),
    expires_at: z.iso.datetime().nullable().default(null).meta({
      description: "From when it may be deleted; null when it is kept until somebody deletes it.",
    }),
    urls: z.object({ get: z.string(), cancel: z.string(), events: z.string() }),
  })
  .meta({ id: "Classification", description: "One image to label, and its labels." });
export type Classification = z.infer<typeof Classification>;
