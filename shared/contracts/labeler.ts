import * as z from "zod";
import { Inventory, KeyPrefix, KeySuffixes } from "./batch.ts";
import { LabelOptions } from "./classification.ts";
import { ItemErrorOrNull } from "./error.ts";
import { RUN_EVENTS } from "./event.ts";
import { LabelerId, ModelName, RunId, Tenant } from "./ids.ts";
import { BucketName } from "./image.ts";
import { webhookFor } from "./webhook.ts";

/** Where labels go besides the results: tags of the object, a JSON file beside it, or nowhere. */
export const WriteBack = z.enum(["tags", "sidecar", "none"]).meta({
  description:
    "Where labels go besides the results: `tags` of the object, a `sidecar` file beside it whose name ends in `.tresline.json`, or `none`.",
});

/** What becomes of an object that cannot be labelled, besides its line in the results. */
export const OnError = z.enum(["report", "write_back"]).meta({
  description:
    "What becomes of an object that cannot be labelled: only a line in the results (`report`), or the code of its error is written back too.",
});

/** The JSON body of `POST /v1/labelers`. */
export const CreateLabeler = LabelOptions.extend({
  bucket: BucketName,
  prefix: KeyPrefix.default(""),
  suffixes: KeySuffixes.optional(),
  write_back: WriteBack.default("none"),
  on_error: OnError.default("report"),
  webhook_events_filter: z.array(z.enum(RUN_EVENTS)).optional().meta({
    description: "Deliver only these events; all when absent.",
  }),
}).meta({
  id: "CreateLabeler",
  example: { bucket: "photos", prefix: "2026/", suffixes: [".jpg"], write_back: "tags" },
});
export type CreateLabeler = z.infer<typeof CreateLabeler>;

/** A standing rule that labels a bucket's objects: those that arrive, by events, and those that are there, by runs. */
export const Labeler = z
  .object({
    id: LabelerId,
    object: z.literal("labeler"),
    status: z.enum(["active", "paused"]),
    bucket: BucketName,
    prefix: z.string(),
    suffixes: z.array(z.string()).nullable(),
    model: ModelName,
    top_k: z.int(),
    threshold: z.number(),
    write_back: WriteBack,
    on_error: OnError,
    metadata: z.record(z.string(), z.string()),
    event_counts: z.object({ labelled: z.int(), failed: z.int(), skipped: z.int(), missed: z.int() }).meta({
      description:
        "What became of the objects that events told of. `missed` arrived while it was paused: resuming starts a run that finds them.",
    }),
    created_at: z.iso.datetime(),
    paused_at: z.iso.datetime().nullable(),
    urls: z.object({ get: z.string(), runs: z.string() }),
  })
  .meta({ id: "Labeler", description: "A standing rule that labels a bucket's objects." });
export type Labeler = z.infer<typeof Labeler>;

/** What a labeler is made of besides its state and its counters, as Redis keeps it; `url` is its own address. */
export const LabelerRecord = Labeler.pick({
  id: true,
  bucket: true,
  prefix: true,
  suffixes: true,
  model: true,
  top_k: true,
  threshold: true,
  write_back: true,
  on_error: true,
  metadata: true,
  created_at: true,
}).extend({
  tenant: Tenant,
  webhook: webhookFor(RUN_EVENTS).nullable(),
  url: z.string(),
});
export type LabelerRecord = z.infer<typeof LabelerRecord>;

/** `backfill` labels what has no labels yet; `relabel` what another version of the model labelled. */
export const RunMode = z.enum(["backfill", "relabel"]).meta({
  description:
    "`backfill` labels objects whose present version has no labels yet; `relabel` those that another version of the model labelled.",
});
export type RunMode = z.infer<typeof RunMode>;

/** The JSON body of `POST /v1/labelers/{id}/runs`. */
export const CreateRun = z
  .strictObject({
    mode: RunMode.default("backfill"),
    inventory: Inventory.pick({ s3: true }).optional().meta({
      description:
        "Take the objects from an S3 Inventory report (its `manifest.json`) instead of listing the bucket.",
    }),
    images_per_second: z.number().min(0.1).max(100_000).optional().meta({
      description: "Go no faster than this on average; as fast as there are workers when absent.",
    }),
  })
  .meta({ id: "CreateRun", example: { mode: "backfill", images_per_second: 200 } });
export type CreateRun = z.infer<typeof CreateRun>;

/** What a `relabel` changed: how many best labels, and which became which, the most frequent first. */
export const RunReport = z
  .object({
    changed: z.int(),
    unchanged: z.int(),
    changes: z
      .array(z.object({ from: z.string().nullable(), to: z.string().nullable(), count: z.int() }))
      .meta({ description: "The most frequent 100." }),
  })
  .meta({ id: "RunReport", description: "What became of the best labels that objects had before." });
export type RunReport = z.infer<typeof RunReport>;

/** One backfill of a labeler. */
export const Run = z
  .object({
    id: RunId,
    object: z.literal("labeler.run"),
    labeler_id: LabelerId,
    mode: RunMode,
    status: z.enum([
      "validating",
      "in_progress",
      "paused",
      "finalizing",
      "completed",
      "failed",
      "canceling",
      "canceled",
    ]),
    model: ModelName,
    request_counts: z.object({
      total: z.int().meta({ description: "Grows while the bucket is listed." }),
      succeeded: z.int(),
      failed: z.int(),
      canceled: z.int(),
      skipped: z.int().meta({ description: "Had their labels already." }),
    }),
    progress: z.number().meta({ description: "0 to 1, of the objects known so far." }),
    eta_seconds: z.number().nullable(),
    images_per_second: z.number().nullable(),
    created_at: z.iso.datetime(),
    in_progress_at: z.iso.datetime().nullable(),
    completed_at: z.iso.datetime().nullable(),
    failed_at: z.iso.datetime().nullable(),
    canceled_at: z.iso.datetime().nullable(),
    error: ItemErrorOrNull,
    report: RunReport.nullable().meta({ description: "Of a completed `relabel`; else null." }),
    urls: z.object({ get: z.string(), results: z.string() }),
  })
  .meta({ id: "Run", description: "One backfill of a labeler." });
export type Run = z.infer<typeof Run>;

/** The answer to `POST /v1/labelers/{id}/resume`. */
export const ResumedLabeler = Labeler.extend({
  run: Run.or(z.null()).meta({
    description: "The run that finds what was missed while it was paused; null when nothing was.",
  }),
}).meta({ id: "ResumedLabeler" });
export type ResumedLabeler = z.infer<typeof ResumedLabeler>;
