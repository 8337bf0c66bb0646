import type { OUTPUT_FORMATS } from "../../shared/contracts/batch.ts";
import { storageKeys } from "../../shared/keys.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { resultRows } from "./result-rows.ts";
import { toCsv } from "./to-csv.ts";
import { toParquet } from "./to-parquet.ts";

type OutputFormat = (typeof OUTPUT_FORMATS)[number];

const OUTPUTS = {
  csv: { key: storageKeys.batchCsv, encode: toCsv, contentType: "text/csv; charset=utf-8" },
  parquet: {
    key: storageKeys.batchParquet,
    encode: toParquet,
    contentType: "application/vnd.apache.parquet",
  },
} as const satisfies Record<OutputFormat, object>;

/** Writes the results of a batch in the formats that were asked for, beside `results.jsonl`, which has to be there. Done again, it writes the same. */
export async function writeOutputs(
  storage: Storage,
  batchId: string,
  formats: readonly OutputFormat[],
): Promise<void> {
  for (const format of formats) {
    const { key, encode, contentType } = OUTPUTS[format];
    await storage.putStream(key(batchId), encode(resultRows(storage, batchId)), { contentType });
  }
}
