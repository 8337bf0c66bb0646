import * as z from "zod";
import { Batch } from "./contracts/batch.ts";
import { Tenant } from "./contracts/ids.ts";
import { RunReport } from "./contracts/labeler.ts";
import { BatchRecord } from "./contracts/queue-payloads.ts";
import { storageKeys } from "./keys.ts";
import type { RedisClient } from "./redis.ts";
import { ScanCursor, forgetBatch } from "./state/batches.ts";
import type { BatchState } from "./state/batches.ts";
import type { Storage } from "./storage/storage.ts";

/** `manifest.json` of an ended batch or run: the resource, and beside it what is never shown. */
const Manifest = Batch.extend({
  id: z.string(),
  tenant: Tenant,
  skipped: z.int().default(0),
  record: BatchRecord,
  rest: ScanCursor.nullable().default(null),
  report: RunReport.nullable().default(null),
});

/** A batch, or a labeler's run, as storage has it once it has ended. */
export type EndedBatch = Pick<BatchState, "batch" | "record" | "skipped" | "rest" | "report">;

/** Writes what storage is to say of an ended batch; the same bytes when it is done again. */
export async function writeManifest(
  storage: Storage,
  { batch, record, skipped, rest, report }: EndedBatch,
): Promise<void> {
  const manifest: z.input<typeof Manifest> = {
    ...batch,
    tenant: record.tenant,
    skipped,
    record,
    rest,
    report,
  };
  await storage.put(storageKeys.batchManifest(batch.id), JSON.stringify(manifest), {
    contentType: "application/json",
  });
}

/** What storage says of an ended batch, or undefined when it has none of this id. */
export async function readManifest(storage: Storage, id: string): Promise<EndedBatch | undefined> {
  const stored = await storage.get(storageKeys.batchManifest(id));
  if (stored === undefined) return undefined;
  const manifest = Manifest.parse(JSON.parse(new TextDecoder().decode(stored)));
  const { tenant: _, record, skipped, rest, report, ...batch } = manifest;
  return { batch, record, skipped, rest, report };
}

/** Makes an ended batch be unknown, in Redis and in storage. What else is stored of it stays. */
export async function hideBatch(
  { redis, storage }: { redis: RedisClient; storage: Storage },
  id: string,
): Promise<void> {
  await forgetBatch(redis, id);
  await storage.delete(storageKeys.batchManifest(id));
}
