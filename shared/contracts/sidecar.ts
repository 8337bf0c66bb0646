import * as z from "zod";
import { ErrorCode } from "./error.ts";
import { ModelName } from "./ids.ts";
import { ObjectKey } from "./image.ts";
import { Prediction } from "./prediction.ts";

/**
 * The file beside an object that holds its labels. When it was written is told by its own `Last-Modified` and not in
 * here, so that the same labels are the same bytes.
 */
export const Sidecar = z
  .object({
    key: ObjectKey,
    etag: z.string().meta({ description: "The version of the object that these are the labels of." }),
    model: ModelName,
    model_digest: z.string(),
    predictions: z.array(Prediction).nullable().meta({ description: "Best first; null when it failed." }),
    error: z
      .object({ code: ErrorCode, detail: z.string() })
      .nullable()
      .meta({ description: "Why there are none; null unless it failed." }),
  })
  .meta({ id: "Sidecar", description: "The labels of an object, in a file beside it." });
export type Sidecar = z.infer<typeof Sidecar>;
