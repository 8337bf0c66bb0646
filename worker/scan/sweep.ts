import pLimit from "p-limit";
import { BatchOrRunId, ClassificationId, UploadId } from "../../shared/contracts/ids.ts";
import { storageKeys } from "../../shared/keys.ts";
import { hasExpired, keptSince } from "../../shared/retention.ts";
import { getBatchState } from "../../shared/state/batches.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import type { WorkerConfig } from "../config.ts";
import type { PutOff } from "../consume.ts";
import type { WorkerDeps } from "../start.ts";
import { deleteBatch } from "./delete-batch.ts";
import { scheduleSweep } from "./schedule-sweep.ts";

/** What is deleted before others get their turn: pages of this many classifications or uploads, and batches. */
const PAGE = 1_000;
const PAGES_A_TURN = 10;
const BATCHES_A_TURN = 20;
/** Objects that are deleted at once. */
const AT_ONCE = 16;

const FINAL: readonly string[] = ["completed", "failed", "canceled", "expired"];

/** What sweeping works with. */
export type SweepDeps = Pick<WorkerDeps, "redis" | "storage" | "queues" | "logger"> & {
  config: Pick<WorkerConfig, "RETENTION_DAYS">;
};

/**
 * Deletes what is past its retention: results with the images that came with them, uploads, and batches that have ended. It
 * goes on in another turn after some pages, and after a crash with what is left, since what is deleted is its only cursor.
 * When nothing is left it sets the next day's sweep.
 */
export async function sweep({ config, redis, storage, queues, logger }: SweepDeps): Promise<void | PutOff> {
  const days = config.RETENTION_DAYS;
  if (days === 0) return;
  let pages = 0;
  for await (const page of pagesOf(expiredFiles(storage, days))) {
    await deletePage(storage, page);
    logger.info({ files: page.length }, "swept results and uploads");
    if (++pages === PAGES_A_TURN) return { putOffMs: 0 };
  }
  let batches = 0;
  for await (const id of expiredBatches({ redis, storage }, days)) {
    await deleteBatch({ batch_id: id }, { redis, storage, logger });
    if (++batches === BATCHES_A_TURN) return { putOffMs: 0 };
  }
  await scheduleSweep(queues, "tomorrow");
}

/** The storage keys of something to delete, in the order in which they go: the last is what leads to the others. */
type Files = string[];

async function* expiredFiles(storage: Storage, days: number): AsyncGenerator<Files, void, undefined> {
  for await (const day of expiredDays(storage, days))
    for await (const { key } of storage.list(day)) {
      const id = ClassificationId.safeParse(key.slice(day.length, -".json".length));
      if (id.success) yield [storageKeys.upload(id.data), key];
    }
  for await (const { key } of storage.list(storageKeys.upload("upl_"))) {
    const id = UploadId.safeParse(key.slice(storageKeys.upload("").length));
    if (id.success && hasExpired(days, id.data)) yield [key];
  }
}

/** The folders of results of which the whole day (UTC) is past its retention. */
async function* expiredDays(storage: Storage, days: number): AsyncGenerator<string, void, undefined> {
  const firstKept = keptSince(days).toISOString().slice(0, 10).replaceAll("-", "/");
  for await (const tenant of storage.folders(storageKeys.results()))
    for await (const year of storage.folders(tenant))
      for await (const month of storage.folders(year))
        for await (const day of storage.folders(month))
          if (day.slice(tenant.length, -1) < firstKept) yield day;
}

/** Batches and runs that are past their retention and move no more. */
async function* expiredBatches(
  { redis, storage }: Pick<SweepDeps, "redis" | "storage">,
  days: number,
): AsyncGenerator<string, void, undefined> {
  for await (const folder of storage.folders(storageKeys.batches())) {
    const id = BatchOrRunId.safeParse(folder.slice(storageKeys.batches().length, -1));
    if (!id.success || !hasExpired(days, id.data)) continue;
    const state = await getBatchState(redis, id.data);
    if (state === undefined || FINAL.includes(state.batch.status)) yield id.data;
  }
}

async function* pagesOf(files: AsyncIterable<Files>): AsyncGenerator<Files[], void, undefined> {
  let page: Files[] = [];
  for await (const each of files) {
    page.push(each);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

async function deletePage(storage: Storage, page: readonly Files[]): Promise<void> {
  const atOnce = pLimit(AT_ONCE);
  await Promise.all(
    page.map((files) =>
      atOnce(async () => {
        for (const key of files) await storage.delete(key);
      }),
    ),
  );
}
