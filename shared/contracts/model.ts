import { z } from "zod";
import { ModelName } from "./ids.ts";

/** A model that a worker serves or has served, as workers announce it when they are ready. */
export const ServedModel = z.object({
  name: ModelName,
  digest: z.string(),
  num_classes: z.int(),
  device: z.string(),
  served_at: z.iso.datetime(),
});
export type ServedModel = z.infer<typeof ServedModel>;
