import { BatchResult } from "../../shared/contracts/batch.ts";
import { storageKeys } from "../../shared/keys.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { readLines } from "./read-lines.ts";

/** The most rows that are in memory at a time, and the most bytes of the lines they are made of, to which one line is added. */
const GROUP_ROWS = 5_000;
const GROUP_BYTES = 4 * 1024 * 1024;

/** What became of one item, as a row of a table. */
export interface ResultRow {
  custom_id: string;
  id: string;
  status: string;
  label: string | null;
  score: number | null;
  labels: string[] | null;
  scores: number[] | null;
  error_code: string | null;
  error_detail: string | null;
  model_digest: string | null;
}

/** The columns of the table, in their order. */
export const RESULT_COLUMNS = [
  "custom_id",
  "id",
  "status",
  "label",
  "score",
  "labels",
  "scores",
  "error_code",
  "error_detail",
  "model_digest",
] as const satisfies (keyof ResultRow)[];

/** The rows of a batch's `results.jsonl`, some thousand at a time. */
export async function* resultRows(
  storage: Storage,
  batchId: string,
): AsyncGenerator<ResultRow[], void, undefined> {
  let rows: ResultRow[] = [];
  let bytes = 0;
  for await (const { result, size } of readResults(storage, batchId)) {
    rows.push(toRow(result));
    bytes += size;
    if (rows.length < GROUP_ROWS && bytes < GROUP_BYTES) continue;
    yield rows;
    rows = [];
    bytes = 0;
  }
  if (rows.length > 0) yield rows;
}

/** What became of each item, in their order, by `results.jsonl`; `size` is that of its line in bytes. */
export async function* readResults(
  storage: Storage,
  batchId: string,
): AsyncGenerator<{ result: BatchResult; size: number }, void, undefined> {
  const key = storageKeys.batchResults(batchId);
  const stream = await storage.getStream(key);
  if (stream === undefined) throw new Error(`${key} is gone although it has just been written.`);
  for await (const { bytes } of readLines(stream, Infinity)) {
    if (bytes === undefined) throw new Error(`A line of ${key} is too long. This is a bug.`);
    yield { result: BatchResult.parse(JSON.parse(bytes.toString("utf8"))), size: bytes.byteLength };
  }
}

function toRow({ custom_id, id, status, predictions, error, model_digest }: BatchResult): ResultRow {
  return {
    custom_id,
    id,
    status,
    label: predictions?.[0]?.label ?? null,
    score: predictions?.[0]?.score ?? null,
    labels: predictions?.map(({ label }) => label) ?? null,
    scores: predictions?.map(({ score }) => score) ?? null,
    error_code: error?.code ?? null,
    error_detail: error?.detail ?? null,
    model_digest,
  };
}
