import { afterAll, beforeAll, expect, test } from "vitest";
import type { BatchResult } from "../../shared/contracts/batch.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { batchItemId, newId } from "../../shared/new-id.ts";
import { RESULT_FORMATS } from "../../shared/result-formats.ts";
import type { ResultFormat } from "../../shared/result-formats.ts";
import { endBatch, putBatch } from "../../shared/state/batches.ts";
import { TEST_DIGEST, batchRecord } from "../support/labelling.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const result: BatchResult = {
  custom_id: "cat",
  id: batchItemId(newId("bat"), 0),
  status: "succeeded",
  predictions: [],
  error: null,
  model_digest: TEST_DIGEST,
  metrics: {},
};
/** What the files of a batch have in them here. */
const BODIES: Record<ResultFormat, string> = {
  jsonl: `${JSON.stringify(result)}\n`,
  csv: "custom_id,id\n",
  parquet: "PAR1",
};

/** The results of a completed batch that was made with these formats. */
async function resultsOf(output_formats: ("csv" | "parquet")[]): Promise<string> {
  const record = batchRecord({ output_formats });
  await putBatch(api.redis.redis, record, 0);
  await endBatch(api.redis.redis, record.id, "completed", new Date().toISOString());
  for (const format of ["jsonl", ...output_formats] as const) {
    const { key, contentType } = RESULT_FORMATS[format];
    await api.deps.storage.put(key(record.id), BODIES[format], { contentType });
  }
  return `/v1/batches/${record.id}/results`;
}

test.each([
  ["", undefined, "jsonl"],
  ["", "*/*", "jsonl"],
  ["", "application/json", "jsonl"],
  ["", "text/csv", "csv"],
  ["", "application/x-ndjson;q=0.5, text/csv", "csv"],
  ["", "application/vnd.apache.parquet", "parquet"],
  ["?format=jsonl", "text/csv", "jsonl"],
  ["?format=csv", "*/*", "csv"],
  ["?format=parquet", undefined, "parquet"],
] as const)("results%s, accepted as %s, come as %s", async (query, accept, format) => {
  const url = `${await resultsOf(["csv", "parquet"])}${query}`;
  const headers = accept === undefined ? {} : { accept };
  const response = await api.request(url, { headers });
  expect(response.headers.get("content-type")).toBe(RESULT_FORMATS[format].contentType);
  expect(response.headers.get("vary")).toContain("Accept");
  expect(await response.text()).toBe(BODIES[format]);
});

test("a format that the batch was made without is refused with what to do", async () => {
  const url = await resultsOf(["csv"]);
  for (const [path, headers] of [
    [`${url}?format=parquet`, {}],
    [url, { accept: "application/vnd.apache.parquet" }],
  ] as const) {
    const response = await api.request(path, { headers });
    const problem = (await response.json()) as Problem;
    expect(problem).toMatchObject({
      status: 409,
      code: "conflict",
      detail:
        'This batch was made without "parquet" in its output_formats, so its results are not written as such; they are with format=jsonl.',
    });
  }
});

test("a format that does not exist is refused", async () => {
  const response = await api.request(`${await resultsOf([])}?format=xlsx`);
  expect(response.status).toBe(400);
  expect(((await response.json()) as Problem).errors?.[0]?.parameter).toBe("format");
});
