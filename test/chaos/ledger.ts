import type { Expected } from "./pictures.ts";

/** What the harness knows of one classification that it asked for. */
export interface AskedClassification {
  key: string;
  /** All ids that it was answered with; one is right. */
  ids: Set<string>;
  expected: Expected;
  /** Where its message goes, if anywhere. */
  hook: string | undefined;
  /** Whether its pixels are in S3, and so not to be had while that is away. */
  needsS3: boolean;
  /** Whether it was to be canceled, and whether that was said to be done. */
  cancel: "no" | "asked" | "done";
}

/** The same of a batch: its items by their `custom_id`. */
export interface AskedBatch extends Omit<AskedClassification, "expected"> {
  items: Map<string, Expected>;
}

/** An object of the labeler's bucket. */
export interface AskedObject {
  key: string;
  expected: Expected;
}

/** All that was asked for in a seed, which the checker accounts for. */
export interface Ledger {
  classifications: AskedClassification[];
  batches: AskedBatch[];
  objects: AskedObject[];
  labelerId: string;
  /** The runs of the labeler, and how many objects there were for each at least. */
  runIds: Set<string>;
  runHook: string;
  /** Requests that were sent again after they had been answered. */
  repeats: number;
  /** What went wrong with asking, in words. */
  refusals: string[];
}
