import type { BatchRecord } from "../../shared/contracts/queue-payloads.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { WorkerDeps } from "../start.ts";
import { listInventory } from "./list-inventory.ts";
import { listItems } from "./list-items.ts";
import { listManifest } from "./list-manifest.ts";
import { listPrefix } from "./list-prefix.ts";
import { pageItems } from "./page.ts";
import type { Page } from "./page.ts";

/**
 * The pages of a batch's source from a cursor on. From the same cursor the same pages come, however often they are asked
 * for. Throws PermanentError when the source can never be listed.
 */
export function listSource(
  record: BatchRecord,
  cursor: ScanCursor,
  { storage, buckets }: Pick<WorkerDeps, "storage" | "buckets">,
): AsyncGenerator<Page, void, undefined> {
  const { id, source } = record;
  if (source.type === "manifest") return listManifest(source, cursor, buckets);
  if (source.type === "inventory") return listInventory(source, cursor, pageItems(record), buckets);
  if (source.type === "prefix")
    return listPrefix(id, source, cursor, pageItems(record), { storage, buckets });
  return listItems(storage, id, cursor);
}
