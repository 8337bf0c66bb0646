import type { ClassificationMetrics } from "../../shared/contracts/classification.ts";
import type { ItemError } from "../../shared/contracts/error.ts";
import type { ObjectRecord } from "../../shared/contracts/object-record.ts";
import type { Prediction } from "../../shared/contracts/prediction.ts";
import type { ForLabeler } from "../../shared/contracts/queue-payloads.ts";
import type { Attempt } from "../consume.ts";

/** One object to label for a labeler. */
export interface ObjectToLabel {
  /** Of the job or the item: the same for each of its tries. */
  id: string;
  tenant: string;
  labeler: ForLabeler;
  bucket: string;
  key: string;
  /** The version that a listing told of; the present one is looked up when undefined. */
  etag: string | undefined;
  topK: number;
  threshold: number;
}

/** Which try of the object this is. */
export interface ObjectTry extends Attempt {
  lastTry: boolean;
}

/** How an object ended: with labels, without, or as it was; `previous` is what was known of it before. */
export type ObjectEnd =
  | (Pick<ObjectRecord, "etag" | "previous"> & {
      status: "succeeded";
      predictions: Prediction[];
      metrics: ClassificationMetrics;
    })
  | (Partial<Pick<ObjectRecord, "etag" | "previous">> & { status: "failed"; error: ItemError })
  | { status: "skipped"; etag?: string };
