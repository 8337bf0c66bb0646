import { afterAll, beforeAll, expect, test } from "vitest";
import type { BatchResult } from "../../../shared/contracts/batch.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { batchItemId, newId } from "../../../shared/new-id.ts";
import { relabelReport } from "../../../worker/scan/relabel-report.ts";
import { TEST_DIGEST } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

type Change = Partial<BatchResult> & { from?: string | null; to?: string | null };

async function reportOf(changes: Change[]) {
  const id = newId("run");
  const lines = changes.map(({ from, to, ...more }, index) => {
    const result: BatchResult = {
      custom_id: `n-${index}`,
      id: batchItemId(id, index),
      status: "succeeded",
      predictions: typeof to === "string" ? [{ index: 0, label: to, score: 1 }] : [],
      error: null,
      model_digest: TEST_DIGEST,
      metrics: {},
      ...(from !== undefined && { previous: { label: from, model_digest: TEST_DIGEST } }),
      ...more,
    };
    return `${JSON.stringify(result)}\n`;
  });
  const key = storageKeys.batchResults(id);
  await deps.storage.put(key, lines.join(""), { contentType: "application/x-ndjson" });
  return relabelReport(deps.storage, id);
}
const times = (count: number, change: Change) => Array.from({ length: count }, () => change);

test("a report counts what changed and into what, and nothing that has not both labels", async () => {
  const report = await reportOf([
    ...times(3, { from: "swan", to: "goose" }),
    ...times(2, { from: "swan", to: "swan" }),
    { from: null, to: null },
    { from: "swan", to: null },
    ...times(2, { from: null, to: "swan" }),
    { to: "swan" },
    { from: "swan", to: null, status: "failed", predictions: null },
    { from: "swan", to: null, status: "skipped", predictions: null },
    { from: "swan", to: null, status: "canceled", predictions: null },
  ]);
  expect(report).toEqual({
    changed: 6,
    unchanged: 3,
    changes: [
      { from: "swan", to: "goose", count: 3 },
      { from: null, to: "swan", count: 2 },
      { from: "swan", to: null, count: 1 },
    ],
  });
});

test("of many changes the most frequent hundred are told, in one order", async () => {
  const all = Array.from({ length: 150 }, (_, i) => times(i < 120 ? 1 : 2, { from: `a${i}`, to: `b${i}` }));
  const { changed, changes } = await reportOf(all.flat());
  expect(changed).toBe(180);
  expect(changes).toHaveLength(100);
  expect(changes.slice(0, 30).map(({ count }) => count)).toEqual(Array(30).fill(2));
  const rare = changes.slice(30).map(({ from }) => from);
  expect(rare).toEqual(
    Array.from({ length: 120 }, (_, i) => `a${i}`)
      .toSorted()
      .slice(0, 70),
  );
});

test("of more different changes than are counted at a time, the frequent ones have their right counts", async () => {
  const rare = Array.from({ length: 25_000 }, (_, i): Change => ({ from: `a${i}`, to: `b${i}` }));
  const frequent = [50, 40, 30].flatMap((count, i) => times(count, { from: `often ${i}`, to: "goose" }));
  const step = Math.floor(rare.length / frequent.length);
  const mixed = rare.flatMap((change, i) => {
    const other = i % step === 0 ? frequent[i / step] : undefined;
    return other === undefined ? [change] : [change, other];
  });
  const { changed, unchanged, changes } = await reportOf(mixed);
  expect({ changed, unchanged }).toEqual({ changed: 25_000 + 120, unchanged: 0 });
  expect(changes.slice(0, 3)).toEqual([
    { from: "often 0", to: "goose", count: 50 },
    { from: "often 1", to: "goose", count: 40 },
    { from: "often 2", to: "goose", count: 30 },
  ]);
  expect(changes.slice(3).every(({ count }) => count === 1)).toBe(true);
});
