import { z } from "zod";
import { ClassificationMetrics, LabelOptions } from "./classification.ts";
import { ItemErrorOrNull } from "./error.ts";
import { BATCH_EVENTS } from "./event.ts";
import { BatchId, ClassificationId, ModelName } from "./ids.ts";
import { ImageInput } from "./image.ts";
import { Prediction } from "./prediction.ts";

/** The most items a request may list; larger batches come from a manifest or a prefix. */
export const MAX_INLINE_ITEMS = 10_000;

/** The client's own name for an item of a batch. */
export const CustomId = z.string().min(1).max(256).meta({ example: "photos/0001.jpg" });

/** The JSON body of `POST /v1/batches`. */
export const CreateBatch = LabelOptions.extend({
  items: z
    .array(z.strictObject({ custom_id: CustomId, image: ImageInput }))
    .min(1)
    .max(MAX_INLINE_ITEMS),
  webhook_events_filter: z.array(z.enum(BATCH_EVENTS)).optional().meta({
    description: "Deliver only these events; all when absent.",
  }),
})
  .superRefine(({ items }, context) => {
    const seen = new Map<string, number>();
    for (const [index, { custom_id }] of items.entries()) {
      const first = seen.get(custom_id);
      if (first === undefined) seen.set(custom_id, index);
      else
        context.addIssue({
          code: "custom",
          path: ["items", index, "custom_id"],
          message: `"${custom_id}" is already the custom_id of item ${first}`,
        });
    }
  })
  .meta({
    id: "CreateBatch",
    example: { items: [{ custom_id: "cat", image: { url: "https://example.com/cat.jpg" } }] },
  });
export type CreateBatch = z.infer<typeof CreateBatch>;

/** The states of a batch; `completed`, `failed`, `canceled` and `expired` are final. */
export const BatchStatus = z
  .enum([
    "validating",
    "in_progress",
    "finalizing",
    "completed",
    "failed",
    "canceling",
    "canceled",
    "expired",
  ])
  .meta({ id: "BatchStatus" });
export type BatchStatus = z.infer<typeof BatchStatus>;

/** A client's set of images, labelled together and reported together. */
export const Batch = z
  .object({
    id: BatchId,
    object: z.literal("batch"),
    status: BatchStatus,
    model: ModelName,
    request_counts: z.object({
      total: z.int(),
      succeeded: z.int(),
      failed: z.int(),
      canceled: z.int(),
    }),
    progress: z.number().meta({ description: "0 to 1: the part of the items that has ended." }),
    eta_seconds: z.number().nullable().meta({ description: "Seconds until it is done, by the pace so far." }),
    metadata: z.record(z.string(), z.string()),
    created_at: z.iso.datetime(),
    in_progress_at: z.iso.datetime().nullable(),
    finalizing_at: z.iso.datetime().nullable(),
    completed_at: z.iso.datetime().nullable(),
    urls: z.object({ get: z.string(), results: z.string() }),
  })
  .meta({ id: "Batch", description: "A set of images, labelled together and reported together." });
export type Batch = z.infer<typeof Batch>;

/** One line of a batch's `results.jsonl`: what became of one item. */
export const BatchResult = z
  .object({
    custom_id: CustomId,
    id: ClassificationId,
    status: z.enum(["succeeded", "failed"]),
    predictions: z
      .array(Prediction)
      .nullable()
      .meta({ description: "Best first; null unless it succeeded." }),
    error: ItemErrorOrNull.meta({ description: "Null unless it failed." }),
    model_digest: z.string(),
    metrics: ClassificationMetrics,
  })
  .meta({ id: "BatchResult", description: "What became of one item of a batch: one line of NDJSON." });
export type BatchResult = z.infer<typeof BatchResult>;
