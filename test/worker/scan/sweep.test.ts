import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { writeManifest } from "../../../shared/batch-manifest.ts";
import { redisKeys, storageKeys } from "../../../shared/keys.ts";
import { batchItemId } from "../../../shared/new-id.ts";
import { queueNames } from "../../../shared/queue.ts";
import { getBatchState, putBatch } from "../../../shared/state/batches.ts";
import type { Storage } from "../../../shared/storage/storage.ts";
import { startScan } from "../../../worker/scan/start.ts";
import { sweep } from "../../../worker/scan/sweep.ts";
import { agedId } from "../../support/aged-id.ts";
import { killSwitch } from "../../support/kill-switch.ts";
import { batchRecord } from "../../support/labelling.ts";
import { memoryStorage } from "../../support/memory-storage.ts";
import { readQueue } from "../../support/queue-reader.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

const JSON_TYPE = { contentType: "application/json" };
const KEPT = { config: { RETENTION_DAYS: 30 } };

let deps: WorkerTestDeps;
beforeEach(async () => {
  deps = await openWorkerDeps();
});
afterEach(() => deps.stop());

async function stored(storage: Storage = deps.storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list("")) keys.push(key);
  return keys.toSorted();
}
const put = async (keys: readonly string[], storage: Storage = deps.storage) => {
  for (const key of keys) await storage.put(key, "{}", JSON_TYPE);
  return keys;
};

/** The files of a classification that was made so many days ago, with an image that came with it. */
const classification = (days: number, tenant = "default") => {
  const id = agedId("cls", days);
  return [storageKeys.upload(id), storageKeys.result(tenant, id)];
};
/** The files of a batch that was made so many days ago, and Redis's part of it while it moves. */
async function batch(
  days: number,
  { moves = false, prefix = "bat" }: { moves?: boolean; prefix?: "bat" | "run" } = {},
): Promise<string[]> {
  const id = agedId(prefix, days);
  const record = batchRecord({ id });
  await putBatch(deps.redis, record, 1);
  const state = await getBatchState(deps.redis, id);
  if (state === undefined) throw new Error(`${id} was not written.`);
  await writeManifest(deps.storage, { ...state, batch: { ...state.batch, status: "completed" } });
  if (!moves) await deps.redis.del(redisKeys.batch(id));
  const files = [storageKeys.batchItems(id), storageKeys.upload(batchItemId(id, 0))];
  return [...(await put(files)), storageKeys.batchManifest(id)];
}
async function sweepAll(storage: Storage = deps.storage): Promise<number> {
  for (let turn = 1; ; turn++) {
    if ((await sweep({ ...deps, storage, ...KEPT })) === undefined) return turn;
  }
}

test("what is past its retention goes, with the images that came with it, and all else stays", async () => {
  await put([...classification(40), ...classification(400), ...classification(40, "acme")]);
  await put([storageKeys.upload(agedId("upl", 31))]);
  for (const each of [batch(31), batch(400), batch(31, { prefix: "run" })]) await each;
  const kept = [
    ...(await put([...classification(29), ...classification(0, "acme")])),
    ...(await put([storageKeys.upload(agedId("upl", 29)), storageKeys.upload(agedId("cls", 400))])),
    ...(await batch(29)),
    ...(await batch(400, { moves: true })),
    ...(await batch(400, { moves: true, prefix: "run" })),
    ...(await put(["results/default/2001/01/01/notes.txt", "batches/notes/readme.txt", "labelers/a"])),
  ];
  expect(await sweepAll()).toBe(1);
  expect(await stored()).toEqual(kept.toSorted());
});

test("a day of results goes when all of it is past its retention", async () => {
  vi.useFakeTimers({ now: Date.parse("2026-11-22T12:00:00Z"), toFake: ["Date"] });
  const [gone, stays] = [classification(31), classification(30.2)];
  await put([...gone, ...stays]);
  await sweepAll();
  vi.useRealTimers();
  expect(await stored()).toEqual(stays.toSorted());
});

test.each(["before", "after"] as const)(
  "a sweep that is killed %s any deletion leaves no image behind that nothing leads to, and is finished by the next",
  async (when) => {
    const kept = await put(classification(1));
    let fatal = 1;
    for (; ; fatal++) {
      const results = [classification(40), classification(41)];
      await put(results.flat());
      await batch(40);
      const kill = killSwitch(fatal, when);
      await sweepAll(kill.lay(deps.storage, ["delete"])).catch(() => {});
      const left = await stored();
      const orphans = results.filter(
        ([upload = "", result = ""]) => left.includes(upload) && !left.includes(result),
      );
      expect(orphans).toEqual([]);
      await sweepAll();
      expect(await stored()).toEqual(kept.toSorted());
      if (kill.calls() < fatal) break;
    }
    expect(fatal).toBeGreaterThan(7);
  },
);

test("of very much a part is deleted in each turn, so that others get theirs", async () => {
  const storage = memoryStorage();
  const kept = await put(classification(1), storage);
  for (let i = 0; i < 12_000; i++) await put(classification(40), storage);
  expect(await sweep({ ...deps, storage, ...KEPT })).toEqual({ putOffMs: 0 });
  expect(await stored(storage)).toHaveLength(2 * 2_000 + 2);
  expect(await sweepAll(storage)).toBe(1);
  expect(await stored(storage)).toEqual(kept.toSorted());
});

test("everything is kept for ever unless a retention is set", async () => {
  const files = await put(classification(9_000));
  const scanning = startScan({ ...deps, config: { RETENTION_DAYS: 0 } });
  expect(await sweep({ ...deps, config: { RETENTION_DAYS: 0 } })).toBeUndefined();
  await scanning.close();
  expect(await stored()).toEqual(files.toSorted());
  expect(await readQueue(deps.redis, queueNames.scan)).toEqual([]);
});

test("workers sweep when they start and set the sweep of the next day, one however many they are", async () => {
  await put([...classification(40), ...classification(41)]);
  const workers = [startScan({ ...deps, ...KEPT }), startScan({ ...deps, ...KEPT })];
  await expect.poll(() => stored()).toEqual([]);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const jobs = () => readQueue(deps.redis, queueNames.scan);
  await expect.poll(jobs).toEqual([{ id: `sweep-${tomorrow}`, payload: { kind: "sweep" } }]);
  await Promise.all(workers.map((each) => each.close()));
  expect(await jobs()).toHaveLength(1);
});
