import type { OUTPUT_FORMATS } from "./contracts/batch.ts";
import { storageKeys } from "./keys.ts";

/** The formats of a batch's results: NDJSON always, and those that were asked for. */
export type ResultFormat = "jsonl" | (typeof OUTPUT_FORMATS)[number];

/** Where the results of a batch are stored in each format, and as what they are served. */
export const RESULT_FORMATS: Record<ResultFormat, { contentType: string; key: (batchId: string) => string }> =
  {
    jsonl: { contentType: "application/x-ndjson", key: storageKeys.batchResults },
    csv: { contentType: "text/csv; charset=utf-8", key: storageKeys.batchCsv },
    parquet: { contentType: "application/vnd.apache.parquet", key: storageKeys.batchParquet },
  };
