import * as z from "zod";
import { ModelName, WorkerId } from "./ids.ts";

/** What a worker with the role `classify` labels with, and what it has done. */
export const Labelling = z
  .object({
    model: ModelName,
    model_digest: z.string(),
    device: z.string().meta({ description: "What it runs on, such as `cpu`." }),
    engine_instances: z.int().meta({ description: "Sessions that run side by side." }),
    images_in_hand: z.int().meta({ description: "Images that are fetched, decoded, gathered or run now." }),
    images_labelled: z.int().meta({ description: "Since it started." }),
    images_per_second: z.number().meta({ description: "The mean of the last minute." }),
    mean_micro_batch: z
      .number()
      .nullable()
      .meta({ description: "Images in a micro-batch, the mean of the last minute; null when none ran." }),
  })
  .meta({ id: "Labelling" });
export type Labelling = z.infer<typeof Labelling>;

/** A worker process as it announces itself, every few seconds while it lives. */
export const AnnouncedWorker = z.object({
  id: WorkerId,
  host: z.string().meta({ description: "The name of its machine, container or pod." }),
  pid: z.int(),
  version: z.string().meta({ description: "Of Tresline." }),
  roles: z.array(z.string()).meta({ description: "Some of `classify`, `deliver` and `scan`." }),
  draining: z.boolean().meta({
    description: "It was told to stop: it takes nothing more and finishes what it has in hand.",
  }),
  labelling: Labelling.nullable().meta({ description: "Null when it does not label, or not yet." }),
  started_at: z.iso.datetime(),
  seen_at: z.iso.datetime().meta({ description: "When it was last heard of." }),
});
export type AnnouncedWorker = z.infer<typeof AnnouncedWorker>;

/** A worker as the API shows it. */
export const Worker = AnnouncedWorker.extend({ object: z.literal("worker") }).meta({
  id: "Worker",
  description: "A worker process that is alive.",
});
export type Worker = z.infer<typeof Worker>;
