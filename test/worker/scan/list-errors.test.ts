import { afterAll, beforeAll, expect, test } from "vitest";
import type { BatchResult } from "../../../shared/contracts/batch.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { batchItemId, newId } from "../../../shared/new-id.ts";
import { listErrors } from "../../../worker/scan/list-errors.ts";
import { TEST_DIGEST } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

/** An ended batch of so many items without labels, of which every third is a bad line that names no image. */
async function endedBatch(count: number): Promise<string> {
  const id = newId("bat");
  const lines = Array.from({ length: count }, (_, index): BatchResult => {
    const input = { type: "url" as const, url: `https://images.example/é-${index}` };
    return {
      custom_id: `é-${index}`,
      id: batchItemId(id, index),
      status: index % 2 ? "failed" : "canceled",
      ...(index % 3 > 0 && { input }),
      predictions: null,
      error: null,
      model_digest: TEST_DIGEST,
      metrics: {},
    };
  });
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  await deps.storage.put(storageKeys.batchErrors(id), text, { contentType: "application/x-ndjson" });
  return id;
}
/** The names of the items of each page, from a position on. */
async function pagesOf(id: string, position = "") {
  const pages = [];
  for await (const page of listErrors(deps.storage, id, { position }))
    pages.push({ names: page.items.map(({ custom_id }) => custom_id), position: page.position });
  return pages;
}

test("all items without labels come whose line names an image, the same from every page on", async () => {
  const id = await endedBatch(3_000);
  const pages = await pagesOf(id);
  const expected = Array.from({ length: 3_000 }, (_, i) => i).filter((i) => i % 3 > 0);
  expect(pages.flatMap(({ names }) => names)).toEqual(expected.map((i) => `é-${i}`));
  expect(pages.map(({ names }) => names.length)).toEqual([960, 960, 80]);
  for (const [done, { position }] of pages.entries())
    expect(await pagesOf(id, position)).toEqual(pages.slice(done + 1));
});

test("a batch without such lines gives no page", async () => {
  expect(await pagesOf(await endedBatch(0))).toEqual([]);
});

test("of a batch that has been deleted it says so, for good", async () => {
  const id = newId("bat");
  await expect(pagesOf(id)).rejects.toMatchObject({
    name: "PermanentError",
    message: `The results of batch ${id} are no longer stored.`,
  });
});
