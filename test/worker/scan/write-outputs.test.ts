import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BatchResult } from "../../../shared/contracts/batch.ts";
import { toItemError, PermanentError } from "../../../shared/errors.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { batchItemId, newId } from "../../../shared/new-id.ts";
import { RESULT_COLUMNS } from "../../../worker/scan/result-rows.ts";
import type { ResultRow } from "../../../worker/scan/result-rows.ts";
import { writeOutputs } from "../../../worker/scan/write-outputs.ts";
import { TEST_DIGEST } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

const ODD = ['a,b "c"\nd', "carriage\rreturn", "é 日本 🦢", "=1+1", " spaces ", "'", "line 7"];
const error = toItemError(new PermanentError("invalid_image", 'It is a "text",\nnot an image.'));
/** Every third failed, every seventh saw nothing, every eleventh was canceled. */
function resultOf(id: string, index: number): BatchResult {
  const base = { custom_id: `${ODD[index % ODD.length]} ${index}`, id: batchItemId(id, index), metrics: {} };
  const rest = { model_digest: TEST_DIGEST, error: null, predictions: null };
  if (index % 11 === 10) return { ...base, ...rest, status: "canceled" };
  if (index % 3 === 2) return { ...base, ...rest, status: "failed", error };
  const predictions = [
    { index: 1, label: `bird ${index}`, score: 0.9 - (index % 5) / 1000 },
    { index: 0, label: "swan, mute", score: 0.1 },
  ].slice(index % 7 === 0 ? 2 : 0);
  return { ...base, ...rest, status: "succeeded", predictions };
}
const rowOf = (result: BatchResult): ResultRow => ({
  custom_id: result.custom_id,
  id: result.id,
  status: result.status,
  label: result.predictions?.[0]?.label ?? null,
  score: result.predictions?.[0]?.score ?? null,
  labels: result.predictions?.map(({ label }) => label) ?? null,
  scores: result.predictions?.map(({ score }) => score) ?? null,
  error_code: result.error?.code ?? null,
  error_detail: result.error?.detail ?? null,
  model_digest: result.model_digest,
});

/** A batch of so many items whose results are written. */
async function doneBatch(total: number) {
  const id = newId("bat");
  const results = Array.from({ length: total }, (_, index) => resultOf(id, index));
  await deps.storage.put(
    storageKeys.batchResults(id),
    results.map((result) => `${JSON.stringify(result)}\n`).join(""),
    { contentType: "application/x-ndjson" },
  );
  return { id, rows: results.map(rowOf) };
}
const stored = async (key: string) => new TextDecoder().decode(await deps.storage.get(key));

/** Records of RFC 4180, whose fields may have line feeds in them. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\n)/gy)) {
    record.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === ",") continue;
    records.push(record);
    record = [];
  }
  return records;
}

test("the CSV has a line of names and a record an item, whatever is in the texts", async () => {
  const { id, rows } = await doneBatch(6_000);
  await writeOutputs(deps.storage, id, ["csv"]);
  const [names, ...records] = parseCsv(await stored(storageKeys.batchCsv(id)));
  expect(names).toEqual(RESULT_COLUMNS);
  const expected = rows.map((row) =>
    RESULT_COLUMNS.map((name) =>
      Array.isArray(row[name]) ? JSON.stringify(row[name]) : String(row[name] ?? ""),
    ),
  );
  expect(records).toEqual(expected);
  expect(await deps.storage.get(storageKeys.batchParquet(id)), "which nobody asked for").toBeUndefined();
});

test("the Parquet file has the same rows in several row groups, with lists and absences as such", async () => {
  const { id, rows } = await doneBatch(12_000);
  await writeOutputs(deps.storage, id, ["csv", "parquet"]);
  const file = await asyncBufferFromFile(
    join(deps.storageUrl.slice("file:".length), storageKeys.batchParquet(id)),
  );
  const metadata = await parquetMetadataAsync(file);
  expect(metadata.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([5_000, 5_000, 2_000]);
  expect(parquetSchema(metadata).children.map(({ element }) => element.name)).toEqual(RESULT_COLUMNS);
  const found = await parquetReadObjects({ file });
  expect(found).toHaveLength(rows.length);
  // A list that is null is told as undefined.
  for (const [i, { labels, scores, ...row }] of rows.entries())
    expect(found[i]).toEqual({ ...row, labels: labels ?? undefined, scores: scores ?? undefined });
});

test("a row group ends early when its lines are large, so that memory is bounded", async () => {
  const { id, rows } = await doneBatch(3);
  const [first] = rows;
  const long = JSON.stringify({
    ...resultOf(id, 0),
    custom_id: "x",
    error: { ...error, detail: "y".repeat(5e6) },
  });
  await deps.storage.put(storageKeys.batchResults(id), `${long}\n`.repeat(3), { contentType: "text/plain" });
  await writeOutputs(deps.storage, id, ["parquet"]);
  const file = await asyncBufferFromFile(
    join(deps.storageUrl.slice("file:".length), storageKeys.batchParquet(id)),
  );
  const { row_groups } = await parquetMetadataAsync(file);
  expect(row_groups).toHaveLength(3);
  expect(await parquetReadObjects({ file, columns: ["id"] })).toEqual(
    Array.from({ length: 3 }, () => ({ id: first?.id })),
  );
});

test("a batch without items has tables without rows", async () => {
  const { id } = await doneBatch(0);
  await writeOutputs(deps.storage, id, ["csv", "parquet"]);
  expect(await stored(storageKeys.batchCsv(id))).toBe(`${RESULT_COLUMNS.join(",")}\n`);
  const file = await asyncBufferFromFile(
    join(deps.storageUrl.slice("file:".length), storageKeys.batchParquet(id)),
  );
  expect(await parquetReadObjects({ file })).toEqual([]);
  expect(parquetSchema(await parquetMetadataAsync(file)).children).toHaveLength(RESULT_COLUMNS.length);
});

test("done again after a crash they are the same bytes", async () => {
  const { id } = await doneBatch(20);
  const both = () =>
    Promise.all([storageKeys.batchCsv(id), storageKeys.batchParquet(id)].map((key) => deps.storage.get(key)));
  await writeOutputs(deps.storage, id, ["csv", "parquet"]);
  const first = await both();
  await writeOutputs(deps.storage, id, ["csv", "parquet"]);
  expect(await both()).toEqual(first);
});

test("results that are gone are an error that names them", async () => {
  const id = newId("bat");
  await expect(writeOutputs(deps.storage, id, ["csv"])).rejects.toThrow(storageKeys.batchResults(id));
  expect(await deps.storage.get(storageKeys.batchCsv(id))).toBeUndefined();
});
