import * as z from "zod";
import { BatchResult } from "./batch.ts";
import { ItemErrorOrNull } from "./error.ts";
import { ClassificationId, ModelName } from "./ids.ts";
import { BucketName, ObjectKey } from "./image.ts";
import { Prediction } from "./prediction.ts";

/** What a labeler knows of one object: what became of the version of it that it looked at last. */
export const ObjectRecord = z.object({
  // Of the job or the item that wrote it: who finds its own id here has done it already.
  id: ClassificationId,
  bucket: BucketName,
  key: ObjectKey,
  etag: z.string(),
  model: ModelName,
  model_digest: z.string(),
  predictions: z.array(Prediction).nullable(),
  error: ItemErrorOrNull,
  previous: BatchResult.shape.previous,
  labelled_at: z.iso.datetime(),
});
export type ObjectRecord = z.infer<typeof ObjectRecord>;
