import type { OUTPUT_FORMATS } from "../../shared/contracts/batch.ts";
import { RESULT_FORMATS } from "../../shared/result-formats.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { resultRows } from "./result-rows.ts";
import { toCsv } from "./to-csv.ts";
import { toParquet } from "./to-parquet.ts";

const ENCODERS = { csv: toCsv, parquet: toParquet };

/** Writes the results of a batch in the formats that were asked for, beside `results.jsonl`, which has to be there. Done again, it writes the same. */
export async function writeOutputs(
  storage: Storage,
  batchId: string,
  formats: readonly (typeof OUTPUT_FORMATS)[number][],
): Promise<void> {
  for (const format of formats) {
    const { key, contentType } = RESULT_FORMATS[format];
    await storage.putStream(key(batchId), ENCODERS[format](resultRows(storage, batchId)), { contentType });
  }
}
