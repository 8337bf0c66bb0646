import type { BatchRecord, RetryPart } from "../../shared/contracts/queue-payloads.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { WorkerDeps } from "../start.ts";
import { listErrors } from "./list-errors.ts";
import { listInventory } from "./list-inventory.ts";
import { listItems } from "./list-items.ts";
import { listManifest } from "./list-manifest.ts";
import { listPrefix } from "./list-prefix.ts";
import { pageItems } from "./page.ts";
import type { Page } from "./page.ts";

/** The pages, from a cursor on, of what a batch is listed from: its own source, or a part of what an earlier batch left undone. */
export function listPart(
  record: BatchRecord,
  { batch_id, source }: Pick<RetryPart, "batch_id" | "source">,
  cursor: ScanCursor,
  { storage, buckets }: Pick<WorkerDeps, "storage" | "buckets">,
): AsyncGenerator<Page, void, undefined> {
  const most = pageItems(record);
  if (source.type === "errors") return listErrors(storage, batch_id, cursor);
  if (source.type === "manifest") return listManifest(source, cursor, buckets);
  if (source.type === "inventory") return listInventory(source, cursor, most, buckets);
  if (source.type === "prefix") return listPrefix(record.id, source, cursor, most, { storage, buckets });
  return listItems(storage, batch_id, cursor);
}
