import pLimit from "p-limit";
import { hideBatch } from "../../shared/batch-manifest.ts";
import type { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import type { WorkerDeps } from "../start.ts";

/** Objects that are removed at once, and those that are known by name at a time. */
const AT_ONCE = 16;
const NAMED = 1_000;

/** Removes all that is known of an ended batch, what tells of it first and its folder, by which a sweep finds it, last. Done again after a crash, it removes what is left. */
export async function deleteBatch(
  { batch_id: id }: Pick<ScanPayload, "batch_id">,
  { redis, storage, logger }: Pick<WorkerDeps, "redis" | "storage" | "logger">,
): Promise<void> {
  await hideBatch({ redis, storage }, id);
  let removed = 0;
  for (const prefix of [storageKeys.batchUploads(id), storageKeys.batchFolder(id)])
    removed += await removeAll(storage, prefix);
  logger.info({ id, objects: removed }, "batch deleted");
}

async function removeAll(storage: Storage, prefix: string): Promise<number> {
  const limit = pLimit(AT_ONCE);
  let named: string[] = [];
  let removed = 0;
  const removeNamed = async () => {
    await Promise.all(named.map((key) => limit(() => storage.delete(key))));
    removed += named.length;
    named = [];
  };
  for await (const { key } of storage.list(prefix)) {
    named.push(key);
    if (named.length === NAMED) await removeNamed();
  }
  await removeNamed();
  return removed;
}
